// Adds the fields of a layout to a typed-struct builder. The builder is handed in, so that this folder depends on no package.
import { LayoutError } from '../errors.ts';
import { shapeOn, type PlacedField, type StructShape } from './shape.ts';
import type { Layout } from './types.ts';

/** The methods that add a field; each gives the builder back. */
export type Build = Readonly<Record<string, (name: string, ...rest: unknown[]) => Build>> & {
  seek(count: number): Build;
};

const METHODS = { u8: 'UInt8', i8: 'Int8', u16: 'UInt16', i16: 'Int16', u32: 'UInt32', i32: 'Int32', u64: 'BigUInt64', i64: 'BigInt64', f32: 'Float32', f64: 'Float64' } as const; // prettier-ignore

/** Gives the method for a plain number that typed-struct stores as we do. */
function methodOf({ shape }: PlacedField): string | undefined {
  if (shape.kind !== 'number' || (shape.wide && shape.size < 8)) return undefined;
  const method = METHODS[shape.code];
  return shape.size === 1 ? method : `${method}${shape.bigEndian ? 'BE' : 'LE'}`;
}

/** What every instance has of its own and lets nobody define again. */
const TAKEN: ReadonlySet<string> = new Set(['$raw', 'toString']);

/** Adds every field of the layout at its offset, and the gaps; gives the builder to compile. @throws LayoutError LAYOUT_FIELD_INVALID */
export function buildTypedStruct(start: Build, layout: Layout): Build {
  const shape = shapeOn(layout, layout.abi) as StructShape;
  let build = start;
  let end = 0;
  // seek(0) would mean "to the end", so only real gaps are skipped.
  const skipTo = (offset: number): void => {
    if (offset > end) build = build.seek(offset - end);
  };
  for (const field of shape.fields.toSorted((a, b) => a.offset - b.offset)) {
    const { name, offset } = field;
    if (field.shape.kind === 'pad') continue;
    if (TAKEN.has(name))
      throw new LayoutError(
        'LAYOUT_FIELD_INVALID',
        `cannot make a typed-struct class of ${layout.name}.${name}: every instance has that name for itself`,
      );
    skipTo(offset);
    const method = methodOf(field);
    const add = method === undefined ? undefined : build[method];
    build = add === undefined ? customField(build, layout, field) : add.call(build, name);
    end = offset + field.shape.size;
  }
  skipTo(layout.size);
  return build;
}

function customField(build: Build, layout: Layout, { name, offset, shape }: PlacedField): Build {
  // typed-struct gives the field's bytes; a length may lie in a sibling, so the whole record is looked at.
  const record = ({ buffer, byteOffset }: Uint8Array): DataView =>
    new DataView(buffer, byteOffset - offset, layout.size);
  const get = (_type: string, field: Uint8Array): unknown =>
    (layout.view(record(field)) as Record<string, unknown>)[name];
  const set = (_type: string, field: Uint8Array, value: unknown): boolean => {
    layout.encode({ [name]: value }, record(field));
    return true;
  };
  const { Custom } = build;
  return (Custom as NonNullable<typeof Custom>).call(build, name, shape.size, get, set);
}
