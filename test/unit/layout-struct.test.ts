// What a layout says about itself, and the values of each kind of field at their edges.
import { describe, expect, test } from 'vitest';
import { codecOf, referenceCodecOf, zeroDecodes } from '../../src/layout/codec.ts';
import { array, bits, bytes, enumOf, pad } from '../../src/layout/composites.ts';
import { fieldAccess } from '../../src/layout/field-access.ts';
import {
  be,
  bool,
  bool32,
  byteBool,
  f32,
  f64,
  filetime,
  i32,
  i8,
  long,
  longBool,
  pointer,
  sizeT,
  tDateTime,
  timeT,
  u16,
  u32,
  u64,
  u8,
  unixMs,
  wordBool,
} from '../../src/layout/numbers.ts';
import { sha256Hex } from '../../src/layout/sha256.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char, char16, char32, shortString, utf8, wchar } from '../../src/layout/text-types.ts';
import type { AnyType, Fields, Layout } from '../../src/layout/types.ts';
import { withCode } from '../support/with-code.ts';

const Quote = struct(
  'Quote',
  { symbol: utf8(12), bid: f64, ask: f64, tick: u64, depth: array(f64, 5) },
  { abi: 'linux64' },
);
const quote = { symbol: 'ACME', bid: 10.25, ask: 10.5, tick: 1n, depth: [5, 4, 3, 2, 1] };

/** Encodes one value into a struct of one field and gives its bytes. */
function bytesOf(type: AnyType, value: unknown): number[] {
  const layout = struct<Fields>('One', { value: type });
  const memory = new Uint8Array(layout.size).fill(0xcc);
  codecOf(layout).encode(new DataView(memory.buffer), 0, { value });
  return [...memory];
}
const read = (type: AnyType, memory: readonly number[]): unknown =>
  (struct<Fields>('One', { value: type }).decode(Uint8Array.from(memory)) as { value: unknown }).value;

describe('a layout', () => {
  test('knows its size, alignment, ABI and fields', () => {
    expect([Quote.name, Quote.size, Quote.align, Quote.abi, Quote.pack]).toEqual([
      'Quote',
      80,
      8,
      'linux64',
      undefined,
    ]);
    expect(Quote.offsets).toEqual({ symbol: 0, bid: 16, ask: 24, tick: 32, depth: 40 });
    expect(Quote.fields.map(({ name, offset, size, align }) => [name, offset, size, align])).toEqual([
      ['symbol', 0, 12, 1], ['bid', 16, 8, 8], ['ask', 24, 8, 8], ['tick', 32, 8, 8], ['depth', 40, 40, 8],
    ]); // prettier-ignore
    expect(Quote.fields[1]!.type).toBe(f64);
  });

  test('is frozen through and through', () => {
    for (const value of [Quote, Quote.fields, Quote.fields[0], Quote.offsets, u8, array(u8, 2), utf8(3)])
      expect(Object.isFrozen(value)).toBe(true);
  });

  test('lists padding in its fields, not in its offsets or records', () => {
    const Padded = struct('Padded', { a: u8, _skip: pad(3), b: u8 });
    expect(Padded.fields.map(({ name }) => name)).toEqual(['a', '_skip', 'b']);
    expect(Padded.offsets).toEqual({ a: 0, b: 4 });
    expect(Padded.zero()).toEqual({ a: 0, b: 0 });
    expect(() => Padded.encode({ _skip: 1 } as never, new ArrayBuffer(5))).toThrow(
      'cannot write Padded._skip: no such field',
    );
  });

  test('describes itself as a table', () => {
    expect(Quote.describe()).toBe(`Quote: 80 bytes, aligned to 8, linux64
  offset  size  field   type
       0    12  symbol  utf-8 text of 12 bytes with terminator
      16     8  bid     f64
      24     8  ask     f64
      32     8  tick    u64
      40    40  depth   5 of f64
`);
  });

  test('asserts a size, and pads the end of a pinned struct', () => {
    expect(struct('S', { text: char16(4096) }, { size: 8192 }).size).toBe(8192);
    expect(() => struct('S', { text: char16(4096) }, { size: 8190 })).toThrow(
      'cannot lay out S: its size is 8192 bytes, expected 8190',
    );
    expect(struct('S', { a: u8, b: u32 }, { offsets: { b: 5 }, size: 32 })).toMatchObject({
      size: 32,
      align: 1,
      offsets: { a: 0, b: 5 },
    });
    expect(() => struct('S', { a: u8, b: u32 }, { offsets: { b: 5 }, size: 8 })).toThrow(
      'cannot lay out S: its size is 9 bytes, expected 8',
    );
    expect(() => struct('S', { a: u32, b: u32 }, { offsets: { b: 2 } })).toThrow(
      'cannot lay out S.b: it starts at byte 2, but a ends at byte 4',
    );
  });

  test('tells the alignment that a pinned place keeps', () => {
    const aligns = [0, 1, 2, 4, 6, 8, 12, 16].map(
      (at) => struct('S', { a: u64 }, { abi: 'linux64', offsets: { a: at } }).fields[0]!.align,
    );
    expect(aligns).toEqual([8, 1, 2, 4, 2, 8, 4, 8]);
    expect(struct('S', { a: u64 }, { abi: 'linux64', offsets: { a: 8 }, size: 20 }).align).toBe(4);
  });

  test('goes to another ABI unless its size or offsets are pinned', () => {
    const Words = struct(
      'Words',
      { a: u8, n: long, p: pointer, t: timeT, s: sizeT, w: wchar(3) },
      { abi: 'linux64' },
    );
    expect(Words.on('win64').offsets).toEqual({ a: 0, n: 4, p: 8, t: 16, s: 24, w: 32 });
    expect(Words.on('win32').offsets).toEqual({ a: 0, n: 4, p: 8, t: 12, s: 16, w: 20 });
    expect(Words.on('linux32')).toMatchObject({ size: 32, abi: 'linux32' });
    expect(Words.on('linux64')).toBe(Words);
    expect(Words.on('win64').on('linux64')).toBe(Words);
    const pinned = struct('Pinned', { a: u8 }, { abi: 'win64', size: 1 });
    expect(() => pinned.on('linux64')).toThrow(
      'cannot lay out Pinned for linux64: its size is pinned for win64',
    );
    expect(() => struct('Outer', { pinned }, { abi: 'linux64' })).toThrow(
      'cannot lay out Pinned for linux64: its size is pinned for win64',
    );
    expect(() => Words.on('macos' as never)).toThrow('abi must be win64, win32, linux64, linux32');
  });

  test('gives nested structs the outermost ABI', () => {
    const Inner = struct('Inner', { n: long }, { abi: 'linux64' });
    const Outer = struct('Outer', { list: array(Inner, 2), one: Inner }, { abi: 'win64' });
    expect([Inner.size, Outer.size]).toEqual([8, 12]);
    expect(Outer.fields[1]!.type).toMatchObject({ name: 'Inner', size: 4, abi: 'win64' });
  });

  test.each(['win64', 'win32', 'linux64', 'linux32'] as const)(
    'gives nested structs with pins and no abi the outermost ABI: %s',
    (abi) => {
      const wide = abi === 'linux64' ? 8 : 4;
      const Sized = struct('Sized', { a: u32 }, { size: 4 });
      const Pinned = struct('Pinned', { a: u8, n: long }, { offsets: { n: 3 }, size: 12 });
      const either = union('Either', { it: Pinned, list: array(Sized, 2) });
      const Outer = struct('Outer', { sized: Sized, pinned: Pinned, either }, { abi });
      expect(Outer).toMatchObject({ abi, offsets: { sized: 0, pinned: 4, either: 16 }, size: 28 });
      const nested = Outer.fields[1]!.type as Layout;
      expect(nested).toMatchObject({ abi, size: 12, offsets: { a: 0, n: 3 } });
      expect(nested.fields[1]!.size).toBe(wide);
      const other = abi === 'win32' ? 'win64' : 'win32';
      for (const layout of [nested, Outer]) expect(layout.on(abi)).toBe(layout);
      expect(() => nested.on(other)).toThrow(
        `cannot lay out Pinned for ${other}: its size is pinned for ${abi}`,
      );
      expect(() => Outer.on(other)).toThrow(
        `cannot lay out Sized for ${other}: its size is pinned for ${abi}`,
      );
      const InUnion = struct('InUnion', { either }, { abi });
      expect(() => InUnion.on(other)).toThrow(`cannot lay out Pinned for ${other}`);
    },
  );

  test('checks the size of a nested struct for the outermost ABI', () => {
    const { size } = wchar(2);
    const Sized = struct('Sized', { text: wchar(2) }, { size });
    const other = size === 8 ? 'win64' : 'linux64';
    expect(() => struct('Outer', { sized: Sized }, { abi: other })).toThrow(
      `cannot lay out Sized for ${other}: its size is ${size === 8 ? 4 : 8} bytes, expected ${size}`,
    );
  });

  test('has one digest for equal memory, another for any difference', () => {
    const same = [
      struct('Named otherwise', { a: long, t: wchar(3) }, { abi: 'linux64' }),
      struct('S', { a: long, t: wchar(3) }, { abi: 'linux64', pack: 8 }),
      struct('S', { a: long, t: wchar(3, { onOverflow: 'truncate' }), _end: pad(4) }, { abi: 'linux64' }),
    ];
    expect(new Set(same.map(({ digest }) => digest)).size).toBe(1);
    expect(same[0]!.digest).toMatch(/^[0-9a-f]{32}$/);
    const different = [
      struct('S', { a: u8 }), struct('S', { b: u8 }), struct('S', { a: i8 }), struct('S', { a: bool }), struct('S', { a: byteBool }),
      struct('S', { a: enumOf(u8, { X: 0 }) }), struct('S', { a: enumOf(u8, { Y: 0 }) }), struct('S', { a: bits(u8, { x: 1 }) }),
      struct('S', { a: u16 }), struct('S', { a: be(u16) }), struct('S', { a: bytes(2) }), struct('S', { a: char(2) }), struct('S', { a: utf8(2) }),
      struct('S', { a: char(2, { encoding: 'gbk' }) }), struct('S', { a: char(2, { terminated: false }) }), struct('S', { a: array(u8, 2) }),
    ]; // prettier-ignore
    expect(new Set(different.map(({ digest }) => digest)).size).toBe(different.length);
  });

  test('has a digest that never changes between versions', () => {
    expect(Quote.digest).toBe('e1b148d6f9082b52b67db2e4f38102e8');
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  test('encodes a nested partial and decodes a plain object', () => {
    const memory = new ArrayBuffer(100);
    Quote.encode(quote, memory, 20);
    Quote.encode({ ask: 11 }, memory, 20);
    expect(Quote.decode(memory, 20)).toEqual({ ...quote, ask: 11 });
    expect(Object.getPrototypeOf(Quote.decode(memory, 20))).toBe(Object.prototype);
    expect(() => Quote.encode({ bid: undefined } as never, memory)).toThrow(
      'cannot write Quote.bid: expected a value, found undefined',
    );
    expect(() => Quote.encode({ symbol: 'abcdefghijklmn' }, memory)).toThrow(
      'cannot write Quote.symbol: text is 14 bytes, expected at most 11 and a terminator',
    );
  });
});

describe('zero', () => {
  test('is what zeroed memory reads as', () => {
    const All = struct('All', {
      n: u8,
      big: u64,
      real: f32,
      yes: bool,
      text: utf8(3),
      raw: bytes(2),
      list: array(i32, 2),
      at: unixMs,
      flags: bits(u8, { a: 1 }),
    });
    expect(All.zero()).toEqual(All.decode(new ArrayBuffer(All.size)));
    expect(zeroDecodes(All)).toBe(true);
  });

  test('gives the first member of a closed enum without a 0', () => {
    const Mode = struct('Mode', {
      mode: enumOf(u8, { Slow: 3, Fast: 7 }),
      any: enumOf(u8, { Some: 1 }, { open: true }),
    });
    expect(Mode.zero()).toEqual({ mode: 'Slow', any: 0 });
    expect(zeroDecodes(Mode)).toBe(false);
    expect(zeroDecodes(struct('Outer', { list: array(Mode, 2) }))).toBe(false);
  });

  test('gives each caller objects of its own', () => {
    const record = Quote.zero();
    record.depth[0] = 9;
    expect(Quote.zero().depth[0]).toBe(0);
  });
});

describe('values', () => {
  test('booleans write the true of their kind and read any non-zero as true', () => {
    const types = [
      [bool, [1]],
      [bool32, [1, 0, 0, 0]],
      [byteBool, [255]],
      [wordBool, [255, 255]],
      [longBool, [255, 255, 255, 255]],
      [be(bool32), [0, 0, 0, 1]],
    ] as const;
    for (const [type, stored] of types) {
      expect(bytesOf(type, true)).toEqual(stored);
      expect(bytesOf(type, false)).toEqual(stored.map(() => 0));
      expect(
        read(
          type,
          stored.map((_, i) => (i === stored.length - 1 ? 0x80 : 0)),
        ),
      ).toBe(true);
    }
  });

  test('times are what Windows, Delphi and Unix store', () => {
    const moment = new Date('2001-09-09T01:46:40.250Z');
    expect(new DataView(Uint8Array.from(bytesOf(filetime, moment)).buffer).getBigUint64(0, true)).toBe(
      126_444_736_002_500_000n,
    );
    expect(
      new DataView(Uint8Array.from(bytesOf(tDateTime, new Date('1899-12-31T06:00:00Z'))).buffer).getFloat64(
        0,
        true,
      ),
    ).toBe(1.25);
    expect(
      new DataView(Uint8Array.from(bytesOf(tDateTime, new Date('1899-12-29T06:00:00Z'))).buffer).getFloat64(
        0,
        true,
      ),
    ).toBe(-1.25);
    expect(new DataView(Uint8Array.from(bytesOf(unixMs, new Date(-5))).buffer).getBigInt64(0, true)).toBe(
      -5n,
    );
    expect(struct('S', { a: u8, at: filetime }).offsets.at).toBe(4);
    expect((read(unixMs, [0, 0, 0, 0, 0, 0, 0, 0x7f]) as Date).getTime()).toBeNaN();
  });

  test('times beyond what is stored are refused', () => {
    expect(() => bytesOf(filetime, new Date('1600-12-31T23:59:59Z'))).toThrow(withCode('VALUE_RANGE'));
    expect(() => bytesOf(tDateTime, new Date('+010000-01-01T00:00:00Z'))).toThrow(withCode('VALUE_RANGE'));
  });

  test('bit fields fill their unit from the least significant bit', () => {
    expect(bytesOf(bits(u16, { a: 4, b: 12 }), { a: 1, b: 0 })).toEqual([1, 0]);
    expect(bytesOf(be(bits(u16, { a: 4, b: 12 })), { a: 1, b: 0 })).toEqual([0, 1]);
    expect(bytesOf(bits(u32, { a: 32 }), { a: 0xffff_ffff })).toEqual([255, 255, 255, 255]);
    expect(bytesOf(bits(u64, { a: 1, b: 63 }), { a: 1n, b: 2n ** 63n - 1n })).toEqual([
      255, 255, 255, 255, 255, 255, 255, 255,
    ]);
    expect(read(bits(i32, { low: 31, sign: 1 }), [0xff, 0xff, 0xff, 0xff])).toEqual({
      low: 0x7fff_ffff,
      sign: 1,
    });
    expect(read(bits(long, { a: 3 }), [7, 0, 0, 0, 0, 0, 0, 0])).toEqual({ a: 7n });
  });

  test('enums read names, open ones also numbers; two names of a value read as the first', () => {
    const Mode = enumOf(u8, { Off: 0, On: 1, Ein: 1 });
    expect(bytesOf(Mode, 'Ein')).toEqual([1]);
    expect(read(Mode, [1])).toBe('On');
    expect(() => read(Mode, [2])).toThrow(
      'cannot read One.value: expected one of Off (0), On (1), Ein (1), found 2',
    );
    expect(read(enumOf(u8, { Off: 0 }, { open: true }), [2])).toBe(2);
    expect(bytesOf(enumOf(u8, { Off: 0 }, { open: true }), 0)).toEqual([0]);
    expect(read(enumOf(be(u16), { Big: 258 }), [1, 2])).toBe('Big');
  });

  test('arrays take typed arrays of exactly their length', () => {
    expect(bytesOf(array(u16, 2), Uint16Array.of(1, 2))).toEqual([1, 0, 2, 0]);
    expect(bytesOf(array(u64, 1), BigUint64Array.of(1n))).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect(bytesOf(array(array(u8, 2), 2), [Uint8Array.of(1, 2), [3, 4]])).toEqual([1, 2, 3, 4]);
    expect(bytesOf(array(u8, 40), new Uint8Array(40).fill(7))).toEqual(Array.from({ length: 40 }, () => 7));
    expect(() => bytesOf(array(u64, 1), Uint8Array.of(1))).toThrow(
      'cannot write One.value[0]: expected a bigint, found 1',
    );
  });

  test('bytes are a copy in both directions', () => {
    const layout = struct('Raw', { raw: bytes(2) });
    const source = Uint8Array.of(1, 2);
    const memory = new ArrayBuffer(2);
    layout.encode({ raw: source }, memory);
    source[0] = 9;
    const { raw } = layout.decode(memory);
    raw[1] = 9;
    expect(layout.decode(memory).raw).toEqual(Uint8Array.of(1, 2));
  });

  test('big-endian reaches into arrays and text, leaves single bytes, refuses structs', () => {
    expect(bytesOf(be(array(u16, 2)), [1, 2])).toEqual([0, 1, 0, 2]);
    expect(bytesOf(be(char16(2)), 'A')).toEqual([0, 65, 0, 0]);
    expect(be(u8)).toBe(u8);
    expect(be(be(u16)).size).toBe(2);
    expect(() => be(Quote as AnyType)).toThrow(/cannot be stored big-endian/);
    expect(() => be({} as never)).toThrow(withCode('LAYOUT_FIELD_INVALID'));
  });

  test('two fields may share one length, and must agree', () => {
    const Pairs = struct('Pairs', {
      n: u8,
      xs: array(u8, 3, { length: 'n' }),
      ys: array(u8, 3, { length: 'n' }),
    });
    const memory = new Uint8Array(7).fill(9);
    Pairs.encode({ xs: [1, 2], ys: [3, 4] }, memory);
    expect([...memory]).toEqual([2, 1, 2, 0, 3, 4, 0]);
    expect(() => Pairs.encode({ xs: [1], ys: [1, 2] }, memory)).toThrow(withCode('VALUE_RANGE'));
    expect(() => Pairs.encode({ xs: [1, 2, 3, 4] }, memory)).toThrow(
      'cannot write Pairs.xs: array has 4 elements, expected at most 3',
    );
  });

  test('a list in an old record grows and shrinks with its length, and stays the same list', () => {
    const List = struct('List', {
      n: u8,
      items: array(u16, 4, { length: 'n' }),
      raw: bytes(3, { length: 'm' }),
      m: u8,
    });
    for (const codec of [codecOf(List), referenceCodecOf(List)]) {
      const view = new DataView(new ArrayBuffer(List.size));
      const target = List.zero();
      const { items } = target;
      for (const count of [3, 1, 4, 0, 2]) {
        const record = {
          items: Array.from({ length: count }, (_, i) => i + count),
          raw: new Uint8Array(Math.min(count, 3)).fill(count),
        };
        codec.encode(view, 0, record);
        codec.decodeInto(view, 0, target);
        expect(target).toEqual({ ...record, n: count, m: Math.min(count, 3) });
        expect(target.items).toBe(items);
      }
    }
  });

  test('a length may be a bigint, big-endian, or behind the field it counts', () => {
    const Late = struct('Late', { text: shortString(3), raw: bytes(4, { length: 'n' }), n: be(u64) });
    for (const codec of [codecOf(Late), referenceCodecOf(Late)]) {
      const view = new DataView(new ArrayBuffer(Late.size));
      codec.encode(view, 0, { text: 'a', raw: Uint8Array.of(5, 6) });
      expect(view.getBigUint64(Late.offsets.n)).toBe(2n);
      expect(codec.decode(view, 0)).toEqual({ text: 'a', raw: Uint8Array.of(5, 6), n: 2n });
      view.setBigUint64(Late.offsets.n, 5n);
      expect(() => codec.decode(view, 0)).toThrow(
        'cannot read Late.raw: its length in n is 5, expected 0 to 4',
      );
    }
  });
});

describe('fieldAccess', () => {
  const Mixed = struct(
    'Mixed',
    { n: u32, big: be(u16), wide: long, real: f64, text: utf8(4), len: u8, raw: bytes(4, { length: 'len' }) },
    { abi: 'win64' },
  );
  const view = new DataView(new ArrayBuffer(Mixed.size + 8));

  test('reads one field of a record anywhere', () => {
    Mixed.encode({ n: 5, big: 6, wide: -7n, real: 8.5, text: 'abc', raw: Uint8Array.of(1) }, view, 8);
    const values = Object.keys(Mixed.offsets).map((name) => fieldAccess(Mixed, name).read(view, 8));
    expect(values).toEqual([5, 6, -7n, 8.5, 'abc', 1, Uint8Array.of(1)]);
    expect(() => fieldAccess(Mixed, 'nope')).toThrow(withCode('VALUE_TYPE'));
  });

  test('tells which column it makes', () => {
    expect(['n', 'big', 'wide', 'text'].map((name) => fieldAccess(Mixed, name).values)).toEqual([
      Uint32Array,
      Uint16Array,
      BigInt64Array,
      undefined,
    ]);
  });

  test('adds to integers within their range, and to nothing else', () => {
    fieldAccess(Mixed, 'big').add?.(view, 8, 250);
    fieldAccess(Mixed, 'wide').add?.(view, 8, 10n);
    expect([fieldAccess(Mixed, 'big').read(view, 8), fieldAccess(Mixed, 'wide').read(view, 8)]).toEqual([
      256,
      3n,
    ]);
    expect([fieldAccess(Mixed, 'real').add, fieldAccess(Mixed, 'text').add]).toEqual([undefined, undefined]);
    const { add } = fieldAccess(Mixed, 'n');
    expect(() => add?.(view, 8, -6)).toThrow('cannot add to Mixed.n: sum is -1, expected 0 to 4294967295');
    for (const delta of ['1', 1n, 0.5, undefined])
      expect(() => add?.(view, 8, delta)).toThrow(withCode('VALUE_TYPE'));
    expect(fieldAccess(Mixed, 'n').read(view, 8)).toBe(5);
  });
});

describe('a text with a length', () => {
  const long = (text: string, units: number) => text.repeat(units);

  test.each([
    ['u8', u8, utf8(400, { length: 'n', onOverflow: 'truncate' }), long('é', 200), 254, long('é', 127)],
    ['i8', i8, char(400, { length: 'n', onOverflow: 'truncate' }), long('x', 300), 127, long('x', 127)],
    ['u8', u8, char16(400, { length: 'n', onOverflow: 'truncate' }), long('😀', 128), 254, long('😀', 127)],
    ['u8', u8, char32(400, { length: 'n', onOverflow: 'truncate' }), long('😀', 256), 255, long('😀', 255)],
    ['u16', u16, utf8(400, { length: 'n', onOverflow: 'truncate' }), long('x', 401), 400, long('x', 400)],
  ] as const)('is cut to what a %s can count, at a character boundary', (_, holder, type, text, n, kept) => {
    const Note = struct<Fields>('Note', { n: holder, s: type, z: u8 });
    for (const codec of [codecOf(Note), referenceCodecOf(Note)]) {
      for (const write of ['encode', 'patch', 'patchOrNothing'] as const) {
        const view = new DataView(new ArrayBuffer(Note.size));
        codec[write](view, 0, { s: text, z: 9 });
        expect(codec.decode(view, 0)).toEqual({ n, s: kept, z: 9 });
      }
    }
    const live = Note.view(new ArrayBuffer(Note.size)) as unknown as { n: number; s: string };
    live.s = text;
    expect([live.n, live.s]).toEqual([n, kept]);
  });

  test('is refused if its length cannot be counted and it may not be cut', () => {
    const Note = struct('Note', { n: u8, s: utf8(400, { length: 'n' }) });
    for (const codec of [codecOf(Note), referenceCodecOf(Note)]) {
      expect(() => codec.encode(new DataView(new ArrayBuffer(401)), 0, { s: long('x', 256) })).toThrow(
        expect.objectContaining({
          code: 'VALUE_TOO_LONG',
          message: 'cannot write Note.s: text is 256 bytes, expected at most 255',
        }),
      );
    }
  });

  test('has a length that no addition takes beyond it', () => {
    const Note = struct('Note', { n: i8, s: utf8(4, { length: 'n' }) });
    const view = new DataView(new ArrayBuffer(Note.size));
    const { add } = fieldAccess(Note, 'n');
    add?.(view, 0, 4);
    for (const delta of [1, -5]) expect(() => add?.(view, 0, delta)).toThrow(withCode('VALUE_RANGE'));
    expect(view.getInt8(0)).toBe(4);
  });
});

describe('pins out of order', () => {
  test('give what a definition in memory order gives: fields, digest, records', () => {
    const Pinned = struct('A', { a: u32, b: u32, gap: pad(4) }, { offsets: { a: 8, b: 0, gap: 4 } });
    const Plain = struct('B', { b: u32, gap: pad(4), a: u32 });
    expect(Pinned.fields.map(({ name, offset }) => [name, offset])).toEqual([
      ['b', 0],
      ['gap', 4],
      ['a', 8],
    ]);
    expect([Pinned.digest, Pinned.size]).toEqual([Plain.digest, Plain.size]);
    const memory = new Uint8Array(12);
    Pinned.encode({ a: 1, b: 2 }, memory);
    expect(Object.entries(Plain.decode(memory))).toEqual(Object.entries(Pinned.decode(memory)));
    expect(Pinned.describe()).toBe(Plain.describe().replace(/^B/, 'A'));
    const Either = union('U', { wide: u32, byte: u8 });
    expect(struct('S', { u: Either }).digest).not.toBe(
      struct('S', { u: union('U', { byte: u8, wide: u32 }) }).digest,
    );
  });
});
