// One conformance suite for maps, run on every backing this system has. Names are unique, nothing is left behind.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import {
  be,
  bool,
  char,
  char16,
  createMap,
  createStore,
  enumOf,
  f64,
  i16,
  i64,
  joinMap,
  joinStore,
  type KeyType,
  listSegments,
  type MapWriter,
  openMap,
  openStore,
  shortString,
  struct,
  u32,
  u64,
  u8,
  unixMs,
  utf8,
  waitForMap,
} from '../../src/index.ts';
import { isNamed, onWindows } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';
import { track } from '../support/track.ts';

const Flag = struct('Flag', {
  enabled: bool,
  percent: u8,
  state: enumOf(u8, { Draft: 1, Live: 2 }),
  changed: unixMs,
  by: utf8(32),
});
const flagOf = (percent: number) => ({
  enabled: percent > 0,
  percent,
  state: 'Live' as const,
  changed: new Date(1_700_000_000_000 + percent),
  by: 'ops',
});
const Count = struct('Count', { value: u32 });
const name12 = utf8(12);
const definition = { key: name12, layout: Flag };

const conditions = ['--conditions=@sharecord/source'];
let serial = 0;
const uniqueName = (): string => `sharecord-test-map-${process.pid}-${serial++}`;
const backings = [
  { backing: 'named', options: () => ({ name: uniqueName() }) },
  { backing: 'anonymous', options: () => ({}) },
  { backing: 'process', options: () => ({ backing: 'process' as const }) },
] as const;

describe.each(backings)('a map with backing $backing', ({ backing, options }) => {
  const make = (capacity = 4): MapWriter<typeof name12, typeof Flag> =>
    track(createMap({ ...options(), ...definition, capacity }));

  test('begins empty', () => {
    const map = make();
    expect(map.size).toBe(0);
    expect([...map]).toEqual([]);
    expect(map.get('a')).toBeUndefined();
    expect(map.has('a')).toBe(false);
    expect(map.delete('a')).toBe(false);
    expect(map.created).toBe(true);
    expect(map.capacity).toBe(4);
    expect(map.segment.backing).toBe(backing);
    map.clear();
    expect(map.size).toBe(0);
  });

  test('follows the conventions of Map, in this open and in others', () => {
    const map = make();
    const model = new Map<string, ReturnType<typeof flagOf>>();
    for (const [key, percent] of [
      ['dark-mode', 10],
      ['beta', 20],
      ['', 30],
      ['dark-mode', 40],
    ] as const) {
      expect(map.set(key, flagOf(percent))).toBe(map);
      model.set(key, flagOf(percent));
    }
    const reader = track(openMap(map.handle, definition));
    const writer = track(openMap(map.handle, definition, { access: 'read-write' }));
    for (const each of [map, reader, writer]) {
      expect(each.size).toBe(model.size);
      expect([...each]).toEqual([...model]);
      expect([...each.entries()]).toEqual([...model.entries()]);
      expect([...each.keys()]).toEqual([...model.keys()]);
      expect([...each.values()]).toEqual([...model.values()]);
      for (const key of [...model.keys(), 'gone']) {
        expect(each.get(key)).toEqual(model.get(key));
        expect(each.has(key)).toBe(model.has(key));
      }
      const seen: unknown[] = [];
      each.forEach(function visit(this: unknown, record, key, whole) {
        seen.push([key, record, whole === each, this]);
      }, 'self');
      expect(seen).toEqual([...model].map(([key, record]) => [key, record, true, 'self']));
    }
    expect(reader.created).toBe(false);
    for (const method of ['set', 'delete', 'clear', 'update']) expect(method in reader).toBe(false);
    expect(writer.delete('beta')).toBe(true);
    expect(writer.delete('beta')).toBe(false);
    expect(reader.get('beta')).toBeUndefined();
    expect([...reader.keys()]).toEqual(['dark-mode', '']);
    map.clear();
    expect([...reader]).toEqual([]);
    expect(reader.size).toBe(0);
  });

  test('update changes a record that is there, and is false for one that is not', () => {
    const map = make();
    map.set('a', flagOf(1));
    expect(map.update('a', (draft) => void (draft.percent += 5))).toBe(true);
    expect(map.get('a')).toEqual({ ...flagOf(1), percent: 6 });
    let calls = 0;
    expect(map.update('b', () => void calls++)).toBe(false);
    expect(calls).toBe(0);
    const mine = new RangeError('mine');
    expect(() =>
      map.update('a', (draft) => {
        draft.percent = 9;
        throw mine;
      }),
    ).toThrow(mine);
    expect(() => map.update('a', (draft) => void (draft.percent = 256))).toThrow(withCode('VALUE_RANGE'));
    const asynchronous = async (): Promise<void> => {};
    // @ts-expect-error an async callback would commit before it ran
    expect(() => map.update('a', asynchronous)).toThrow(withCode('VALUE_TYPE'));
    expect(map.get('a')?.percent).toBe(6);
  });

  test('update runs again when another write came between, and is false when a delete did', () => {
    const map = make();
    map.set('a', flagOf(1));
    let runs = 0;
    const changed = map.update('a', (draft) => {
      if (runs++ === 0) map.update('a', (inner) => void (inner.percent += 10));
      draft.percent += 1;
    });
    expect({ changed, runs, percent: map.get('a')?.percent }).toEqual({
      changed: true,
      runs: 2,
      percent: 12,
    });
    expect(map.update('a', () => void map.delete('a'))).toBe(false);
    expect(map.has('a')).toBe(false);
    map.set('a', flagOf(1));
    const replaced = map.update('a', (draft) => {
      if (map.get('a')?.percent !== 1) return;
      map.delete('a');
      map.set('b', flagOf(2));
      map.set('a', flagOf(3));
      draft.percent = 99;
    });
    expect(replaced).toBe(true);
    expect([map.get('a')?.percent, map.get('b')?.percent]).toEqual([3, 2]);
  });

  test('an update of another key within an update is none that came between', () => {
    const map = make();
    // Slots whose sequences differ: the inner update must not be taken for the outer one.
    for (let i = 0; i < 5; i++) map.set('a', flagOf(1));
    map.set('b', flagOf(2));
    let runs = 0;
    const changed = map.update('a', (draft) => {
      runs++;
      map.update('b', (inner) => void (inner.percent += 10));
      draft.percent += 1;
    });
    expect({ changed, runs, a: map.get('a')?.percent, b: map.get('b')?.percent }).toEqual({
      changed: true,
      runs: 1,
      a: 2,
      b: 12,
    });
  });

  test('is full at its capacity, says so, and goes on with every key it has', () => {
    const map = make(3);
    for (const key of ['a', 'b', 'c']) map.set(key, flagOf(1));
    expect(() => map.set('d', flagOf(4))).toThrow(withCode('STORE_FULL'));
    expect([...map.keys()]).toEqual(['a', 'b', 'c']);
    expect(map.size).toBe(3);
    map.set('b', flagOf(2));
    expect(map.update('c', (draft) => void (draft.percent = 3))).toBe(true);
    expect([...map.values()].map(({ percent }) => percent)).toEqual([1, 2, 3]);
    map.delete('a');
    map.set('d', flagOf(4));
    expect(() => map.set('a', flagOf(1))).toThrow(withCode('STORE_FULL'));
    expect(new Set(map.keys())).toEqual(new Set(['b', 'c', 'd']));
    map.clear();
    for (const key of ['x', 'y', 'z']) map.set(key, flagOf(1));
    expect(map.size).toBe(3);
  });

  test('keeps its keys through a thousand inserts and deletes, and its memory does not wear out', () => {
    const map = track(createMap({ ...options(), key: u32, layout: Count, capacity: 50 }));
    const model = new Map<number, number>();
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return seed % below;
    };
    for (let i = 0; i < 5000; i++) {
      const key = random(200);
      if (model.has(key) ? random(2) === 0 : model.size === 50) {
        const victim = model.has(key) ? key : [...model.keys()][random(50)]!;
        expect(map.delete(victim)).toBe(model.delete(victim));
      } else {
        map.set(key, { value: i });
        model.set(key, i);
      }
    }
    expect(map.size).toBe(model.size);
    for (let key = 0; key < 200; key++) expect(map.get(key)?.value).toBe(model.get(key));
    expect(new Set(map.keys())).toEqual(new Set(model.keys()));
  });

  test('a bad record or key is refused with its code and leaves the map as it was', () => {
    const map = make();
    map.set('a', flagOf(1));
    const bad: [string, unknown, string][] = [
      ['a', { ...flagOf(1), percent: 256 }, 'VALUE_RANGE'],
      ['a', { ...flagOf(1), typo: 1 }, 'VALUE_TYPE'],
      ['b', { percent: 1 }, 'VALUE_TYPE'],
      ['b', null, 'VALUE_TYPE'],
      ['twelve bytes', flagOf(1), 'VALUE_TOO_LONG'],
      ['a\0', flagOf(1), 'VALUE_RANGE'],
      [7 as unknown as string, flagOf(1), 'VALUE_TYPE'],
      [undefined as unknown as string, flagOf(1), 'VALUE_TYPE'],
    ];
    for (const [key, record, code] of bad)
      expect(() => map.set(key, record as ReturnType<typeof flagOf>), code).toThrow(withCode(code));
    expect([...map]).toEqual([['a', flagOf(1)]]);
  });

  test('a key that its code page lacks is refused by set and not there for get, ASCII or not', () => {
    for (const [encoding, lacking] of [
      ['iso-2022-jp', 'a\u001b'],
      ['windows-1252', 'ж'],
    ] as const) {
      const key = char(24, { encoding });
      const map = track(createMap({ ...options(), key, layout: Count, capacity: 2 }));
      expect(() => map.set(lacking, { value: 1 })).toThrow(withCode('VALUE_UNMAPPABLE'));
      expect(map.get(lacking)).toBeUndefined();
      expect(map.size).toBe(0);
    }
  });

  test('a key that no entry can hold is not there, one of another type is refused', () => {
    const map = make();
    expect(map.get('twelve bytes')).toBeUndefined();
    expect(map.has('a\0')).toBe(false);
    expect(map.delete('twelve bytes')).toBe(false);
    expect(map.update('twelve bytes', () => {})).toBe(false);
    for (const call of [
      () => map.get(7 as unknown as string),
      () => map.has(undefined as unknown as string),
      () => map.delete(7n as unknown as string),
      () => map.update({} as string, () => {}),
      () => map.watch(7 as unknown as string),
    ])
      expect(call, String(call)).toThrow(withCode('VALUE_TYPE'));
    expect(() => map.watch('twelve bytes')).toThrow(withCode('VALUE_TOO_LONG'));
  });

  test.each<[string, KeyType, readonly unknown[]]>([
    ['utf8, filled', utf8(4, { terminated: false }), ['', 'a', 'abcd', 'é', '€x']],
    ['char16', char16(6), ['', 'a', 'abcde', '简单', '😀']],
    ['char16, big-endian', be(char16(6)), ['a', 'ab', '简单']],
    ['char, GBK', char(8, { encoding: 'gbk' }), ['简单的', 'a', 'abc']],
    ['char, ISO-2022-JP', char(24, { encoding: 'iso-2022-jp' }), ['abc', '日本', 'a日', '']],
    ['shortString', shortString(9), ['', 'a', 'a\0', 'a\0\0\0\0', 'a\0\0\0b', '123456789']],
    ['u8', u8, [0, 1, 255]],
    ['i16', i16, [0, -1, 1, -32768, 32767]],
    ['u32', u32, [0, 1, 2 ** 31, 2 ** 32 - 1]],
    ['u32, big-endian', be(u32), [0, 1, 256, 2 ** 32 - 1]],
    ['u64', u64, [0n, 1n, 2n ** 32n, 2n ** 64n - 1n]],
    ['i64', i64, [0n, -1n, -(2n ** 63n), 2n ** 63n - 1n]],
    ['long text', utf8(300), ['', 'x'.repeat(100), `${'x'.repeat(100)}y`, 'x'.repeat(299)]],
  ])('keys of type %s are told apart and come back as they were', (_title, key, values) => {
    const map = track(createMap({ ...options(), key: key as typeof name12, layout: Count, capacity: 8 }));
    const keys = values as string[];
    keys.forEach((each, i) => map.set(each, { value: i }));
    expect(keys.map((each) => map.get(each)?.value)).toEqual(keys.map((_, i) => i));
    expect([...map.keys()]).toEqual(keys);
    const untyped = track(openMap(map.handle));
    expect([...untyped.keys()]).toEqual(keys);
    for (const each of keys) expect(map.delete(each)).toBe(true);
    expect(map.size).toBe(0);
  });

  test.each<[string, unknown]>([
    ['f64', f64],
    ['bool', bool],
    ['struct', Count],
    ['enum', enumOf(u8, { A: 0 })],
    ['text that is cut', utf8(8, { onOverflow: 'truncate' })],
    ['text with replacements', char(8, { onUnmappable: 'replace' })],
    ['text with a sibling length', utf8(8, { length: 'n' })],
    ['nothing', undefined],
  ])('a key type %s is refused', (_title, key) => {
    expect(() => createMap({ ...options(), key: key as typeof name12, layout: Count, capacity: 1 })).toThrow(
      withCode('LAYOUT_FIELD_INVALID'),
    );
  });

  test('bad options are refused', () => {
    for (const capacity of [0, 1.5, 2 ** 30 + 1, '1' as unknown as number])
      expect(() => createMap({ ...options(), ...definition, capacity })).toThrow(
        withCode(typeof capacity === 'string' ? 'VALUE_TYPE' : 'VALUE_RANGE'),
      );
    expect(() => createMap({ ...options(), key: name12, layout: {} as typeof Flag, capacity: 1 })).toThrow(
      withCode('VALUE_RANGE'),
    );
    const map = make();
    expect(() => openMap(map.handle, null as unknown as typeof definition)).toThrow(withCode('VALUE_TYPE'));
    expect(() => openMap(map.handle, definition, { access: 'write' as 'read' })).toThrow(
      withCode('VALUE_RANGE'),
    );
  });

  test('another key type or layout is LAYOUT_MISMATCH and names the field', () => {
    const map = make();
    const other = struct('Flag', { enabled: bool, percent: u32 });
    expect(() => openMap(map.handle, { key: utf8(13), layout: Flag })).toThrow(
      /field key: expected .* 13 bytes/,
    );
    expect(() => openMap(map.handle, { key: name12, layout: other })).toThrow(/record\.percent/);
    for (const opening of [
      () => openMap(map.handle, { key: u32, layout: Flag }),
      () => openMap(map.handle, { key: name12, layout: other }),
    ])
      expect(opening).toThrow(withCode('LAYOUT_MISMATCH'));
  });

  test('a store is no map and a map is no store', () => {
    const map = make();
    const store = track(createStore({ ...options(), layout: Flag, capacity: 1 }));
    expect(() => openStore(map.handle)).toThrow(withCode('SEGMENT_FORMAT'));
    expect(() => openStore(map.handle, Flag)).toThrow(withCode('SEGMENT_FORMAT'));
    expect(() => openMap(store.handle)).toThrow(withCode('SEGMENT_FORMAT'));
    expect(() => openMap(store.handle, definition)).toThrow(withCode('SEGMENT_FORMAT'));
  });

  test('opens by its own description, with the name of its records', () => {
    const map = make();
    map.set('a', flagOf(5));
    const untyped = track(openMap(map.handle));
    expect([...untyped]).toEqual([['a', flagOf(5)]]);
    expect(untyped.get('a')).toEqual(flagOf(5));
    expect(untyped.layout.name).toBe('Flag');
    expect(untyped.layout.digest).toBe(Flag.digest);
    expect(untyped.key.kind).toBe('utf8');
    expect(untyped.capacity).toBe(4);
  });

  test('iteration gives what is there all the time exactly once, whatever comes and goes meanwhile', () => {
    const map = track(createMap({ ...options(), key: u32, layout: Count, capacity: 64 }));
    for (let key = 0; key < 32; key++) map.set(key, { value: key });
    const seen: number[] = [];
    let fresh = 1000;
    for (const key of map.keys()) {
      if (key < 1000) seen.push(key);
      // Even keys stay; odd ones go, and new ones take their slots and go too.
      if (seen.length === 5) for (let odd = 1; odd < 32; odd += 2) map.delete(odd);
      for (let i = 0; i < 5 && fresh < 2000; i++) map.set(fresh++, { value: 0 });
      for (let old = fresh - 20; old < fresh - 5; old++) if (old >= 1000) map.delete(old);
    }
    const even = seen.filter((key) => key % 2 === 0);
    expect(even.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => 2 * i));
  });

  test('after close every call throws STORE_CLOSED and close may be called again', () => {
    const map = make();
    const { segment } = map;
    map.set('a', flagOf(1));
    for (let i = 0; i < 20_000; i++) {
      map.set('a', flagOf(i % 100));
      map.get('a');
    }
    const iterator = map.entries();
    map.close();
    map.close();
    const calls: (() => unknown)[] = [
      () => map.get('a'),
      () => map.has('a'),
      () => map.size,
      () => [...map],
      () => [...map.keys()],
      () => iterator.next(),
      () => map.forEach(() => {}),
      () => map.watch(),
      () => map.watch('a'),
      () => map.set('a', flagOf(1)),
      () => map.delete('a'),
      () => map.clear(),
      () => map.update('a', () => {}),
      () => map.handle,
      () => map.orphaned,
      () => segment.buffer,
    ];
    for (const call of calls) expect(call, String(call)).toThrow(withCode('STORE_CLOSED'));
    expect(map.closed).toBe(true);
  });

  test('posting the map itself throws', () => {
    expect(() => structuredClone(make())).toThrow();
  });

  test('workers add, delete and count in one map at once', async () => {
    const rounds = 2000;
    const map = track(createMap({ ...options(), key: name12, layout: Count, capacity: 32 }));
    map.set('all', { value: 0 });
    const workers = [1, 2].map((id) => {
      const workerData = { handle: map.handle, id, rounds };
      return new Worker(new URL('./map-worker.ts', import.meta.url), { workerData, execArgv: conditions });
    });
    const codes = await Promise.all(workers.map((worker) => once(worker, 'exit')));
    expect(codes.map(([code]) => code as number)).toEqual([0, 0]);
    expect(map.get('all')).toEqual({ value: 2 * rounds });
    const kept = [0, 2, 4, 6, 8].flatMap((i) => [`1/${i}`, `2/${i}`]);
    expect(new Set(map.keys())).toEqual(new Set(['all', ...kept]));
    expect(map.size).toBe(11);
  });

  test('waitForMap opens what is there, with its options', async () => {
    const map = make();
    const writer = track(await waitForMap(map.handle, definition, { access: 'read-write', timeoutMs: 1000 }));
    writer.set('a', flagOf(1));
    expect(map.get('a')).toEqual(flagOf(1));
  });
});

describe('a named map', () => {
  test('is created once, joined by its name, waited for, listed, and gone after its last writer', async () => {
    const name = uniqueName();
    const waiting = waitForMap(name, definition, { timeoutMs: 20_000 });
    const map = joinMap({ name, ...definition, capacity: 4 });
    const reader = await waiting;
    try {
      map.set('a', flagOf(1));
      expect(map.created).toBe(true);
      expect(() => createMap({ name, ...definition, capacity: 4 })).toThrow(withCode('SEGMENT_EXISTS'));
      expect(() => joinMap({ name, ...definition, capacity: 5 })).toThrow(withCode('SEGMENT_TOO_SMALL'));
      expect(() => joinMap({ name, ...definition, key: u32, capacity: 4 })).toThrow(
        withCode('LAYOUT_MISMATCH'),
      );
      expect(() => joinStore({ name, layout: Flag, capacity: 4 })).toThrow(withCode('SEGMENT_FORMAT'));
      const second = joinMap({ name, ...definition, capacity: 2 });
      expect(second.created).toBe(false);
      expect(second.get('a')).toEqual(flagOf(1));
      second.close();
      if (!onWindows) {
        const listed = listSegments().find((segment) => segment.name === `/${name}` || segment.name === name);
        expect(listed).toMatchObject({ kind: 'map', layout: 'Flag', capacity: 4 });
      }
    } finally {
      map.close();
      reader.close();
    }
    expect(isNamed(name)).toBe(false);
    expect(() => openMap(name)).toThrow(withCode('SEGMENT_NOT_FOUND'));
    await expect(waitForMap(name, definition, { timeoutMs: 1 })).rejects.toMatchObject({
      code: 'SEGMENT_NOT_FOUND',
    });
  });
});

test('nothing of these tests is left in shared memory', () => {
  for (let i = 0; i < serial; i++) expect(isNamed(`sharecord-test-map-${process.pid}-${i}`)).toBe(false);
});
