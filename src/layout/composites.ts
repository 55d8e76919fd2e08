// Types made of other types, except structs: arrays, bit fields, enums, byte strings and padding.
import type { Abi } from './abi.ts';
import { show } from './fault.ts';
import { checkFieldName, checkMemberName, requireLengthName } from './names.ts';
import {
  checkCount,
  MAX_ELEMENTS,
  defineType,
  depthAbove,
  insideOf,
  lengthFieldOf,
  refuse,
  requireOptions,
  type BitsMember,
  type EnumMember,
  type NumberShape,
} from './shape.ts';

import type { AnyType, ArrayType, BitsType, FieldType, Infer, IntegerBase, PadType, Sized } from './types.ts';

/** Declares `n` bytes that belong to no record: reserved space. */
export function pad(n: number): PadType {
  const size = checkCount('pad', n, 1);
  return defineType('pad', () => ({ kind: 'pad', size, align: 1 }), 'same');
}

/** Declares an opaque byte string of `n` bytes; it reads as a copy. `length` names the sibling that holds how many count. */
export function bytes<const O extends { readonly length?: string } = {}>(
  n: number,
  options?: O,
): Sized<FieldType<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBufferLike>>, O> {
  const size = checkCount('bytes', n, 1);
  const lengthField = requireLengthName('bytes', requireOptions('bytes', options)?.length);
  return defineType(
    'bytes',
    () => ({ kind: 'bytes', lengthField, size, align: 1 }),
    'same',
    lengthField === undefined ? {} : { lengthField },
  );
}

type ElementOf<E> = E extends PadType ? never : unknown;

/** Declares `n` elements of `type`; nest for more dimensions. `length` names the sibling that holds how many count. */
export function array<
  E extends AnyType,
  const N extends number,
  const O extends { readonly length?: string } = {},
>(type: E & ElementOf<E>, n: N, options?: O): Sized<ArrayType<E, N>, O> {
  const inside = insideOf(type);
  if (inside === undefined) refuse('array', 'its element is no field type');
  if (type.kind === 'pad') refuse('array', 'padding has no elements: use pad(n)');
  if (lengthFieldOf(inside.shapeOn(inside.home)) !== undefined) {
    refuse('array', 'an element cannot have its length in a sibling: wrap it in a struct');
  }
  const lengthField = requireLengthName('array', requireOptions('array', options)?.length);
  const shape = (abi: Abi) => {
    const of = inside.shapeOn(abi);
    const length = checkCount('array', n, of.size, MAX_ELEMENTS);
    const depth = depthAbove('array', [of]);
    return {
      kind: 'array' as const,
      of,
      length,
      lengthField,
      size: of.size * length,
      align: of.align,
      depth,
    };
  };
  const extra = { of: type, length: n, ...(lengthField === undefined ? {} : { lengthField }) };
  const typeOn = inside.typeOn;
  return defineType(
    'array',
    shape,
    () => array(inside.bigEndian(), n, options),
    extra,
    typeOn && ((abi) => array(typeOn(abi), n, options)),
    inside.home,
  );
}

/** Gives the integer shape of `base`. @throws LayoutError LAYOUT_FIELD_INVALID for any other type */
function integerOn(what: string, base: unknown, abi: Abi): NumberShape {
  const shape = insideOf(base)?.shapeOn(abi);
  if (shape?.kind !== 'number' || shape.code === 'f32' || shape.code === 'f64') {
    return refuse(what, 'its base must be an integer type');
  }
  return shape;
}

/** Gives the named members. @throws LayoutError LAYOUT_FIELD_INVALID if they are no object */
function entriesOf<V>(what: string, members: Readonly<Record<string, V>>): [string, V][] {
  if (typeof members !== 'object' || members === null)
    refuse(what, `its members must be an object, found ${show(members)}`);
  return Object.entries(members);
}

/** Declares bit fields, least significant first, in one unit of `base`; values are unsigned. Bits without a name are written as 0. */
export function bits<B extends IntegerBase, const M extends Readonly<Record<string, number>>>(
  base: B,
  widths: M,
): BitsType<B, keyof M & string> {
  const members: BitsMember[] = [];
  let shift = 0;
  for (const [name, width] of entriesOf('bits', widths)) {
    checkFieldName('bits', name);
    if (!Number.isInteger(width) || width < 1 || width > 64) {
      refuse(`bits.${name}`, `its width must be 1 to 64 bits, found ${show(width)}`);
    }
    members.push(Object.freeze({ name, shift, width }));
    shift += width;
  }
  if (members.length === 0) refuse('bits', 'it needs at least one member');
  Object.freeze(members);
  const swapped = insideOf(base);
  return defineType(
    'bits',
    (abi) => {
      const unit = integerOn('bits', base, abi);
      if (shift > 8 * unit.size)
        refuse('bits', `its members take ${shift} bits, expected at most ${8 * unit.size} on ${abi}`);
      return { kind: 'bits', base: unit, members, size: unit.size, align: unit.align };
    },
    () => bits(swapped?.bigEndian() as B, widths),
    { base, widths: Object.freeze({ ...widths }) },
  );
}

/** Range of an integer code, both ends included. */
function rangeOf({ code, size }: NumberShape): readonly [bigint, bigint] {
  const width = BigInt(8 * size);
  return code.startsWith('u') ? [0n, (1n << width) - 1n] : [-(1n << (width - 1n)), (1n << (width - 1n)) - 1n];
}

/** Options whose `open` is not known to be false may be those of an open enum. */
type OpenValue<B, O> = O extends { readonly open?: false } ? never : Infer<B>;

/** Declares named values of an integer; a record holds the name. With `open` an unknown value reads as its number. */
export function enumOf<
  B extends IntegerBase,
  const M extends Readonly<Record<string, NoInfer<Infer<B>> | number>>,
  const O extends { readonly open?: boolean } = {},
>(base: B, members: M, options?: O): FieldType<(keyof M & string) | OpenValue<B, O>> {
  const open = requireOptions('enumOf', options)?.open === true;
  const named = entriesOf('enumOf', members);
  if (named.length === 0) refuse('enumOf', 'it needs at least one member');
  for (const [name] of named) checkMemberName(name);
  const membersOn = (shape: NumberShape): readonly EnumMember[] => {
    const [low, high] = rangeOf(shape);
    return Object.freeze(
      named.map(([name, value]) => {
        const whole = typeof value === 'bigint' || Number.isSafeInteger(value);
        if (!whole || BigInt(value) < low || BigInt(value) > high) {
          refuse(
            `enumOf.${name}`,
            `its value must be an integer from ${low} to ${high}, found ${show(value)}`,
          );
        }
        return Object.freeze({ name, value: shape.wide ? BigInt(value) : Number(value) });
      }),
    );
  };
  const swapped = insideOf(base);
  return defineType(
    'enum',
    (abi) => {
      const unit = integerOn('enumOf', base, abi);
      return { kind: 'enum', base: unit, members: membersOn(unit), open, size: unit.size, align: unit.align };
    },
    () => enumOf(swapped?.bigEndian() as B, members, options),
    { base, members: Object.freeze({ ...members }), open },
  );
}
