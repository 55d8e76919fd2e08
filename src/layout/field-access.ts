// One field of a layout on its own: for columns and for adding to a counter.
import { ValueError } from '../errors.ts';
import { asValueError, Fault, pathStep, show, wrongType } from './fault.ts';
import { capacityOf, checkLength, mostIn } from './lengths.ts';
import { loader, NUMBER_ACCESS, storer } from './number-access.ts';
import {
  lengthFieldOf,
  shapeOn,
  type NumberCode,
  type NumberShape,
  type PlacedField,
  type Shape,
  type StructShape,
} from './shape.ts';
import type { Layout } from './types.ts';
import { codecOfShape } from './value-codec.ts';

const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;
export type TypedArrayConstructor = (typeof ARRAYS)[NumberCode];

const LITTLE_ENDIAN_HOST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Reads, and for integers changes, one field of records of a layout. Callers bound the record's range. */
export interface FieldAccess {
  /** Bytes from the start of the record that `read` looks at, from the first to before the last: the field and the one that counts it. */
  readonly reads: readonly [from: number, to: number];
  /** Reads this one field of the record at `at`. @throws ValueError VALUE_RANGE */
  read(view: DataView, at: number): unknown;
  /** Typed array that a column of this field is given as, whatever its byte order and width; undefined for what is no number. */
  readonly values: TypedArrayConstructor | undefined;
  /** Adds `delta` to the stored integer; nothing is written on a throw. Undefined for what is no integer. @throws ValueError VALUE_TYPE, VALUE_RANGE */
  readonly add: ((view: DataView, at: number, delta: unknown) => void) | undefined;
}

const ACCESSES = new WeakMap<Layout, Map<string, FieldAccess>>();

/** Gives the access to the field `name`, the same one each time. @throws ValueError VALUE_TYPE if there is no such field */
export function fieldAccess(layout: Layout, name: string): FieldAccess {
  let accesses = ACCESSES.get(layout);
  if (accesses === undefined) ACCESSES.set(layout, (accesses = new Map<string, FieldAccess>()));
  let access = accesses.get(name);
  if (access === undefined) accesses.set(name, (access = makeAccess(layout, requireName(layout, name))));
  return access;
}

function requireName(layout: Layout, name: unknown): string {
  if (typeof name === 'string') return name;
  throw new ValueError(
    'VALUE_TYPE',
    `cannot use a field of ${layout.name}: expected its name, found ${show(name)}`,
  );
}

function makeAccess(layout: Layout, name: string): FieldAccess {
  const record = shapeOn(layout, layout.abi) as StructShape;
  const field = record.fields.find((candidate) => candidate.name === name && candidate.shape.kind !== 'pad');
  if (field === undefined)
    throw new ValueError('VALUE_TYPE', `cannot use ${layout.name}${pathStep(name)}: no such field`);
  const path = layout.name + pathStep(name);
  const { offset, shape } = field;
  const holder = record.fields.find((candidate) => candidate.name === lengthFieldOf(shape));
  const read = reader(field, holder);
  const values = shape.kind === 'number' ? columnOf(shape) : undefined;
  return Object.freeze({
    reads: reachOf(field, holder ?? field),
    read(view: DataView, at: number): unknown {
      try {
        return read(view, at);
      } catch (error) {
        throw asValueError(error, 'read', path);
      }
    },
    values,
    add:
      shape.kind === 'number' && Number.isFinite(Number(NUMBER_ACCESS[shape.code].high))
        ? adder(shape, offset, path, mostIn(name, record.fields))
        : undefined,
  });
}

/** Gives the typed array whose elements are such a field as it lies in memory; undefined for what is no number in the host's form. */
export function columnInMemory(shape: Shape): TypedArrayConstructor | undefined {
  return shape.kind === 'number' && asItLies(shape) ? columnOf(shape) : undefined;
}

function columnOf({ code, wide }: NumberShape): TypedArrayConstructor {
  if (!wide) return ARRAYS[code];
  return code.startsWith('u') ? ARRAYS.u64 : ARRAYS.i64;
}

/** Tells whether a typed array over the memory itself would read the same numbers. */
function asItLies({ wide, size, bigEndian }: NumberShape): boolean {
  const narrowed = wide && size < 8;
  return !narrowed && (size === 1 || bigEndian !== LITTLE_ENDIAN_HOST);
}

/** Gives the bytes from the start of one field to the end of the other, whichever is first. */
const reachOf = (one: PlacedField, other: PlacedField): readonly [from: number, to: number] => [
  Math.min(one.offset, other.offset),
  Math.max(one.offset + one.shape.size, other.offset + other.shape.size),
];

/** `holder` holds the field's length. */
function reader(
  { name, offset, shape }: PlacedField,
  holder: PlacedField | undefined,
): (view: DataView, at: number) => unknown {
  const codec = codecOfShape(shape);
  const { counted } = codec;
  if (counted === undefined || holder === undefined) return (view, at) => codec.read(view, at + offset);
  const length = loader(holder.shape as NumberShape);
  const capacity = capacityOf(shape);
  return (view, at) =>
    counted.read(view, at + offset, checkLength(length(view, at + holder.offset), capacity, name));
}

function adder(
  shape: NumberShape,
  offset: number,
  path: string,
  most: number | undefined,
): (view: DataView, at: number, delta: unknown) => void {
  const load = loader(shape);
  const store = storer(shape);
  const range = NUMBER_ACCESS[shape.code];
  // A length stays one that its fields can have.
  const [low, high] = most === undefined ? [range.low, range.high] : [0, most];
  const sumOf = (stored: number | bigint, delta: unknown): number | bigint => {
    if (typeof delta !== typeof stored) wrongType(`a ${typeof stored} to add`, delta);
    if (typeof delta === 'number' && !Number.isInteger(delta)) wrongType('an integer to add', delta);
    const sum = typeof stored === 'bigint' ? stored + (delta as bigint) : stored + (delta as number);
    if (sum < low || sum > high)
      throw new Fault('VALUE_RANGE', `sum is ${show(sum)}, expected ${low} to ${high}`);
    return sum;
  };
  return (view, at, delta) => {
    try {
      store(view, at + offset, sumOf(load(view, at + offset), delta));
    } catch (error) {
      throw asValueError(error, 'add to', path);
    }
  };
}
