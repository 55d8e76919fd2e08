// Accessor pairs of views, one kind of value each. A set checks before it stores; a refused value leaves the memory as it was.
import { capacityOf, checkLength } from './lengths.ts';
import { pathStep } from './fault.ts';
import { isKept } from './kept-text.ts';
import { bytesOf } from './memory.ts';
import { checker, loader } from './number-access.ts';
import { bitValue, enumStorer, tableOfNames, unknownMember, unsignedUnit } from './scalar-codec.ts';
import type { BitsMember, BitsShape, EnumShape, NumberShape, PlacedField, Shape } from './shape.ts';
import { codecOfShape, type ValueCodec } from './value-codec.ts';
import { atOf, guarded, Part, viewOf, type Accessor } from './view-part.ts';

type Key = string | number;

function numberAccessor(key: Key, shape: NumberShape, at: number): Accessor {
  const check = checker(shape);
  return Part.numbers[shape.code](at, (part, value) =>
    guarded(part, 'write', pathStep(key), () => check(value)),
  );
}

const booleanAccessor = (key: Key, at: number, stored: number): Accessor =>
  Part.flag(at, stored, (part, value) =>
    guarded(part, 'write', pathStep(key), () => codecOfShape(BOOLEAN).write(viewOf(part), 0, value)),
  );
/** Any boolean: its codec refuses what is none before it stores anything. */
const BOOLEAN: Shape = { kind: 'boolean', allOnes: false, bigEndian: false, size: 1, align: 1 };

/** An enum of one byte: names by value are an array. */
function byteEnumAccessor(key: Key, shape: EnumShape, at: number): Accessor {
  const names = tableOfNames(shape) ?? [];
  const store = enumStorer(shape);
  const storedOf = (part: Part, value: unknown): number => {
    try {
      return store(value) as number;
    } catch (error) {
      return guarded(part, 'write', pathStep(key), () => {
        throw error;
      });
    }
  };
  const unknown = (part: Part, value: number): unknown =>
    shape.open ? value : guarded(part, 'read', pathStep(key), () => unknownMember(shape, value));
  return Part.byteNames(at, names, shape.members, unknown, storedOf);
}

/** Any other value, through its codec. Only an array may be half written when it is refused, so it is tried on private memory. */
function codecAccessor(key: Key, shape: Shape, at: number): Accessor {
  const codec = codecOfShape(shape);
  const { read } = codec;
  const write: ValueCodec['write'] =
    shape.kind !== 'array'
      ? codec.write
      : (view, from, value) => {
          codec.write(new DataView(new ArrayBuffer(shape.size)), 0, value);
          codec.write(view, from, value);
        };
  const accessors = { read, write };
  return shape.kind === 'text' && isKept(shape)
    ? Part.longText(at, pathStep(key), shape.size, accessors)
    : Part.coded(at, pathStep(key), accessors);
}

/** Gives the accessor of a value without live parts. */
export function valueAccessor(key: Key, shape: Shape, at: number): Accessor {
  if (shape.kind === 'number' && !shape.bigEndian && !(shape.wide && shape.size < 8))
    return numberAccessor(key, shape, at);
  if (shape.kind === 'boolean' && shape.size === 1) return booleanAccessor(key, at, shape.allOnes ? 0xff : 1);
  if (shape.kind === 'enum' && shape.base.code === 'u8' && !shape.base.wide)
    return byteEnumAccessor(key, shape, at);
  return codecAccessor(key, shape, at);
}

/** Gives the accessor of a length: a set refuses one beyond `most`, which no read would take. */
export function lengthAccessor({ name, shape, offset }: PlacedField, most: number): Accessor {
  const { get, set } = valueAccessor(name, shape, offset);
  return {
    ...(get && { get }),
    set(value: unknown) {
      guarded(this, 'write', pathStep(name), () => {
        if (typeof value === 'number' || typeof value === 'bigint') checkLength(value, most, name);
      });
      set?.call(this, value);
    },
  };
}

/** Gives the accessor of a value whose length is in `sibling`: a set changes both. */
export function countedAccessor({ name, shape, offset }: PlacedField, sibling: PlacedField): Accessor {
  const { counted } = codecOfShape(shape);
  const length = sibling.shape as NumberShape;
  const load = loader(length);
  const lengthCodec = codecOfShape(length);
  const step = pathStep(name);
  if (counted === undefined) throw new TypeError('a field with a sibling length has a counted codec');
  return {
    get() {
      return guarded(this, 'read', step, () => {
        const stored = load(viewOf(this), atOf(this) + sibling.offset);
        return counted.read(
          viewOf(this),
          atOf(this) + offset,
          checkLength(stored, capacityOf(shape), sibling.name),
        );
      });
    },
    set(value: unknown) {
      guarded(this, 'write', step, () => {
        const image = new Uint8Array(shape.size);
        const count = counted.write(new DataView(image.buffer), 0, value);
        lengthCodec.write(viewOf(this), atOf(this) + sibling.offset, length.wide ? BigInt(count) : count);
        bytesOf(viewOf(this), atOf(this) + offset, shape.size).set(image);
      });
    },
  };
}

/** Gives the accessor of one bit field: a set leaves the other bits of the unit as they are. */
export function bitAccessor({ base }: BitsShape, { name, shift, width }: BitsMember): Accessor {
  const unit = unsignedUnit(base);
  const load = loader(unit);
  const codec = codecOfShape(unit);
  const mask = (1n << BigInt(width)) - 1n;
  const by = BigInt(shift);
  return {
    get() {
      const bits = (BigInt(load(viewOf(this), atOf(this))) >> by) & mask;
      return base.wide ? bits : Number(bits);
    },
    set(value: unknown) {
      guarded(this, 'write', '', () => {
        const bits = bitValue(name, value, mask, base.wide) << by;
        const next = (BigInt(load(viewOf(this), atOf(this))) & ~(mask << by)) | bits;
        codec.write(viewOf(this), atOf(this), unit.wide ? next : Number(next));
      });
    },
  };
}
