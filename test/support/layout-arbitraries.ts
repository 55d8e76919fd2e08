// Arbitrary layouts with arbitrary records for them. A layout here is a definition and a matching generator of records.
import * as fc from 'fast-check';
import { array, bits, bytes, enumOf, pad } from '../../src/layout/composites.ts';
import * as numbers from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char, char16, char32, shortString, utf8, wchar } from '../../src/layout/text-types.ts';
import type { Abi, Pack } from '../../src/layout/abi.ts';
import type { AnyType, Fields, IntegerBase, Layout } from '../../src/layout/types.ts';

/** A field type with a generator of the values that a read can give back as they were written. */
export interface Sample {
  readonly type: AnyType;
  readonly value: fc.Arbitrary<unknown>;
}

const int = (bits: number, signed: boolean): fc.Arbitrary<number> =>
  signed
    ? fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
    : fc.integer({ min: 0, max: 2 ** bits - 1 });
const big = (bits: bigint, signed: boolean): fc.Arbitrary<bigint> =>
  signed
    ? fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n })
    : fc.bigInt({ min: 0n, max: 2n ** bits - 1n });
const milliseconds = (min: number, max: number): fc.Arbitrary<Date> =>
  fc.date({ min: new Date(min), max: new Date(max), noInvalidDate: true });

const { u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, be } = numbers;
const plainNumbers: readonly Sample[] = [
  { type: u8, value: int(8, false) },
  { type: i8, value: int(8, true) },
  { type: u16, value: int(16, false) },
  { type: i16, value: int(16, true) },
  { type: u32, value: int(32, false) },
  { type: i32, value: int(32, true) },
  { type: u64, value: big(64n, false) },
  { type: i64, value: big(64n, true) },
  { type: f32, value: fc.float() },
  { type: f64, value: fc.double() },
  { type: numbers.long, value: big(32n, true) },
  { type: numbers.ulong, value: big(32n, false) },
  { type: numbers.sizeT, value: big(32n, false) },
  { type: numbers.pointer, value: big(32n, false) },
  { type: numbers.timeT, value: big(32n, true) },
];
const booleans: readonly Sample[] = [
  numbers.bool,
  numbers.bool32,
  numbers.byteBool,
  numbers.wordBool,
  numbers.longBool,
].map((type) => ({ type, value: fc.boolean() }));
const times: readonly Sample[] = [
  { type: numbers.filetime, value: milliseconds(-11_644_473_600_000, 1.8e15) },
  { type: numbers.unixMs, value: milliseconds(-8.64e15, 8.64e15) },
  { type: numbers.tDateTime, value: milliseconds(-62_135_596_800_000, 253_402_300_799_999) },
];

/** Every scalar type, little-endian. */
export const scalars: readonly Sample[] = [...plainNumbers, ...booleans, ...times];

const characters = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('\0', ''));
/** Text of at most `units` characters that no encoding makes longer than that. */
const ascii = (units: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.integer({ min: 1, max: 126 }).map((code) => String.fromCharCode(code)),
    maxLength: units,
  });
const utf16Text = (units: number): fc.Arbitrary<string> =>
  characters.map((text) => text.slice(0, units).toWellFormed());

const texts = fc
  .integer({ min: 1, max: 40 })
  .chain((units) =>
    fc.constantFrom<Sample>(
      { type: utf8(units), value: ascii(units - 1) },
      { type: utf8(4 * units + 1), value: utf16Text(units) },
      { type: char(units, { terminated: false }), value: ascii(units) },
      { type: char(units, { encoding: 'utf-8' }), value: ascii(units - 1) },
      { type: char16(units), value: utf16Text(units - 1) },
      { type: char16(units, { terminated: false }), value: utf16Text(units) },
      { type: be(char16(units)), value: utf16Text(units - 1) },
      { type: char32(units), value: utf16Text(units - 1) },
      { type: wchar(units), value: utf16Text(units - 1) },
      { type: shortString(units), value: ascii(units) },
    ),
  );

const bitFields: fc.Arbitrary<Sample> = fc
  .tuple(
    fc.constantFrom(u8, u16, u32, be(u16), be(u32)),
    fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 32 })), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([base, drawn]) => {
    const widths = drawn.map((width) => Math.min(width, 8 * base.size));
    const kept = widths.filter(
      (_, i) => widths.slice(0, i + 1).reduce((sum, width) => sum + width, 0) <= 8 * base.size,
    );
    const members = Object.fromEntries(kept.map((width, i) => [`m${i}`, width]));
    const values = Object.fromEntries(kept.map((width, i) => [`m${i}`, int(width, false)]));
    return { type: bits(base, members), value: fc.record(values) };
  });
const wideBits = fc
  .constantFrom<readonly [IntegerBase, number[]]>(
    [u64, [1, 63]],
    [u64, [33, 31]],
    [i64, [20, 20, 24]],
    [be(u64), [64]],
    [numbers.ulong, [1, 31]],
  )
  .map(([base, widths]): Sample => ({
    type: bits(base, Object.fromEntries(widths.map((width, i) => [`m${i}`, width]))),
    value: fc.record(Object.fromEntries(widths.map((width, i) => [`m${i}`, big(BigInt(width), false)]))),
  }));

const enums = fc.constantFrom<Sample>(
  { type: enumOf(u8, { Idle: 0, Run: 1, Fault: 7 }), value: fc.constantFrom('Idle', 'Run', 'Fault') },
  {
    type: enumOf(i32, { Low: -5, High: 9 }, { open: true }),
    value: fc.oneof(fc.constantFrom('Low', 'High'), fc.constant(77)),
  },
  { type: enumOf(be(u64), { A: 0n, B: 2n ** 63n }), value: fc.constantFrom('A', 'B') },
  { type: enumOf(numbers.ulong, { A: 0n, B: 3n }), value: fc.constantFrom('A', 'B') },
);

const opaque = fc
  .integer({ min: 1, max: 70 })
  .map((n): Sample => ({ type: bytes(n), value: fc.uint8Array({ minLength: n, maxLength: n }) }));

const padding = fc
  .integer({ min: 1, max: 9 })
  .map((n): Sample => ({ type: pad(n), value: fc.constant(undefined) }));

/** A struct of padding alone: reserved space that has a name. */
const reserved = padding.map(({ type }): Sample => ({
  type: struct<Fields>('Reserved', { p: type }),
  value: fc.constant({}),
}));

const leaf = fc.oneof(
  fc.constantFrom(...scalars),
  fc.constantFrom(...scalars).map(({ type, value }): Sample => ({ type: be(type), value })),
  texts,
  bitFields,
  wideBits,
  enums,
  opaque,
  reserved,
);

const packs: fc.Arbitrary<Pack | undefined> = fc.constantFrom(undefined, 1, 2, 4, 8, 16);

/** Field names: mostly plain, some that generated code must not trip over. */
const names = fc.uniqueArray(
  fc.oneof(
    { weight: 6, arbitrary: fc.stringMatching(/^[a-z][a-zA-Z0-9_]{0,6}$/) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'toString',
        'hasOwnProperty',
        'then',
        "it's",
        '"',
        '\\',
        '\u2028',
        '});throw 1;({',
        'a b',
        'é',
        'x0',
        'view',
      ),
    },
  ),
  { minLength: 6, maxLength: 6 },
);

interface Entry {
  readonly name: string;
  readonly sample: Sample;
}

const assemble = (
  entries: readonly Entry[],
  pack: Pack | undefined,
  abi: Abi | undefined,
): { readonly layout: Layout; readonly record: fc.Arbitrary<Record<string, unknown>> } => {
  const fields = Object.fromEntries(entries.map(({ name, sample }) => [name, sample.type])) as Fields;
  const layout = struct<Fields>('Sample', fields, {
    ...(pack === undefined ? {} : { pack }),
    ...(abi === undefined ? {} : { abi }),
  });
  const valued = entries.filter(({ sample }) => sample.type.kind !== 'pad');
  const record = fc
    .tuple(...valued.map(({ sample }) => sample.value))
    .map((values) => Object.fromEntries(valued.map(({ name }, i) => [name, values[i]])));
  return { layout, record };
};

/** A struct of a text, a byte string and a list whose lengths are in siblings, two of which share one. */
const counted: fc.Arbitrary<Sample> = fc
  .tuple(
    fc.constantFrom(u8, u16, be(u32), i32, u64, numbers.long),
    fc.constantFrom<Sample>(
      { type: u16, value: int(16, false) },
      { type: f64, value: fc.double() },
      { type: struct('Inner', { a: u8, t: utf8(4) }), value: fc.record({ a: int(8, false), t: ascii(3) }) },
    ),
    fc.integer({ min: 1, max: 12 }),
    fc.boolean(),
  )
  .map(([length, element, units, lengthLast]): Sample => {
    const holder = { n: length, m: u32 };
    const fields = {
      list: array(element.type, units, { length: 'n' }),
      raw: bytes(units, { length: 'n' }),
      text: char16(units, { length: 'm' }),
    };
    const type = struct<Fields>(
      'Counted',
      (lengthLast ? { ...fields, ...holder } : { ...holder, ...fields }) as never,
    );
    const wide = length === u64 || length === numbers.long;
    const value = fc
      .integer({ min: 0, max: units })
      .chain((n) =>
        fc.record({
          n: fc.constant(wide ? BigInt(n) : n),
          list: fc.array(element.value, { minLength: n, maxLength: n }),
          raw: fc.uint8Array({ minLength: n, maxLength: n }),
          text: utf16Text(units),
        }),
      )
      .map((record) => ({ ...record, m: record.text.length }));
    return { type, value };
  });

/** The `pack` of each union here, which its type does not tell. */
export const packOfUnion = new WeakMap<AnyType, Pack>();

/** Arbitrary field types, nested up to a small depth. */
const samplesOf = (withUnions: boolean): fc.Arbitrary<Sample> =>
  fc.letrec<{
    sample: Sample;
    struct: Sample;
    union: Sample;
  }>((tie) => ({
    sample: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.tuple(tie('sample'), fc.integer({ min: 1, max: 5 })).map(([{ type, value }, n]) => ({
        type: array(type, n),
        value: fc.array(value, { minLength: n, maxLength: n }),
      })),
      tie('struct'),
      ...(withUnions ? [tie('union')] : []),
      counted,
    ),
    // Written with one member, and read as an object of all of them.
    union: fc
      .tuple(fc.array(tie('sample'), { minLength: 1, maxLength: 3 }), names, packs, fc.nat(2))
      .map(([inner, [...called], pack, pick]) => {
        const untied = inner.filter(({ type }) => type.kind !== 'pad');
        const fields = Object.fromEntries(untied.map(({ type }, i) => [called[i] as string, type])) as Fields;
        const chosen = pick % untied.length;
        const { value } = untied[chosen] as Sample;
        const type = union<Fields>('Either', fields, pack === undefined ? {} : { pack });
        if (pack !== undefined) packOfUnion.set(type, pack);
        return {
          type,
          value: value.map((member) => ({ [called[chosen] as string]: member })),
        };
      }),
    struct: fc
      .tuple(fc.array(tie('sample'), { minLength: 1, maxLength: 4 }), names, packs)
      .map(([inner, [...called], pack]) => {
        const entries = inner.map((sample, i) => ({ name: called[i] as string, sample }));
        const { layout, record } = assemble(entries, pack, undefined);
        return { type: layout, value: record };
      }),
  })).sample;

interface LayoutWithRecord {
  readonly layout: Layout;
  readonly record: Record<string, unknown>;
}

const layoutsOf = (samples: fc.Arbitrary<Sample>): fc.Arbitrary<LayoutWithRecord> =>
  fc
    .tuple(
      fc.array(fc.oneof({ weight: 9, arbitrary: samples }, { weight: 1, arbitrary: padding }), {
        minLength: 1,
        maxLength: 6,
      }),
      names,
      packs,
      fc.constantFrom<Abi>('win64', 'win32', 'linux64', 'linux32'),
      samples,
    )
    .chain(([inner, called, pack, abi, last]) => {
      const entries = [...inner.slice(0, 5), last].map((sample, i) => ({
        name: called[i] as string,
        sample,
      }));
      const { layout, record } = assemble(entries, pack, abi);
      return record.map((value) => ({ layout, record: value }));
    });

/** An arbitrary layout without unions, together with one record of it, which a read gives back. */
export const layoutsWithRecords: fc.Arbitrary<LayoutWithRecord> = layoutsOf(samplesOf(false));

/** An arbitrary layout, unions at any depth, together with a record that can be written. */
export const layoutsWithUnions: fc.Arbitrary<LayoutWithRecord> = layoutsOf(samplesOf(true));

/** A layout with counted fields of its own, before or behind what counts them, together with one record of it. */
export const countedWithRecords: fc.Arbitrary<LayoutWithRecord> = counted.chain(({ type, value }) =>
  value.map((record) => ({ layout: type as Layout, record: record as Record<string, unknown> })),
);
