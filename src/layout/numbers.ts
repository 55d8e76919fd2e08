// The scalar types: integers, floats, booleans and times. One constant each; `be` gives the big-endian form of any type.
import { ABI_RULES, type Abi, type AbiRules } from './abi.ts';
import { defineType, insideOf, refuse, type Epoch, type NumberCode } from './shape.ts';
import type { AnyType, ArrayType, FieldType, Layout, NumberType, UnionType } from './types.ts';

const SIZES: Readonly<Record<NumberCode, 1 | 2 | 4 | 8>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f32: 4,
  f64: 8,
};

const alignOf = (size: number, abi: Abi): number => (size === 8 ? ABI_RULES[abi].scalar64 : size);

function number<V extends number | bigint, C>(
  kind: string,
  codeOn: (rules: AbiRules) => NumberCode,
  wide: boolean,
  bigEndian = false,
): NumberType<V, C> {
  const swapped =
    bigEndian || kind === 'u8' || kind === 'i8' ? 'same' : () => number(kind, codeOn, wide, true);
  return defineType(
    kind,
    (abi) => {
      const code = codeOn(ABI_RULES[abi]);
      const size = SIZES[code];
      return { kind: 'number', code, wide, bigEndian, size, align: alignOf(size, abi) };
    },
    swapped,
    bigEndian ? { numeric: true, bigEndian } : { numeric: true },
  );
}
const fixed = <V extends number | bigint, C>(code: NumberCode): NumberType<V, C> =>
  number(code, () => code, code === 'u64' || code === 'i64');

export const u8: NumberType<number, Uint8Array> = fixed('u8');
export const i8: NumberType<number, Int8Array> = fixed('i8');
export const u16: NumberType<number, Uint16Array> = fixed('u16');
export const i16: NumberType<number, Int16Array> = fixed('i16');
export const u32: NumberType<number, Uint32Array> = fixed('u32');
export const i32: NumberType<number, Int32Array> = fixed('i32');
/** Unsigned 64-bit integer, a bigint in JavaScript. */
export const u64: NumberType<bigint, BigUint64Array> = fixed('u64');
/** Signed 64-bit integer, a bigint in JavaScript. */
export const i64: NumberType<bigint, BigInt64Array> = fixed('i64');
export const f32: FieldType<number, number, Float32Array> = fixed('f32');
export const f64: FieldType<number, number, Float64Array> = fixed('f64');
/** C `long`: 8 bytes on linux64, else 4; always a bigint. */
export const long: NumberType<bigint, BigInt64Array> = number(
  'long',
  (abi) => (abi.long === 8 ? 'i64' : 'i32'),
  true,
);
/** C `unsigned long`; always a bigint. */
export const ulong: NumberType<bigint, BigUint64Array> = number(
  'ulong',
  (abi) => (abi.long === 8 ? 'u64' : 'u32'),
  true,
);
/** C `size_t`; always a bigint. */
export const sizeT: NumberType<bigint, BigUint64Array> = number(
  'sizeT',
  (abi) => (abi.word === 8 ? 'u64' : 'u32'),
  true,
);
/** C `void *` as an address in the writer's process; always a bigint. */
export const pointer: NumberType<bigint, BigUint64Array> = number(
  'pointer',
  (abi) => (abi.word === 8 ? 'u64' : 'u32'),
  true,
);
/** C `time_t`, seconds since 1970; always a bigint. */
export const timeT: NumberType<bigint, BigInt64Array> = number(
  'timeT',
  (abi) => (abi.time === 8 ? 'i64' : 'i32'),
  true,
);

function boolean(kind: string, size: 1 | 2 | 4, allOnes: boolean, bigEndian = false): FieldType<boolean> {
  return defineType(
    kind,
    () => ({ kind: 'boolean', allOnes, bigEndian, size, align: size }),
    bigEndian || size === 1 ? 'same' : () => boolean(kind, size, allOnes, true),
    bigEndian ? { bigEndian } : {},
  );
}

/** C and C++ `bool`, Delphi `Boolean`: 1 byte, true is 1. */
export const bool: FieldType<boolean> = boolean('bool', 1, false);
/** Win32 `BOOL`: 4 bytes, true is 1. */
export const bool32: FieldType<boolean> = boolean('bool32', 4, false);
/** Delphi `ByteBool`: 1 byte, true is all ones. */
export const byteBool: FieldType<boolean> = boolean('byteBool', 1, true);
/** Delphi `WordBool`: 2 bytes, true is all ones. */
export const wordBool: FieldType<boolean> = boolean('wordBool', 2, true);
/** Delphi `LongBool`: 4 bytes, true is all ones. */
export const longBool: FieldType<boolean> = boolean('longBool', 4, true);

function time(epoch: Epoch, bigEndian = false): FieldType<Date> {
  return defineType(
    epoch,
    // PLATFORM: FILETIME is a struct of two DWORDs, so it is aligned to 4 (learn.microsoft.com, "FILETIME structure").
    (abi) => ({ kind: 'time', epoch, bigEndian, size: 8, align: epoch === 'filetime' ? 4 : alignOf(8, abi) }),
    bigEndian ? 'same' : () => time(epoch, true),
    bigEndian ? { bigEndian } : {},
  );
}

/** Win32 `FILETIME`: 100 ns since 1601-01-01 UTC, 8 bytes aligned to 4. */
export const filetime: FieldType<Date> = time('filetime');
/** Delphi `TDateTime`: days since 1899-12-30 as f64. It has no time zone; its clock face is taken as UTC. */
export const tDateTime: FieldType<Date> = time('tDateTime');
/** Milliseconds since 1970-01-01 UTC as a signed 64-bit integer. */
export const unixMs: FieldType<Date> = time('unixMs');

/** Structs and unions, and arrays of them, are not swapped as a whole. */
type Swappable<T> =
  T extends ArrayType<infer E, any> ? Swappable<E> : T extends Layout | UnionType<any> ? never : unknown;

/** Gives the same type stored big-endian; single bytes stay as they are. @throws LayoutError LAYOUT_FIELD_INVALID for structs and unions */
export function be<T extends AnyType>(type: T & Swappable<T>): T {
  const inside = insideOf(type);
  if (inside === undefined) refuse('be()', 'its argument is no field type');
  return inside.bigEndian() as T;
}
