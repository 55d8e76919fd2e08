// Codecs of values with parts: structs, arrays and unions. Padding is zeroed by the struct that owns it.
import { atStep, Fault, show, wrongType } from './fault.ts';
import { checkKeys, gives, keyReader } from './keys.ts';
import { capacityOf, checkLength } from './lengths.ts';
import { bytesOf, privateCopy, zeroFill } from './memory.ts';
import { manyLoader } from './number-access.ts';
import {
  lengthFieldOf,
  type ArrayShape,
  type NumberShape,
  type PlacedField,
  type Shape,
  type StructShape,
  type UnionShape,
} from './shape.ts';
import { makeUnionValue, unionBytes } from './union-value.ts';
import type { ValueCodec } from './value-codec.ts';

type CodecOf = (shape: Shape) => ValueCodec;

/** Lists the byte ranges of a struct that belong to no value: `[offset, length]`. */
export function gapsOf({ fields, size }: StructShape): readonly (readonly [number, number])[] {
  const gaps: [number, number][] = [];
  let end = 0;
  const valued = fields.filter(({ shape }) => shape.kind !== 'pad').toSorted((a, b) => a.offset - b.offset);
  for (const { offset, shape } of valued) {
    if (offset > end) gaps.push([end, offset - end]);
    end = Math.max(end, offset + shape.size);
  }
  if (size > end) gaps.push([end, size - end]);
  return gaps;
}

interface Part {
  readonly name: string;
  readonly offset: number;
  readonly codec: ValueCodec;
  readonly shape: Shape;
  /** The field that holds this one's length. */
  readonly sibling: Part | undefined;
  /** Some other field's length is stored here. */
  readonly isLength: boolean;
}

function partsOf(fields: readonly PlacedField[], codecOf: CodecOf): readonly Part[] {
  const lengths = new Set(fields.map(({ shape }) => lengthFieldOf(shape)));
  const byName = new Map(fields.map((field) => [field.name, field]));
  const parts = new Map<string, Part>();
  const partOf = (name: string): Part => {
    const known = parts.get(name);
    if (known !== undefined) return known;
    const { offset, shape } = byName.get(name) as PlacedField;
    const sibling = lengthFieldOf(shape);
    const part = {
      name,
      offset,
      codec: codecOf(shape),
      shape,
      sibling: sibling === undefined ? undefined : partOf(sibling),
      isLength: lengths.has(name),
    };
    parts.set(name, part);
    return part;
  };
  return fields.filter(({ shape }) => shape.kind !== 'pad').map(({ name }) => partOf(name));
}

export function structCodec(shape: StructShape, codecOf: CodecOf): ValueCodec {
  const parts = partsOf(shape.fields, codecOf);
  const byName = new Map(parts.map((part) => [part.name, part]));
  const gaps = gapsOf(shape);
  const rule = keyReader(shape.name, parts);
  // Assigning to own properties of a copy of this cannot reach a setter on Object.prototype.
  const template: Record<string, unknown> = Object.fromEntries(parts.map(({ name }) => [name, undefined]));

  const readPart = (part: Part, view: DataView, at: number): unknown => {
    if (part.sibling === undefined || part.codec.counted === undefined)
      return part.codec.read(view, at + part.offset);
    const stored = part.sibling.codec.read(view, at + part.sibling.offset) as number | bigint;
    return part.codec.counted.read(
      view,
      at + part.offset,
      checkLength(stored, capacityOf(part.shape), part.sibling.name),
    );
  };

  /** Writes the fields that `given` names, then the lengths that follow from them. */
  const writeParts = (view: DataView, at: number, record: Record<string, unknown>, whole: boolean): void => {
    let name = '';
    const lengths = new Map<Part, number>();
    try {
      for (const part of parts) {
        name = part.name;
        if (part.isLength || (!whole && !gives(record, name))) continue;
        if (part.sibling !== undefined && part.codec.counted !== undefined) {
          const length = part.codec.counted.write(view, at + part.offset, present(record, name));
          if ((lengths.get(part.sibling) ?? length) !== length) {
            throw new Fault(
              'VALUE_RANGE',
              `has ${length} elements, expected ${lengths.get(part.sibling)} as the other field of ${part.sibling.name}`,
            );
          }
          lengths.set(part.sibling, length);
        } else if (!whole && part.codec.patch !== undefined) {
          part.codec.patch(view, at + part.offset, present(record, name));
        } else part.codec.write(view, at + part.offset, present(record, name));
      }
      for (const part of parts) {
        name = part.name;
        if (part.isLength) writeLength(part, view, at, record, lengths.get(part));
      }
    } catch (error) {
      throw atStep(error, name);
    }
  };

  /** A length follows the field that it counts; given, it must agree. */
  const writeLength = (
    part: Part,
    view: DataView,
    at: number,
    record: Record<string, unknown>,
    follows: number | undefined,
  ): void => {
    const given = gives(record, part.name) ? present(record, part.name) : undefined;
    if (given === undefined && follows === undefined) return;
    if (given === undefined) {
      const { wide } = part.shape as NumberShape;
      part.codec.write(view, at + part.offset, wide ? BigInt(follows as number) : follows);
      return;
    }
    part.codec.write(view, at + part.offset, given);
    if (follows !== undefined && Number(given) !== follows) {
      throw new Fault(
        'VALUE_RANGE',
        `its field has ${follows} elements, expected that length, found ${show(given)}`,
      );
    }
    for (const { sibling, shape: counted } of parts) {
      if (sibling === part) checkLength(given as number | bigint, capacityOf(counted), part.name);
    }
  };

  return {
    read(view, at) {
      const record = { ...template };
      let name = '';
      try {
        for (const part of parts) {
          name = part.name;
          record[name] = readPart(part, view, at);
        }
      } catch (error) {
        throw atStep(error, name);
      }
      return record;
    },
    write(view, at, value) {
      const record = checkKeys(value, rule);
      for (const [offset, length] of gaps) zeroFill(view, at + offset, length);
      writeParts(view, at, record, true);
    },
    patch(view, at, value) {
      const record = checkKeys(value, rule);
      for (const key in record) if (byName.has(key)) presentAt(record, key);
      writeParts(view, at, record, false);
    },
  };
}

/** Gives a field that must be there. @throws Fault VALUE_TYPE */
function present(record: Record<string, unknown>, name: string): unknown {
  const value = record[name];
  if (value === undefined)
    throw new Fault(
      'VALUE_TYPE',
      gives(record, name) ? 'expected a value, found undefined' : 'missing, expected a value',
    );
  return value;
}

function presentAt(record: Record<string, unknown>, name: string): void {
  try {
    present(record, name);
  } catch (error) {
    throw atStep(error, name);
  }
}

type NumericArray = ArrayLike<number | bigint>;

/** Gives an array or a typed array back. @throws Fault VALUE_TYPE */
function requireList(value: unknown): readonly unknown[] | NumericArray {
  const list = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  return list ? (value as readonly unknown[]) : wrongType('an array', value);
}

/** Checks a length that was read once: a list may have another one by the time its elements are read. @throws Fault VALUE_RANGE */
function requireCount(found: number, length: number, exactly: boolean): number {
  const fits = exactly ? found === length : Number.isInteger(found) && found >= 0 && found <= length;
  if (fits) return found;
  throw new Fault(
    'VALUE_RANGE',
    `array has ${found} elements, expected ${exactly ? 'exactly' : 'at most'} ${length}`,
  );
}

/** Reads elements through their own codec; a fault gets the index in its path. */
export function elementReader(
  element: Pick<ValueCodec, 'read'>,
  stride: number,
): (view: DataView, at: number, count: number) => unknown[] {
  return (view, at, count) => {
    const values: unknown[] = [];
    let i = 0;
    try {
      for (; i < count; i++) values.push(element.read(view, at + i * stride));
    } catch (error) {
      throw atStep(error, i);
    }
    return values;
  };
}

function listWriter(
  element: Pick<ValueCodec, 'write'>,
  stride: number,
): (view: DataView, at: number, list: readonly unknown[] | NumericArray, count: number) => void {
  return (view, at, list, count) => {
    let i = 0;
    try {
      for (; i < count; i++) element.write(view, at + i * stride, list[i]);
    } catch (error) {
      throw atStep(error, i);
    }
  };
}

/** Writes exactly `length` elements through `element`; a fault gets the index in its path. */
export function elementsWriter(
  { of, length }: Pick<ArrayShape, 'of' | 'length'>,
  element: Pick<ValueCodec, 'write'>,
): ValueCodec['write'] {
  const write = listWriter(element, of.size);
  return (view, at, value) => {
    const list = requireList(value);
    write(view, at, list, requireCount(list.length, length, true));
  };
}

export function arrayCodec({ of, length, size }: ArrayShape, codecOf: CodecOf): ValueCodec {
  const element = codecOf(of);
  const stride = of.size;
  const readMany = of.kind === 'number' ? manyLoader(of) : elementReader(element, stride);
  const writeMany = listWriter(element, stride);
  return {
    read: (view, at) => readMany(view, at, length),
    write: elementsWriter({ of, length }, element),
    counted: {
      read: readMany,
      write(view, at, value) {
        const list = requireList(value);
        const count = requireCount(list.length, length, false);
        writeMany(view, at, list, count);
        zeroFill(view, at + count * stride, size - count * stride);
        return count;
      },
    },
  };
}

export function unionCodec(shape: UnionShape, codecOf: CodecOf): ValueCodec {
  const parts = partsOf(shape.fields, codecOf);
  const byName = new Map(parts.map((part) => [part.name, part]));
  const rule = keyReader(shape.name, parts);
  return {
    read: (view, at) => makeUnionValue(shape, privateCopy(view, at, shape.size), codecOf),
    write(view, at, value) {
      const bytes = unionBytes(value, shape);
      if (bytes !== undefined) {
        bytesOf(view, at, shape.size).set(bytes);
        return;
      }
      const record = checkKeys(value, rule);
      const names = Object.keys(record).filter((name) => byName.has(name));
      const [name] = names;
      if (name === undefined || names.length > 1) {
        throw new Fault('VALUE_TYPE', `a union is written with exactly one member, found ${names.length}`);
      }
      const { codec } = byName.get(name) as Part;
      zeroFill(view, at, shape.size);
      try {
        codec.write(view, at, present(record, name));
      } catch (error) {
        throw atStep(error, name);
      }
    },
  };
}
