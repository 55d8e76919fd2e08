// How each number is loaded, checked and stored. The checks are the ones that generated code spells out inline.
import { Fault, show, wrongType } from './fault.ts';
import type { NumberCode, NumberShape } from './shape.ts';

interface Access {
  /** Ending of the DataView methods, as in `getUint16`. */
  readonly method:
    | 'Uint8'
    | 'Int8'
    | 'Uint16'
    | 'Int16'
    | 'Uint32'
    | 'Int32'
    | 'BigUint64'
    | 'BigInt64'
    | 'Float32'
    | 'Float64';
  readonly low: number | bigint;
  readonly high: number | bigint;
  load(view: DataView, at: number, little: boolean): number | bigint;
  /** Takes a value that passed the check of its shape. */
  store(view: DataView, at: number, value: number | bigint, little: boolean): void;
}

/** One entry per stored form; floats have no bounds. */
export const NUMBER_ACCESS: Readonly<Record<NumberCode, Access>> = {
  u8: {
    method: 'Uint8',
    low: 0,
    high: 0xff,
    load: (view, at) => view.getUint8(at),
    store: (view, at, value) => view.setUint8(at, Number(value)),
  },
  i8: {
    method: 'Int8',
    low: -0x80,
    high: 0x7f,
    load: (view, at) => view.getInt8(at),
    store: (view, at, value) => view.setInt8(at, Number(value)),
  },
  u16: {
    method: 'Uint16',
    low: 0,
    high: 0xffff,
    load: (view, at, little) => view.getUint16(at, little),
    store: (view, at, value, little) => view.setUint16(at, Number(value), little),
  },
  i16: {
    method: 'Int16',
    low: -0x8000,
    high: 0x7fff,
    load: (view, at, little) => view.getInt16(at, little),
    store: (view, at, value, little) => view.setInt16(at, Number(value), little),
  },
  u32: {
    method: 'Uint32',
    low: 0,
    high: 0xffff_ffff,
    load: (view, at, little) => view.getUint32(at, little),
    store: (view, at, value, little) => view.setUint32(at, Number(value), little),
  },
  i32: {
    method: 'Int32',
    low: -0x8000_0000,
    high: 0x7fff_ffff,
    load: (view, at, little) => view.getInt32(at, little),
    store: (view, at, value, little) => view.setInt32(at, Number(value), little),
  },
  u64: {
    method: 'BigUint64',
    low: 0n,
    high: 0xffff_ffff_ffff_ffffn,
    load: (view, at, little) => view.getBigUint64(at, little),
    store: (view, at, value, little) => view.setBigUint64(at, value as bigint, little),
  },
  i64: {
    method: 'BigInt64',
    low: -0x8000_0000_0000_0000n,
    high: 0x7fff_ffff_ffff_ffffn,
    load: (view, at, little) => view.getBigInt64(at, little),
    store: (view, at, value, little) => view.setBigInt64(at, value as bigint, little),
  },
  f32: {
    method: 'Float32',
    low: -Infinity,
    high: Infinity,
    load: (view, at, little) => view.getFloat32(at, little),
    store: (view, at, value, little) => view.setFloat32(at, Number(value), little),
  },
  f64: {
    method: 'Float64',
    low: -Infinity,
    high: Infinity,
    load: (view, at, little) => view.getFloat64(at, little),
    store: (view, at, value, little) => view.setFloat64(at, Number(value), little),
  },
};

const isFloat = (code: NumberCode): boolean => code === 'f32' || code === 'f64';

/** Gives the function that loads a value of `shape` as JavaScript sees it. */
export function loader(shape: NumberShape): (view: DataView, at: number) => number | bigint {
  const { load } = NUMBER_ACCESS[shape.code];
  const little = !shape.bigEndian;
  if (shape.wide && shape.size < 8) return (view, at) => BigInt(load(view, at, little));
  return (view, at) => load(view, at, little);
}

/** Gives the function that stores a checked value of `shape`. */
export function storer(shape: NumberShape): (view: DataView, at: number, value: number | bigint) => void {
  const { store } = NUMBER_ACCESS[shape.code];
  const little = !shape.bigEndian;
  return (view, at, value) => store(view, at, value, little);
}

function outOfRange(shape: NumberShape, value: unknown): never {
  const { low, high } = NUMBER_ACCESS[shape.code];
  throw new Fault('VALUE_RANGE', `expected an integer from ${low} to ${high}, found ${show(value)}`);
}

/** Gives the function that checks a value for `shape`. It throws Fault VALUE_TYPE or VALUE_RANGE. */
export function checker(shape: NumberShape): (value: unknown) => number | bigint {
  const { low, high } = NUMBER_ACCESS[shape.code];
  if (shape.wide) {
    return (value) => {
      if (typeof value !== 'bigint') wrongType('a bigint', value);
      return value < low || value > high ? outOfRange(shape, value) : value;
    };
  }
  if (shape.code === 'f64')
    return (value) => (typeof value === 'number' ? value : wrongType('a number', value));
  if (isFloat(shape.code)) {
    return (value) => {
      if (typeof value !== 'number') wrongType('a number', value);
      if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
        throw new Fault(
          'VALUE_RANGE',
          `expected a number that a 32-bit float can hold, found ${show(value)}`,
        );
      }
      return value;
    };
  }
  return (value) => {
    if (typeof value !== 'number') wrongType('a number', value);
    return Number.isInteger(value) && value >= (low as number) && value <= (high as number)
      ? value
      : outOfRange(shape, value);
  };
}

/** Loads elements one behind the other; the plain array that comes out is dense. */
type LoadMany = (view: DataView, at: number, count: number, little: boolean) => (number | bigint)[];

/** HOT: one loop per stored form, so that each has the one DataView call in it (bench/layout.ts, "Project CARS 2"). */
const LOAD_MANY: Readonly<Partial<Record<NumberCode, LoadMany>>> = {
  u8(view, at, count) {
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(view.getUint8(at + i));
    return values;
  },
  u16(view, at, count, little) {
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(view.getUint16(at + 2 * i, little));
    return values;
  },
  i32(view, at, count, little) {
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(view.getInt32(at + 4 * i, little));
    return values;
  },
  u32(view, at, count, little) {
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(view.getUint32(at + 4 * i, little));
    return values;
  },
  f32(view, at, count, little) {
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(view.getFloat32(at + 4 * i, little));
    return values;
  },
  f64(view, at, count, little) {
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(view.getFloat64(at + 8 * i, little));
    return values;
  },
};

/** Gives the function that loads `count` values of `shape`. */
export function manyLoader(
  shape: NumberShape,
): (view: DataView, at: number, count: number) => (number | bigint)[] {
  const many = LOAD_MANY[shape.code];
  const little = !shape.bigEndian;
  if (many !== undefined && !shape.wide) return (view, at, count) => many(view, at, count, little);
  const load = loader(shape);
  return (view, at, count) => {
    const values: (number | bigint)[] = [];
    for (let i = 0; i < count; i++) values.push(load(view, at + i * shape.size));
    return values;
  };
}
