// What records are refused, and that generated code and the plain loop refuse the same ones with the same words.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecOf, referenceCodecOf, type RecordCodec } from '../../src/layout/codec.ts';
import { changedFields } from '../../src/layout/changes.ts';
import { array, bits, bytes, enumOf } from '../../src/layout/composites.ts';
import {
  bool,
  f32,
  f64,
  filetime,
  i16,
  i32,
  i64,
  i8,
  long,
  u16,
  u32,
  u64,
  u8,
} from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char16, utf8 } from '../../src/layout/text-types.ts';
import type { Fields, Layout } from '../../src/layout/types.ts';
import { layoutsWithRecords } from '../support/layout-arbitraries.ts';
import { withCode } from '../support/with-code.ts';

type Act = 'encode' | 'patch' | 'patchOrNothing';

const outcome = (
  codec: RecordCodec,
  layout: Layout,
  record: unknown,
  act: Act = 'encode',
  view = new DataView(new ArrayBuffer(layout.size)),
): string => {
  try {
    codec[act](view, 0, record);
    return 'written';
  } catch (error) {
    const { code, name, message } = error as { code?: string; name: string; message: string };
    return `${name} ${code}: ${message}`;
  }
};

/** Values that are wrong for most fields, and right for some. */
const oddValues = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    -1,
    1.5,
    2 ** 40,
    NaN,
    Infinity,
    -0,
    5n,
    -(2n ** 70n),
    true,
    '',
    'x'.repeat(300),
    '\ud800',
    'a\0b',
  ),
  fc.constantFrom<unknown>(
    [],
    {},
    [1, 2],
    { x: 1 },
    new Date(Number.NaN),
    new Uint8Array(3),
    new Float64Array(2),
    Symbol('odd'),
    () => 1,
    new DataView(new ArrayBuffer(1)),
  ),
);

/** Every path into a record that leads to a value. */
function pathsOf(record: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof record !== 'object' || record === null || record instanceof Date || ArrayBuffer.isView(record))
    return [path];
  const inner = Array.isArray(record)
    ? record.flatMap((value, i) => pathsOf(value, [...path, i]))
    : Object.entries(record).flatMap(([key, value]) => pathsOf(value, [...path, key]));
  return path.length === 0 ? inner : [path, ...inner];
}

/** Copies a record with another value at one path. */
function withValue(record: unknown, [step, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(record)) return record.with(Number(step), withValue(record[Number(step)], rest, value));
  return { ...(record as object), [step]: withValue((record as Record<string, unknown>)[step], rest, value) };
}

describe('refusals', () => {
  test('generated code and the plain loop refuse the same records with the same error', () => {
    fc.assert(
      fc.property(layoutsWithRecords, oddValues, fc.nat(), ({ layout, record }, value, pick) => {
        const paths = pathsOf(record);
        const path = paths[pick % Math.max(1, paths.length)] ?? [];
        const changed = withValue(record, path, value);
        expect(outcome(codecOf(layout), layout, changed)).toBe(
          outcome(referenceCodecOf(layout), layout, changed),
        );
      }),
      { numRuns: 1500 },
    );
  });

  test('a missing field, an unknown one and undefined are VALUE_TYPE and named', () => {
    fc.assert(
      fc.property(layoutsWithRecords, fc.nat(), ({ layout, record }, pick) => {
        const names = Object.keys(record);
        const name = names[pick % names.length] as string;
        const { [name]: _, ...without } = record;
        for (const codec of [codecOf(layout), referenceCodecOf(layout)]) {
          expect(outcome(codec, layout, without)).toMatch(/^ValueError VALUE_TYPE: cannot write Sample/);
          expect(outcome(codec, layout, { ...record, [name]: undefined })).toMatch(
            /^ValueError VALUE_TYPE: cannot write Sample/,
          );
          expect(outcome(codec, layout, { ...record, noSuchField: 1 })).toBe(
            'ValueError VALUE_TYPE: cannot write Sample.noSuchField: no such field',
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  const Every = struct('Every', {
    u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, bool, long, filetime,
    list: array(u16, 3), point: struct('Point', { x: f64 }), mode: enumOf(u8, { Off: 0, On: 1 }), open: enumOf(u8, { A: 1 }, { open: true }),
    flags: bits(u8, { ready: 1, level: 3 }), raw: bytes(2), name: utf8(4), wide: char16(4), either: union('Either', { a: u32, b: f32 }),
  }); // prettier-ignore
  const cases: readonly (readonly [path: string, value: unknown, text: string])[] = [
    ['u8', 256, 'VALUE_RANGE: cannot write Every.u8: expected an integer from 0 to 255, found 256'],
    ['u8', 1.5, 'VALUE_RANGE: cannot write Every.u8: expected an integer from 0 to 255, found 1.5'],
    ['i8', -129, 'VALUE_RANGE: cannot write Every.i8: expected an integer from -128 to 127, found -129'],
    ['u16', '7', 'VALUE_TYPE: cannot write Every.u16: expected a number, found "7"'],
    ['u32', 7n, 'VALUE_TYPE: cannot write Every.u32: expected a number, found 7n'],
    [
      'i32',
      Number.NaN,
      'VALUE_RANGE: cannot write Every.i32: expected an integer from -2147483648 to 2147483647, found NaN',
    ],
    ['u64', 7, 'VALUE_TYPE: cannot write Every.u64: expected a bigint, found 7'],
    [
      'u64',
      -1n,
      'VALUE_RANGE: cannot write Every.u64: expected an integer from 0 to 18446744073709551615, found -1n',
    ],
    [
      'i64',
      2n ** 63n,
      'VALUE_RANGE: cannot write Every.i64: expected an integer from -9223372036854775808 to 9223372036854775807, found 9223372036854775808n',
    ],
    [
      'f32',
      1e39,
      'VALUE_RANGE: cannot write Every.f32: expected a number that a 32-bit float can hold, found 1e+39',
    ],
    ['f64', null, 'VALUE_TYPE: cannot write Every.f64: expected a number, found null'],
    ['bool', 1, 'VALUE_TYPE: cannot write Every.bool: expected a boolean, found 1'],
    ['long', 1, 'VALUE_TYPE: cannot write Every.long: expected a bigint, found 1'],
    ['filetime', 0, 'VALUE_TYPE: cannot write Every.filetime: expected a Date, found 0'],
    [
      'filetime',
      new Date(Number.NaN),
      'VALUE_RANGE: cannot write Every.filetime: expected a valid Date, found an invalid one',
    ],
    ['list', [1, 2], 'VALUE_RANGE: cannot write Every.list: array has 2 elements, expected exactly 3'],
    [
      'list',
      new Uint16Array(4),
      'VALUE_RANGE: cannot write Every.list: array has 4 elements, expected exactly 3',
    ],
    [
      'list',
      [1, 2, 70_000],
      'VALUE_RANGE: cannot write Every.list[2]: expected an integer from 0 to 65535, found 70000',
    ],
    ['list', 'abc', 'VALUE_TYPE: cannot write Every.list: expected an array, found "abc"'],
    ['point', { x: 1, y: 2 }, 'VALUE_TYPE: cannot write Every.point.y: no such field'],
    ['point', {}, 'VALUE_TYPE: cannot write Every.point.x: missing, expected a value'],
    ['mode', 'Maybe', 'VALUE_RANGE: cannot write Every.mode: expected one of Off (0), On (1), found "Maybe"'],
    [
      'mode',
      1,
      'VALUE_TYPE: cannot write Every.mode: expected the name of a member (Off (0), On (1)), found 1',
    ],
    ['open', 300, 'VALUE_RANGE: cannot write Every.open: expected an integer from 0 to 255, found 300'],
    [
      'flags',
      { ready: 2, level: 0 },
      'VALUE_RANGE: cannot write Every.flags.ready: expected an integer from 0 to 1, found 2',
    ],
    ['flags', { ready: 1 }, 'VALUE_TYPE: cannot write Every.flags.level: expected a number, found undefined'],
    [
      'raw',
      new Uint8Array(3),
      'VALUE_RANGE: cannot write Every.raw: byte string is 3 bytes, expected exactly 2',
    ],
    ['raw', [1, 2], 'VALUE_TYPE: cannot write Every.raw: expected a Uint8Array, found an array'],
    [
      'name',
      'Café',
      'VALUE_TOO_LONG: cannot write Every.name: text is 5 bytes, expected at most 3 and a terminator',
    ],
    [
      'wide',
      'Café',
      'VALUE_TOO_LONG: cannot write Every.wide: text is 4 units of 2 bytes, expected at most 3 and a terminator',
    ],
    [
      'either',
      {},
      'VALUE_TYPE: cannot write Every.either: a union is written with exactly one member, found 0',
    ],
    [
      'either',
      { a: 1, b: 2 },
      'VALUE_TYPE: cannot write Every.either: a union is written with exactly one member, found 2',
    ],
    [
      'either',
      { a: -1 },
      'VALUE_RANGE: cannot write Every.either.a: expected an integer from 0 to 4294967295, found -1',
    ],
  ];
  test.each(cases)('%s = %s', (name, value, text) => {
    const record = { ...(Every.zero() as object), [name]: value };
    for (const codec of [codecOf(Every), referenceCodecOf(Every)])
      expect(outcome(codec, Every, record)).toBe(`ValueError ${text}`);
  });

  test('an error of the public encode leaves every byte as it was', () => {
    fc.assert(
      fc.property(layoutsWithRecords, oddValues, fc.nat(), ({ layout, record }, value, pick) => {
        const paths = pathsOf(record);
        const changed = withValue(record, paths[pick % Math.max(1, paths.length)] ?? [], value);
        const memory = new Uint8Array(layout.size).fill(0xcc);
        let refused = false;
        try {
          layout.encode(changed as never, memory);
        } catch {
          refused = true;
        }
        if (refused) expect(memory.every((byte) => byte === 0xcc)).toBe(true);
        else expect(layout.fields.length).toBeGreaterThan(0);
      }),
      { numRuns: 400 },
    );
  });

  test('a value that changes while it is read is refused, not half written', () => {
    const Pair = struct('Pair', { a: u8, b: u8 });
    let reads = 0;
    const shifty = { a: 1, get b() { return reads++ === 0 ? 900 : 1; } }; // prettier-ignore
    expect(() => codecOf(Pair).encode(new DataView(new ArrayBuffer(2)), 0, shifty)).toThrow(
      withCode('VALUE_TYPE'),
    );
  });
});

/** Leaves keys out of a record and of the records in it. */
function partOf(record: unknown, keep: Iterator<boolean>): unknown {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return record;
  if (record instanceof Date || ArrayBuffer.isView(record)) return record;
  const kept = Object.entries(record).filter(() => keep.next().value === true);
  return Object.fromEntries(kept.map(([key, value]) => [key, partOf(value, keep)]));
}

describe('patch', () => {
  test('generated code and the plain loop accept the same patches, refuse the same with the same error, and write the same bytes', () => {
    fc.assert(
      fc.property(
        layoutsWithRecords,
        fc.infiniteStream(fc.boolean()),
        fc.option(fc.tuple(oddValues, fc.nat())),
        fc.constantFrom<Act>('patch', 'patchOrNothing'),
        ({ layout, record }, keep, odd, act) => {
          const part = partOf(record, keep);
          const paths = pathsOf(part);
          const path = odd === null ? [] : (paths[odd[1] % Math.max(1, paths.length)] ?? []);
          const patch = odd === null ? part : withValue(part, path, odd[0]);
          const views = [codecOf(layout), referenceCodecOf(layout)].map((codec) => {
            const view = new DataView(new ArrayBuffer(layout.size));
            new Uint8Array(view.buffer).fill(0xa5);
            return { view, said: outcome(codec, layout, patch, act, view) };
          });
          expect(views[0]?.said).toBe(views[1]?.said);
          const bytesOf = (i: number): Uint8Array => new Uint8Array(views[i]?.view.buffer as ArrayBuffer);
          if (views[0]?.said === 'written') expect(bytesOf(0)).toEqual(bytesOf(1));
          else if (act === 'patchOrNothing') expect(bytesOf(0).every((byte) => byte === 0xa5)).toBe(true);
        },
      ),
      { numRuns: 800 },
    );
  });

  test('a length is not left behind when a text is refused beside it', () => {
    const Note = struct('Note', { n: u8, text: utf8(8, { length: 'n' }), title: utf8(4), id: u32 });
    const memory = new Uint8Array(Note.size).fill(7);
    expect(() => Note.encode({ text: 'abc', title: 'too long', id: 1 }, memory)).toThrow(
      'cannot write Note.title: text is 8 bytes, expected at most 3 and a terminator',
    );
    expect(memory.every((byte) => byte === 7)).toBe(true);
    Note.encode({ text: 'abc' }, memory);
    expect([...memory.subarray(0, 9)]).toEqual([3, 97, 98, 99, 0, 0, 0, 0, 0]);
    expect(() => Note.encode({ n: 9 }, memory)).toThrow('its length in n is 9, expected 0 to 8');
    expect(() => Note.encode([] as never, memory)).toThrow(
      'cannot write Note: expected an object, found an array',
    );
  });

  test('a patch changes the fields it names and no other byte', () => {
    fc.assert(
      fc.property(layoutsWithRecords, fc.infiniteStream(fc.boolean()), ({ layout, record }, keep) => {
        const named = Object.fromEntries(Object.entries(record).filter(() => keep.next().value === true));
        const memory = new Uint8Array(layout.size).fill(0xa5);
        layout.encode(named, memory);
        const whole = new Uint8Array(layout.size);
        codecOf(layout).encode(new DataView(whole.buffer), 0, record);
        for (const { name, offset, size } of layout.fields as readonly {
          name: string;
          offset: number;
          size: number;
        }[]) {
          const bytesThere = memory.subarray(offset, offset + size);
          if (!(name in named)) expect([...bytesThere].every((byte) => byte === 0xa5)).toBe(true);
        }
        const back = layout.decode(whole) as Record<string, unknown>;
        for (const name of Object.keys(named)) expect(back[name]).toEqual(named[name]);
      }),
      { numRuns: 200 },
    );
  });

  test('the changes of a draft, patched into the old bytes, give the bytes of the draft', () => {
    fc.assert(
      fc.property(
        layoutsWithRecords.chain(({ layout, record }) =>
          fc.record({
            layout: fc.constant(layout),
            before: fc.constant(record),
            keys: fc.subarray(Object.keys(record)),
          }),
        ),
        ({ layout, before, keys }) => {
          const [old, direct] = [
            new DataView(new ArrayBuffer(layout.size)),
            new DataView(new ArrayBuffer(layout.size)),
          ];
          codecOf(layout).encode(old, 0, before);
          const zero = layout.zero() as Record<string, unknown>;
          const draft = { ...before, ...Object.fromEntries(keys.map((key) => [key, zero[key]])) };
          codecOf(layout).encode(direct, 0, draft);
          const patch = changedFields(layout, before, draft);
          if (patch !== undefined) codecOf(layout).patch(old, 0, patch);
          expect(new Uint8Array(old.buffer)).toEqual(new Uint8Array(direct.buffer));
          expect(changedFields(layout, before, before)).toBeUndefined();
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a length follows the changed text of a draft that still has the old length', () => {
    const Note = struct('Note', { n: u32, text: utf8(8, { length: 'n' }) });
    const before = { n: 3, text: 'abc' };
    expect(changedFields(Note, before, { n: 3, text: 'abcde' })).toEqual({ text: 'abcde' });
    expect(changedFields(Note, before, { n: 3, text: 'xyz' })).toEqual({ text: 'xyz' });
    expect(changedFields(Note, before, { n: 2, text: 'abc' })).toEqual({ n: 2, text: 'abc' });
    expect(changedFields(Note, before, { n: 3 })).toEqual({ text: undefined });
  });

  test('names of Object.prototype are no fields that a patch gives', () => {
    const Odd = struct<Fields>('Odd', { toString: u8, valueOf: u8, a: u8 } as never);
    const memory = new Uint8Array(3).fill(9);
    Odd.encode({ a: 1 }, memory);
    expect([...memory]).toEqual([9, 9, 1]);
  });

  test('bits without a name stay in a patch and are 0 in a whole write', () => {
    const Flags = struct('Flags', { flags: bits(u8, { low: 1, mode: 3 }) });
    const memory = new Uint8Array(1).fill(0xff);
    Flags.encode({ flags: { low: 0, mode: 2 } }, memory);
    expect(memory[0]).toBe(0xf4);
    codecOf(Flags).encode(new DataView(memory.buffer), 0, { flags: { low: 0, mode: 2 } });
    expect(memory[0]).toBe(0x04);
  });
});
