// One conformance suite for stores, run on every backing this system has and under every guard. Names are unique, nothing is left behind.
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  array,
  bytes,
  be,
  bool,
  createStore,
  enumOf,
  f64,
  type Handle,
  i32,
  namedMutex,
  openStore,
  type StoreWriter,
  struct,
  u32,
  u64,
  u8,
  utf8,
} from '../../src/index.ts';
import { isNamed, onWindows } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';
import { track } from '../support/track.ts';

const Point = struct('Point', { x: f64, y: f64 });
const Sensor = struct('Sensor', {
  id: u32,
  live: bool,
  state: enumOf(u8, { Idle: 0, Run: 1, Fault: 7 }),
  name: utf8(12),
  at: Point,
  trace: array(f64, 3),
  total: u64,
  level: i32,
});
const sample = {
  id: 7,
  live: true,
  state: 'Run' as const,
  name: 'boiler',
  at: { x: 1.5, y: -2 },
  trace: [1, 2, 3],
  total: 2n ** 63n,
  level: -5,
};
const Numbers = struct('Numbers', { a: f64, b: f64, c: u32, d: i32, e: u64 });

let serial = 0;
const uniqueName = (): string => `sharecord-test-store-${process.pid}-${serial++}`;

const folder = mkdtempSync(join(tmpdir(), 'sharecord-test-store-'));

const backings = [
  { backing: 'named', place: () => ({ name: uniqueName() }) },
  { backing: 'file', place: () => ({ file: join(folder, `${serial++}.store`) }) },
  { backing: 'anonymous', place: () => ({}) },
  { backing: 'process', place: () => ({ backing: 'process' as const }) },
] as const;
const guards = [
  { guard: 'latch', guardOf: () => 'latch' as const },
  { guard: 'seqlock', guardOf: () => 'seqlock' as const },
  { guard: 'namedMutex', guardOf: () => namedMutex(uniqueName(), { timeoutMs: 1000 }) },
] as const;
// Under Wine the clock runs ten times slower: there the other guards have one backing.
const kinds = backings.flatMap(({ backing, place }) =>
  (onWindows && backing !== 'named' ? guards.slice(0, 1) : guards).map(({ guard, guardOf }) => ({
    backing,
    guard,
    options: () => ({ ...place(), guard: guardOf() }),
  })),
);

describe.each(kinds)('a store with backing $backing under $guard', ({ backing, guard, options }) => {
  const make = (capacity = 4): StoreWriter<typeof Sensor> =>
    track(createStore({ ...options(), layout: Sensor, capacity }));

  test('reads zero() and generation 0 before the first write', () => {
    const store = make();
    expect(store.read(3)).toEqual(Sensor.zero());
    expect(store.generation(3)).toBe(0);
    expect(store.created).toBe(true);
    expect(store.segment.backing).toBe(backing);
  });

  test('reads back what was written, in this open and in others', () => {
    const store = make();
    store.write(1, sample);
    const reader = track(openStore(store.handle, Sensor));
    for (const each of [store, reader]) {
      expect(each.read(1)).toEqual(sample);
      expect(each.tryRead(1)).toEqual(sample);
      const target = Sensor.zero();
      expect(each.readInto(1, target)).toBe(target);
      expect(target).toEqual(sample);
      expect(each.generation(1)).toBe(1);
      expect([...each][1]).toEqual(sample);
      expect([...each.entries()][1]).toEqual([1, sample]);
      expect(each.read(0)).toEqual(Sensor.zero());
    }
    expect(reader.created).toBe(false);
    expect('write' in reader).toBe(false);
  });

  // At and around the sizes whose copies are made another way.
  test.each([1016, 1024, 1025, 1032, 5000])('a record of %i bytes keeps its last byte', (size) => {
    const store = track(
      createStore({ ...options(), layout: struct('Large', { all: bytes(size) }), capacity: 3 }),
    );
    const filled = (value: number) => ({ all: new Uint8Array(size).fill(value) });
    store.write(1, filled(1));
    expect(store.read(1)).toEqual(filled(1));
    expect(store.tryRead(1)).toEqual(filled(1));
    store.update(1, (draft) => {
      expect(draft).toEqual(filled(1));
      draft.all = filled(2).all;
    });
    expect(store.readInto(1, store.layout.zero())).toEqual(filled(2));
    store.assign(1, filled(3));
    expect([...store]).toEqual([filled(0), filled(3), filled(0)]);
  });

  test('counts generations by committed writes', () => {
    const store = make();
    for (let i = 1; i <= 10; i++) {
      store.write(0, { ...sample, id: i });
      expect(store.generation(0)).toBe(i);
      expect(store.read(0).id).toBe(i);
    }
    expect(store.generation(1)).toBe(0);
  });

  test('assign changes the given fields and leaves the others', () => {
    const store = make();
    store.write(0, sample);
    store.assign(0, { at: { y: 9 }, state: 'Fault', name: '' });
    expect(store.read(0)).toEqual({ ...sample, at: { x: 1.5, y: 9 }, state: 'Fault', name: '' });
  });

  test('add adds to integers of every width, and refuses a sum out of range', () => {
    const store = make();
    store.write(0, sample);
    store.add(0, 'id', 5);
    store.add(0, 'level', -5);
    store.add(0, 'total', 1n);
    expect(store.read(0)).toMatchObject({ id: 12, level: -10, total: 2n ** 63n + 1n });
    const before = store.generation(0);
    expect(() => store.add(0, 'id', -13)).toThrow(withCode('VALUE_RANGE'));
    expect(() => store.add(0, 'at' as 'id', 1)).toThrow(withCode('VALUE_TYPE'));
    expect(store.generation(0)).toBe(before);
  });

  test('update commits the draft, and nothing when the callback throws or returns a promise', () => {
    const store = make();
    store.write(0, sample);
    store.update(0, (draft) => {
      draft.at.x += 1;
      draft.trace[2] = 30;
      draft.total -= 1n;
    });
    expect(store.read(0)).toMatchObject({ at: { x: 2.5, y: -2 }, trace: [1, 2, 30], total: 2n ** 63n - 1n });
    const mine = new RangeError('mine');
    const failing = (): void =>
      store.update(0, (draft) => {
        draft.id = 99;
        throw mine;
      });
    expect(failing).toThrow(mine);
    const asynchronous = async (draft: { id: number }): Promise<void> => {
      draft.id = 99;
    };
    // @ts-expect-error an async callback would commit before it ran
    expect(() => store.update(0, asynchronous)).toThrow(withCode('VALUE_TYPE'));
    expect(store.read(0).id).toBe(7);
    expect(store.generation(0)).toBe(2);
  });

  test('update runs again when another write came between, and loses none', () => {
    const store = make();
    let runs = 0;
    store.update(0, (draft) => {
      if (runs++ === 0)
        store.update(0, (inner) => {
          inner.id += 10;
        });
      draft.id += 1;
    });
    expect(runs).toBe(2);
    expect(store.read(0).id).toBe(11);
  });

  test('a bad record is refused with its code and leaves the store as it was', () => {
    const store = make();
    store.write(0, sample);
    const bad: [unknown, string][] = [
      [{ ...sample, id: -1 }, 'VALUE_RANGE'],
      [{ ...sample, id: 1.5 }, 'VALUE_RANGE'],
      [{ ...sample, id: '1' }, 'VALUE_TYPE'],
      [{ ...sample, total: 1 }, 'VALUE_TYPE'],
      [{ ...sample, total: -1n }, 'VALUE_RANGE'],
      [{ ...sample, state: 'Nope' }, 'VALUE_RANGE'],
      [{ ...sample, name: 'twelve bytes' }, 'VALUE_TOO_LONG'],
      [{ ...sample, trace: [1, 2] }, 'VALUE_RANGE'],
      [{ ...sample, typo: 1 }, 'VALUE_TYPE'],
      [{ ...sample, id: undefined }, 'VALUE_TYPE'],
      [{ id: 1 }, 'VALUE_TYPE'],
      [null, 'VALUE_TYPE'],
    ];
    for (const [record, code] of bad) {
      expect(() => store.write(0, record as typeof sample), JSON.stringify(code)).toThrow(withCode(code));
    }
    expect(() => store.assign(0, { at: { z: 1 } } as object)).toThrow(withCode('VALUE_TYPE'));
    expect(store.read(0)).toEqual(sample);
    expect(store.generation(0)).toBe(1);
  });

  test('an index that is not there is INDEX_RANGE everywhere', () => {
    const store = make();
    for (const index of [-1, 4, 1.5, Number.NaN, 2 ** 32, '0', undefined] as number[]) {
      const calls = [
        () => store.read(index),
        () => store.tryRead(index),
        () => store.readInto(index, Sensor.zero()),
        () => store.write(index, sample),
        () => store.assign(index, {}),
        () => store.add(index, 'id', 1),
        () => store.update(index, () => {}),
        () => store.generation(index),
      ];
      for (const call of calls) expect(call).toThrow(withCode('INDEX_RANGE'));
    }
    expect(() => store.watch(4)).toThrow(withCode('INDEX_RANGE'));
  });

  test('readColumn gives a typed array for numbers, an array for others, and fills a given one', () => {
    const store = make(3);
    for (let i = 0; i < 3; i++) store.write(i, { ...sample, id: i, total: BigInt(i), name: `n${i}` });
    expect(store.readColumn('id')).toEqual(Uint32Array.of(0, 1, 2));
    expect(store.readColumn('total')).toEqual(BigUint64Array.of(0n, 1n, 2n));
    expect(store.readColumn('name')).toEqual(['n0', 'n1', 'n2']);
    const out = new Uint32Array(5);
    expect(store.readColumn('id', out)).toBe(out);
    expect([...out]).toEqual([0, 1, 2, 0, 0]);
    expect(() => store.readColumn('id', new Uint32Array(2))).toThrow(withCode('VALUE_TYPE'));
    expect(() => store.readColumn('nope' as 'id')).toThrow(withCode('VALUE_TYPE'));
  });

  test('a scalar-only record behaves like any other', () => {
    const store = track(createStore({ ...options(), layout: Numbers, capacity: 2 }));
    const record = { a: 1.5, b: -0, c: 2 ** 32 - 1, d: -(2 ** 31), e: 2n ** 64n - 1n };
    store.write(1, record);
    expect(store.read(1)).toEqual(record);
    expect(() => store.write(1, { ...record, c: 2 ** 32 })).toThrow(withCode('VALUE_RANGE'));
    expect(() => store.write(1, { ...record, f: 1 } as typeof record)).toThrow(withCode('VALUE_TYPE'));
    expect(store.generation(1)).toBe(1);
  });

  test('a callback or getter that always writes its own record is LOCK_TIMEOUT, not a hang', () => {
    const store = make();
    const again = (draft: { id: number }): void => {
      store.write(0, sample);
      draft.id = 1;
    };
    expect(() => store.update(0, again)).toThrow(withCode('LOCK_TIMEOUT'));
    expect(store.read(0)).toEqual(sample);
  });

  test('a getter that writes the same store changes neither record', () => {
    const store = make();
    const tricky = { ...sample };
    Object.defineProperty(tricky, 'level', {
      enumerable: true,
      get() {
        store.write(0, { ...sample, name: 'inner', id: 1 });
        return -6;
      },
    });
    store.write(1, tricky);
    expect(store.read(0)).toEqual({ ...sample, name: 'inner', id: 1 });
    expect(store.read(1)).toEqual({ ...sample, level: -6 });
  });

  test('a closed enum without 0 reads as its first member before the first write', () => {
    const Odd = struct('Odd', { kind: enumOf(u8, { One: 1, Two: 2 }), n: u32 });
    const store = track(createStore({ ...options(), layout: Odd, capacity: 2 }));
    expect(store.read(0)).toEqual({ kind: 'One', n: 0 });
    expect(store.readInto(0, Odd.zero())).toEqual({ kind: 'One', n: 0 });
    expect(store.readColumn('kind')).toEqual(['One', 'One']);
    store.update(0, (draft) => {
      draft.n = 3;
    });
    expect(store.read(0)).toEqual({ kind: 'One', n: 3 });
  });

  test('a length that a sibling keeps follows its text, in write, assign and update', () => {
    const Message = struct('Message', {
      used: u32,
      text: utf8(16, { length: 'used' }),
      list: array(be(u32), 2),
    });
    const store = track(createStore({ ...options(), layout: Message, capacity: 1 }));
    store.write(0, { text: 'hello', list: [1, 2] });
    expect(store.read(0)).toEqual({ used: 5, text: 'hello', list: [1, 2] });
    store.update(0, (draft) => {
      draft.text = 'hi';
    });
    expect(store.read(0)).toEqual({ used: 2, text: 'hi', list: [1, 2] });
    store.assign(0, { text: 'again' });
    expect(store.read(0).used).toBe(5);
    expect(() =>
      store.update(0, (draft) => {
        draft.used = 9;
      }),
    ).toThrow(withCode('VALUE_RANGE'));
    expect(store.readColumn('used')).toEqual(Uint32Array.of(5));
  });

  test('two opens for writing share one record, and close on their own', () => {
    const store = make();
    const other = track(openStore(store.handle, Sensor, { access: 'read-write' }));
    store.write(0, sample);
    other.update(0, (draft) => {
      draft.id += 1;
    });
    expect(store.read(0).id).toBe(8);
    other.close();
    store.update(0, (draft) => {
      draft.id += 1;
    });
    expect(store.read(0).id).toBe(9);
  });

  test('an untyped open decodes by the description in the segment', () => {
    const store = make();
    store.write(2, sample);
    const unknown = track(openStore(store.handle));
    expect(unknown.read(2)).toEqual(sample);
    expect(unknown.layout.digest).toBe(Sensor.digest);
    expect(unknown.layout.name).toBe('Sensor');
  });

  test('a struct may have any name', () => {
    const Odd = struct('line\nfeed "quoted" 簡', { n: u32 });
    const store = track(createStore({ ...options(), layout: Odd, capacity: 1 }));
    store.write(0, { n: 5 });
    const unknown = track(openStore(store.handle));
    expect([unknown.layout.name, unknown.read(0)]).toEqual([Odd.name, { n: 5 }]);
  });

  test('another layout is LAYOUT_MISMATCH and the message names the field', () => {
    const store = make();
    const Other = struct('Other', { id: u32, live: bool, state: enumOf(u8, { Idle: 0 }) });
    expect(() => openStore(store.handle, Other)).toThrow(withCode('LAYOUT_MISMATCH'));
    expect(() => openStore(store.handle, Other)).toThrow(/state|name/);
  });

  test('posting the store itself throws', () => {
    const store = make();
    expect(() => structuredClone(store)).toThrow();
    const { port1, port2 } = new MessageChannel();
    expect(() => port1.postMessage(store)).toThrow();
    port1.close();
    port2.close();
  });

  test('after close every call throws STORE_CLOSED and close may be called again', () => {
    const store = make();
    const { segment, handle } = store;
    expect(handle.backing).toBe(backing);
    for (let i = 0; i < 20_000; i++) {
      store.write(0, sample);
      store.read(0);
      store.readInto(0, Sensor.zero());
    }
    store.close();
    store.close();
    const calls: (() => unknown)[] = [
      () => store.read(0),
      () => store.tryRead(0),
      () => store.readInto(0, Sensor.zero()),
      () => store.readColumn('id'),
      () => store.generation(0),
      () => store.watch(),
      () => store.watch(0),
      () => store.write(0, sample),
      () => store.assign(0, { id: 1 }),
      () => store.add(0, 'id', 1),
      () => store.update(0, () => {}),
      () => [...store],
      () => [...store.entries()],
      () => store.handle,
      () => store.orphaned,
      () => segment.buffer,
      () => segment.handle,
      () => segment.flush(),
      () => segment.unlink(),
    ];
    for (const call of calls) expect(call, String(call)).toThrow(withCode('STORE_CLOSED'));
    expect(store.closed).toBe(true);
  });

  test('closing the segment closes the store', () => {
    const store = make();
    store.segment.close();
    expect(store.closed).toBe(true);
    expect(() => store.read(0)).toThrow(withCode('STORE_CLOSED'));
  });

  test('watch(index) gives the present record first, then the newest states, and ends on close', async () => {
    const store = make();
    store.write(1, sample);
    const reader = track(openStore(store.handle, Sensor));
    const watch = reader.watch(1);
    expect((await watch.next()).value).toEqual({ index: 1, generation: 1, record: sample });
    setTimeout(() => {
      store.write(0, sample);
      store.write(1, { ...sample, id: 8 });
      store.write(1, { ...sample, id: 9 });
    }, 5);
    expect((await watch.next()).value).toMatchObject({ index: 1, generation: 3, record: { id: 9 } });
    const pending = watch.next();
    reader.close();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(await watch.next()).toEqual({ done: true, value: undefined });
  });

  test('watch() gives changes only, from the call on, each record with its newest state', async () => {
    const store = make();
    store.write(0, sample);
    const watch = store.watch();
    store.write(2, { ...sample, id: 1 });
    store.write(2, { ...sample, id: 2 });
    store.write(3, { ...sample, id: 3 });
    const seen = [(await watch.next()).value, (await watch.next()).value];
    expect(seen).toMatchObject([
      { index: 2, generation: 2, record: { id: 2 } },
      { index: 3, generation: 1, record: { id: 3 } },
    ]);
    setTimeout(() => store.write(0, sample), 5);
    expect((await watch.next()).value).toMatchObject({ index: 0, generation: 2 });
    await watch.return?.();
    expect((await watch.next()).done).toBe(true);
  });

  test('break ends a watch, and an abort throws an AbortError with its reason', async () => {
    const store = make();
    store.write(0, sample);
    for await (const { record } of store.watch(0)) {
      expect(record.id).toBe(7);
      break;
    }
    const stop = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => stop.abort(reason), 5);
    const following = (async () => {
      for await (const change of store.watch({ signal: stop.signal })) expect(change).toBeUndefined();
    })();
    await expect(following).rejects.toMatchObject({ name: 'AbortError', cause: reason });
  });

  test('a signal that aborts while no next waits is told once; bad options throw before the watch begins', async () => {
    const store = make();
    const stop = new AbortController();
    const watch = store.watch({ signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(watch.next()).rejects.toMatchObject({ name: 'AbortError' });
    expect((await watch.next()).done).toBe(true);
    const aborted = store.watch(0, { signal: AbortSignal.abort() });
    await expect(aborted.next()).rejects.toMatchObject({ name: 'AbortError' });
    expect(() => store.watch({ signal: {} as AbortSignal })).toThrow(withCode('VALUE_TYPE'));
    const closing = {
      get intervalMs(): number {
        store.close();
        return 5;
      },
    };
    expect(() => store.watch(closing)).toThrow(withCode('STORE_CLOSED'));
  });

  test('the segment tells its size and the handle is plain data', () => {
    const store = make(1000);
    expect(store.segment.size).toBeGreaterThan(1000 * Sensor.size * (guard === 'seqlock' ? 1 : 2));
    expect(store.segment.buffer.byteLength).toBe(store.segment.size);
    const { handle } = store;
    if (backing !== 'process') expect(JSON.parse(JSON.stringify(handle)) as Handle).toEqual(handle);
    expect(structuredClone(handle).size).toBe(store.segment.size);
  });
});

test('nothing of these tests is left in shared memory or among the files', () => {
  expect(readdirSync(folder)).toEqual([]);
  rmdirSync(folder);
  for (let i = 0; i < serial; i++) expect(isNamed(`sharecord-test-store-${process.pid}-${i}`)).toBe(false);
});
