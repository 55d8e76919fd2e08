// Live views: what they show, what they change, and what they refuse.
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { array, bits, bytes, enumOf, pad } from '../../src/layout/composites.ts';
import {
  be,
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
  wordBool,
} from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char16, utf8 } from '../../src/layout/text-types.ts';
import type { Fields } from '../../src/layout/types.ts';
import { withCode } from '../support/with-code.ts';

const Point = struct('Point', { x: f64, y: f64 });
const Sensor = struct('Sensor', {
  id: u32,
  _gap: pad(4),
  pos: Point,
  trace: array(Point, 2),
  grid: array(array(i16, 2), 2),
  flags: bits(u16, { ready: 1, mode: 3 }),
  caps: bits(u64, { low: 1, high: 63 }),
  value: union('Value', { real: f64, word: u64, halves: array(u32, 2) }),
  name: utf8(8),
  title: char16(4),
  state: enumOf(u8, { Idle: 0, Run: 1 }),
  live: bool,
  stamp: filetime,
  raw: bytes(3),
  total: be(u32),
  count: u16,
  samples: array(u8, 4, { length: 'count' }),
  size: long,
});
const fresh = () => {
  const memory = new ArrayBuffer(2 * Sensor.size);
  return { memory, view: Sensor.view(memory) };
};

describe('view', () => {
  test('each set writes the memory, each get reads it', () => {
    const { memory, view } = fresh();
    view.id = 7;
    view.pos.x = 1.5;
    view.trace[1]!.y = 2.5;
    view.grid[1]![0] = -3;
    view.name = 'abc';
    view.title = 'é';
    view.state = 'Run';
    view.live = true;
    view.stamp = new Date(0);
    view.raw = Uint8Array.of(1, 2, 3);
    view.total = 0x01020304;
    view.size = -5n;
    expect(Sensor.decode(memory)).toMatchObject({
      id: 7,
      pos: { x: 1.5, y: 0 },
      trace: [{ x: 0, y: 0 }, { x: 0, y: 2.5 }],
      grid: [[0, 0], [-3, 0]],
      name: 'abc',
      title: 'é',
      state: 'Run',
      live: true,
      stamp: new Date(0),
      raw: Uint8Array.of(1, 2, 3),
      total: 0x01020304,
      size: -5n,
    }); // prettier-ignore
    new DataView(memory).setUint32(Sensor.offsets.id, 99, true);
    expect(view.id).toBe(99);
    expect([...new Uint8Array(memory, Sensor.offsets.total, 4)]).toEqual([1, 2, 3, 4]);
  });

  test('parts are the same objects each time and move with the view', () => {
    const { memory, view } = fresh();
    const { pos, trace } = view;
    expect(view.pos).toBe(pos);
    expect(trace[0]).toBe(view.trace[0]);
    const inner = trace[1]!;
    expect(view.moveTo(Sensor.size)).toBe(view);
    view.id = 1;
    pos.y = 4;
    inner.x = 5;
    expect(Sensor.decode(memory, Sensor.size)).toMatchObject({ id: 1, pos: { y: 4 }, trace: [{}, { x: 5 }] });
    expect(Sensor.decode(memory)).toEqual(Sensor.decode(new ArrayBuffer(Sensor.size)));
  });

  test('arrays have a length, indices and iteration', () => {
    const { view } = fresh();
    expect(view.grid.length).toBe(2);
    view.grid[0]![1] = 8;
    expect([...view.grid[0]!]).toEqual([0, 8]);
    expect((view.grid as unknown as unknown[])[2]).toBeUndefined();
    expect(() => {
      view.grid[0]![2] = 1;
    }).toThrow(TypeError);
  });

  test('an element that has parts is set whole, and none of it if any of it is refused', () => {
    const Entry = struct('Entry', { v: u8, wide: u32, mode: enumOf(u8, { Off: 0, On: 1 }) });
    const Board = struct('Board', {
      list: array(Entry, 2),
      grid: array(array(u8, 2), 2),
      flags: array(bits(u8, { a: 1, b: 3 }), 2),
      either: array(union('Either', { real: f64, word: u64, byte: u8 }), 2),
      long: array(Entry, 2000),
      n: u8,
      some: array(Entry, 3, { length: 'n' }),
    });
    const memory = new Uint8Array(Board.size).fill(0xcc);
    const view = Board.view(memory);
    const set = (target: unknown, i: number, value: unknown): void => {
      (target as unknown[])[i] = value;
    };
    const first = view.list[0]!;
    view.list[0] = { v: 1, wide: 2, mode: 'On' };
    expect([...memory.subarray(0, 13)]).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0xcc]);
    expect(view.list[0]).toBe(first);
    view.list[1] = view.list[0];
    expect([...memory.subarray(12, 24)]).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]);
    set(view.grid, 1, [5, 6]);
    set(view.grid, 0, view.grid[1]);
    set(view.flags, 0, { a: 1, b: 7 });
    expect([...view.grid].map((row) => [...row])).toEqual([[5, 6], [5, 6]]); // prettier-ignore
    expect([memory[Board.offsets.flags], memory[Board.offsets.flags + 1]]).toEqual([15, 0xcc]);
    set(view.either, 0, { byte: 7 });
    expect([view.either[0]!.word, view.either[1]!.word]).toEqual([7n, 0xcccc_cccc_cccc_ccccn]);
    set(view.either, 1, view.either[0]);
    expect(view.either[1]!.word).toBe(7n);
    view.long[1999] = { v: 9, wide: 8, mode: 'Off' };
    view.long[0] = view.long[1999]!;
    expect(view.long[0]).toMatchObject({ v: 9, wide: 8, mode: 'Off' });
    memory[Board.offsets.n] = 2;
    view.some[1] = { v: 3, wide: 4, mode: 'Off' };
    expect(view.some[1]).toMatchObject({ v: 3, wide: 4 });

    const before = memory.slice();
    let looks = 0;
    const changing = { wide: 3, mode: 'On', get v() { return ++looks === 1 ? 4 : 'later'; } }; // prettier-ignore
    set(view.list, 0, changing);
    expect([looks, view.list[0].v]).toEqual([1, 4]);
    memory.set(before);
    for (const [target, i, value, message] of [
      [view.list, 1, { v: 8, wide: 8, mode: 'Walk' }, 'cannot write Board.list[1].mode: expected one of'],
      [view.list, 1, { v: 8, wide: 8 }, 'cannot write Board.list[1].mode: missing, expected a value'],
      [view.list, 1, 5, 'cannot write Board.list[1]: expected an object, found 5'],
      [view.grid, 1, [1, 300], 'cannot write Board.grid[1][1]: expected an integer from 0 to 255, found 300'],
      [view.grid, 1, [1], 'cannot write Board.grid[1]: array has 1 elements, expected exactly 2'],
      [view.flags, 1, { a: 1, b: 8 }, 'cannot write Board.flags[1].b: expected an integer from 0 to 7'],
      [
        view.either,
        1,
        { real: 1, byte: 1 },
        'cannot write Board.either[1]: a union is written with exactly one',
      ],
      [view.long, 7, { v: 1, wide: -1, mode: 'On' }, 'cannot write Board.long[7].wide: expected an integer'],
      [view.some, 2, { v: 1, wide: 1, mode: 'On' }, 'cannot write Board.some[2]: there are 2 elements'],
    ] as const) {
      expect(() => set(target, i, value)).toThrow(message);
      expect(memory).toEqual(before);
    }
  });

  test('long arrays are live too, at no cost before they are used', () => {
    const Small = struct('Point', { x: u8, y: u8 });
    const Long = struct('Long', {
      list: array(u16, 5000),
      points: array(Small, 2000),
      huge: array(u8, 2 ** 24),
    });
    const memory = new ArrayBuffer(Long.size + 8);
    const view = Long.view(memory);
    const { points } = view;
    view.list[4999] = 7;
    view.points[1999]!.y = 8;
    expect(view.points[1999]).toBe(points[1999]);
    expect([view.list.length, view.list[4999], [...view.list].length]).toEqual([5000, 7, 5000]);
    expect(Long.decode(memory).points[1999]).toEqual({ x: 0, y: 8 });
    view.moveTo(8);
    expect([view.list[4995], points[1995]!.y, view.huge.length]).toEqual([7, 8, 2 ** 24]);
    expect(() => (view.list[5000] = 1)).toThrow(TypeError);
    expect(() => (view.list[1] = -1)).toThrow(
      'cannot write Long.list[1]: expected an integer from 0 to 65535, found -1',
    );
    expect((view.list as unknown as unknown[])[5000]).toBeUndefined();
    expect(JSON.stringify(view.list).length).toBe(10_001);
    expect(inspect(view.list)).toMatch(/^\[\s+0,/);
  });

  test('setting one bit field leaves the others and the nameless bits', () => {
    const { memory, view } = fresh();
    const raw = new DataView(memory);
    raw.setUint16(Sensor.offsets.flags, 0xfff0, true);
    view.flags.mode = 5;
    expect(raw.getUint16(Sensor.offsets.flags, true)).toBe(0xfffa);
    expect({ ...Sensor.decode(memory).flags }).toEqual({ ready: 0, mode: 5 });
    view.caps.high = 2n ** 63n - 1n;
    expect(raw.getBigUint64(Sensor.offsets.caps, true)).toBe(2n ** 64n - 2n);
    expect(() => (view.flags.mode = 8)).toThrow(
      expect.objectContaining({
        code: 'VALUE_RANGE',
        message: 'cannot write Sensor.flags.mode: expected an integer from 0 to 7, found 8',
      }),
    );
  });

  test('members of a union share their bytes', () => {
    const { view } = fresh();
    view.value.real = 1;
    expect(view.value.word).toBe(0x3ff0_0000_0000_0000n);
    view.value.halves[0] = 5;
    expect(view.value.word).toBe(0x3ff0_0000_0000_0005n);
  });

  test('a list with a length is live up to it', () => {
    const { memory, view } = fresh();
    const { samples } = view;
    expect([samples.length, [...samples], samples[0]]).toEqual([0, [], undefined]);
    view.count = 2;
    samples[1] = 8;
    expect([samples.length, [...samples], samples[2]]).toEqual([2, [0, 8], undefined]);
    expect(Sensor.decode(memory)).toMatchObject({ count: 2, samples: [0, 8] });
    expect(JSON.stringify(samples)).toBe('[0,8]');
    expect(() => (samples[2] = 1)).toThrow(
      'cannot write Sensor.samples[2]: there are 2 elements, expected up to 4 by count',
    );
    expect(() => (view.count = 9)).toThrow(
      'cannot write Sensor.count: its length in count is 9, expected 0 to 4',
    );
    expect(view.count).toBe(2);
    new DataView(memory).setUint16(Sensor.offsets.count, 9, true);
    expect(() => samples.length).toThrow(
      'cannot read Sensor.samples: its length in count is 9, expected 0 to 4',
    );
  });

  test('parts are changed through their members, not replaced; their keys are those of the class', () => {
    const Point = struct('Point', { x: u8 });
    const All = struct('All', {
      point: Point, either: union('Either', { a: u8, b: u16 }), flags: bits(u8, { ready: 1 }), points: array(Point, 2),
      n: u8, list: array(u8, 2, { length: 'n' }),
    }); // prettier-ignore
    const view = All.view(new ArrayBuffer(All.size));
    const before = view.toJSON();
    const values = {
      point: { x: 1 },
      either: { a: 1 },
      flags: { ready: 1 },
      points: [{ x: 1 }, { x: 2 }],
      list: [1],
    };
    for (const [name, value] of Object.entries(values))
      expect(() => Object.assign(view, { [name]: value })).toThrow(TypeError);
    expect(JSON.stringify(view)).toBe(JSON.stringify(before));
    Object.assign(view.points, { 1: { x: 9 } });
    view.n = 1;
    view.list[0] = 7;
    expect(view.toJSON()).toMatchObject({ points: [{ x: 0 }, { x: 9 }], n: 1, list: [7] });
    expect([Object.keys(view), { ...view }]).toEqual([[], {}]);
  });

  test('setting a text or byte string with a length sets its sibling too', () => {
    const Note = struct('Note', { n: u16, text: utf8(8, { length: 'n' }) });
    const memory = new ArrayBuffer(Note.size);
    const view = Note.view(memory);
    view.text = 'abc';
    expect(Note.decode(memory)).toEqual({ n: 3, text: 'abc' });
    view.n = 2;
    expect(view.text).toBe('ab');
    expect(() => (view.n = 9)).toThrow(withCode('VALUE_RANGE'));
    expect(() => (view.n = 1.5)).toThrow(withCode('VALUE_RANGE'));
    expect(() => (view.n = '1' as never)).toThrow(withCode('VALUE_TYPE'));
    expect(view.n).toBe(2);
    new DataView(memory).setUint16(0, 9, true);
    expect(() => view.text).toThrow(withCode('VALUE_RANGE'));
  });

  test('a refused value changes nothing and is named by its path', () => {
    const { memory, view } = fresh();
    new Uint8Array(memory).fill(1);
    const before = new Uint8Array(memory.slice(0));
    expect(() => (view.id = -1)).toThrow(
      'cannot write Sensor.id: expected an integer from 0 to 4294967295, found -1',
    );
    expect(() => (view.grid[1]![0] = 40_000)).toThrow(
      'cannot write Sensor.grid[1][0]: expected an integer from -32768 to 32767, found 40000',
    );
    expect(() => (view.name = 'far too long')).toThrow(
      'cannot write Sensor.name: text is 12 bytes, expected at most 7 and a terminator',
    );
    expect(() => (view.state = 'Walk' as 'Run')).toThrow('cannot write Sensor.state');
    expect(() => (view.trace[0]!.x = '1' as never)).toThrow(
      'cannot write Sensor.trace[0].x: expected a number, found "1"',
    );
    expect(new Uint8Array(memory)).toEqual(before);
  });

  test.each([
    ['u8', u8, [0, 255], [-1, 256, 1.5, '1', 1n]],
    ['i8', i8, [-128, 127], [-129, 128, 0.5, null, 1n]],
    ['u16', u16, [0, 65_535], [-1, 65_536, 131_072, 0.5, undefined]],
    ['i16', i16, [-32_768, 32_767], [-32_769, 32_768, 65_536, Number.NaN]],
    ['u32', u32, [0, 2 ** 32 - 1], [-1, 2 ** 32, 0.5, Infinity]],
    ['i32', i32, [-(2 ** 31), 2 ** 31 - 1], [-(2 ** 31) - 1, 2 ** 31, 2 ** 32, true]],
    ['u64', u64, [0n, 2n ** 64n - 1n], [-1n, 2n ** 64n, 1]],
    ['i64', i64, [-(2n ** 63n), 2n ** 63n - 1n], [-(2n ** 63n) - 1n, 2n ** 63n, 1]],
    ['f32', f32, [1.5, -Infinity, Number.NaN], [1e39, -1e39, '1', 1n]],
    ['f64', f64, [1e300, -0, Number.NaN], ['1', 1n, null]],
    ['big-endian u16', be(u16), [0, 65_535], [-1, 65_536, '1']],
    ['long', long, [0n, -5n], [2n ** 63n, 1]],
    ['bool', bool, [true, false], [1, 0, 'true', null]],
    ['wordBool', wordBool, [true, false], [1, 0]],
    ['enum', enumOf(u8, { A: 3 }), ['A'], ['B', 3, null]],
    ['wide enum', enumOf(u64, { A: 3n }), ['A'], ['B', 3n]],
  ])('a field of kind %s takes its values and refuses others', (_, type, good, bad) => {
    const One = struct<Fields>('One', { pad: u8, value: type });
    const memory = new ArrayBuffer(One.size);
    const view = One.view(memory) as unknown as { value: unknown };
    for (const value of good) {
      view.value = value;
      expect(view.value).toBe(value);
      expect((One.decode(memory) as { value: unknown }).value).toBe(value);
    }
    const before = new Uint8Array(memory.slice(0));
    for (const value of bad) {
      expect(() => (view.value = value), String(value)).toThrow(/^cannot write One\.value: expected /);
      expect(new Uint8Array(memory)).toEqual(before);
    }
  });

  test('is sealed: a typo throws, a part cannot be replaced', () => {
    const { view } = fresh();
    expect(() => ((view as { nmae?: string }).nmae = 'x')).toThrow(TypeError);
    expect(() => ((view.pos as { z?: number }).z = 1)).toThrow(TypeError);
    expect(() => ((view as { pos: unknown }).pos = { x: 1, y: 2 })).toThrow(TypeError);
    expect(Object.isSealed(view)).toBe(true);
  });

  test('toJSON and util.inspect show the record', () => {
    const Small = struct('Small', { a: u8, list: array(u8, 2), inner: Point });
    const view = Small.view(new ArrayBuffer(Small.size));
    view.list[1] = 3;
    expect(JSON.stringify(view)).toBe('{"a":0,"list":[0,3],"inner":{"x":0,"y":0}}');
    expect(inspect(view)).toBe('{ a: 0, list: [ 0, 3 ], inner: { x: 0, y: 0 } }');
    expect(inspect({ view: view.list })).toBe('{ view: [ 0, 3 ] }');
    expect(view.toJSON()).toEqual({ a: 0, list: [0, 3], inner: { x: 0, y: 0 } });
  });

  test('util.inspect marks what does not decode, and never throws', () => {
    const Mode = enumOf(u8, { On: 1 });
    const Part = struct('Part', { mode: Mode, n: u8, list: array(Mode, 2, { length: 'n' }) });
    const Whole = struct('Whole', {
      a: u8,
      parts: array(Part, 1),
      either: union('Either', { part: Part, byte: u8 }),
      n: u8,
      text: utf8(4, { length: 'n' }),
    });
    const memory = new Uint8Array(Whole.size).fill(9);
    const view = Whole.view(memory);
    const beyond = (field: string, most: number) => `<its length in ${field} is 9, expected 0 to ${most}>`;
    const part = `{ mode: <expected one of On (1), found 9>, n: 9, list: ${beyond('n', 2)} }`;
    const shown = inspect(view, { breakLength: Infinity, compact: 10 });
    expect(shown).toBe(
      `{ a: 9, parts: [ ${part} ], either: { part: ${part}, byte: 9 }, n: 9, text: ${beyond('n', 4)} }`,
    );
    expect(inspect(view.parts[0]!.list)).toContain('cannot read Whole.parts[0].list');
    expect(inspect(view.either)).toContain('byte: 9');
    expect(() => JSON.stringify(view)).toThrow(withCode('VALUE_RANGE'));
    expect(JSON.stringify(view.either)).toBe('{"part":{"n":9},"byte":9}');
    const gone = new ArrayBuffer(Whole.size);
    const detached = Whole.view(gone);
    structuredClone(gone, { transfer: [gone] });
    expect(inspect(detached)).toContain('a: <');
    expect(inspect(detached.parts)).toContain('<');
  });

  test('works over any buffer, from its own start, and bounds every move', () => {
    const shared = new SharedArrayBuffer(64);
    for (const buffer of [
      shared,
      new Uint8Array(shared, 8),
      new DataView(shared, 8),
      Buffer.alloc(64),
      new Float64Array(8),
    ]) {
      const view = Point.view(buffer, 16);
      view.x = 3;
      expect(Point.decode(buffer, 16)).toEqual({ x: 3, y: 0 });
      expect(() => view.moveTo(buffer.byteLength - 15)).toThrow(withCode('INDEX_RANGE'));
      for (const at of [-1, 0.5, Number.NaN]) expect(() => view.moveTo(at)).toThrow(withCode('INDEX_RANGE'));
    }
    expect(() => Point.view(new ArrayBuffer(15))).toThrow(withCode('INDEX_RANGE'));
    const gone = new DataView(new ArrayBuffer(64));
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const short = new DataView(new ArrayBuffer(64), 1, 16);
    for (const [buffer, at] of [
      [gone, 0],
      [short, 1],
      [short, -1],
    ] as const) {
      const range = withCode('INDEX_RANGE') as Error;
      expect(() => Point.decode(buffer, at)).toThrow(range);
      expect(() => Point.encode({ x: 1 }, buffer, at)).toThrow(range);
      expect(() => Point.view(buffer, at)).toThrow(range);
    }
    Point.encode({ x: 1, y: 2 }, short);
    expect(Point.decode(short)).toEqual({ x: 1, y: 2 });
    expect(Point.decode(new DataView(short.buffer), 1)).toEqual({ x: 1, y: 2 });
    expect(() => Point.view({} as ArrayBuffer)).toThrow(withCode('VALUE_TYPE'));
    expect(() => Point.decode(new ArrayBuffer(16), '0' as never)).toThrow(withCode('VALUE_TYPE'));
  });

  test('a field called moveTo takes the place of the method', () => {
    const Odd = struct('Odd', { moveTo: u64 });
    const view = Odd.view(new ArrayBuffer(8));
    view.moveTo = 5n;
    expect(view.moveTo).toBe(5n);
  });

  test('can be written as a record', () => {
    const { memory, view } = fresh();
    view.id = 3;
    const copy = new ArrayBuffer(Sensor.size);
    Sensor.encode({ pos: view.pos, id: view.id, grid: [...view.grid].map((row) => [...row]) }, copy);
    expect(Sensor.decode(copy).id).toBe(Sensor.decode(memory).id);
  });
});
