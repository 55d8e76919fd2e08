// The guards of managed stores besides the latch: how a store says which one it has, and what a death inside a write leaves.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import {
  array,
  createRecord,
  createStore,
  f64,
  joinStore,
  namedMutex,
  openStore,
  robustMutex,
  struct,
  u32,
} from '../../src/index.ts';
import { isNamed, onWindows } from '../support/system.ts';
import { wordOf } from '../support/header.ts';
import { withCode } from '../support/with-code.ts';
import { killAfterwards, track } from '../support/track.ts';

const Row = struct('Row', { n: u32, values: array(f64, 64) });
const row = (n: number) => ({ n, values: Array.from({ length: 64 }, () => n) });
let serial = 0;
const uniqueName = (): string => `sharecord-test-guards-${process.pid}-${serial++}`;

/** Starts a child that joins the store and is killed with the mutex; resolves with its death. */
async function dieInside(...args: readonly string[]): Promise<void> {
  const child = fork(new URL('./guards-child.ts', import.meta.url), [...args], {
    execArgv: ['--conditions=@sharecord/source'],
  });
  killAfterwards(child);
  await once(child, 'exit');
  expect(child.signalCode ?? child.exitCode).toBe(onWindows ? 1 : 'SIGKILL');
}

const mutexNamed = (name: string) => namedMutex(name, { timeoutMs: 50 });

describe('the guard of a store', () => {
  test.each(['seqlock', 'namedMutex'] as const)('is found in the header by every opener: %s', (kind) => {
    const [name, mutex] = [uniqueName(), uniqueName()];
    const guard = kind === 'seqlock' ? kind : mutexNamed(mutex);
    const store = track(createStore({ name, layout: Row, capacity: 3, guard }));
    store.write(1, row(1));
    const writer = track(openStore(name, Row, { access: 'read-write' }));
    writer.update(1, (draft) => void draft.n++);
    expect(track(openStore(name, Row)).read(1)).toEqual({ ...row(1), n: 2 });
    expect(track(openStore(name)).read(1)).toEqual({ ...row(1), n: 2 });
    expect(store.generation(1)).toBe(2);
    const joined = track(joinStore({ name, layout: Row, capacity: 3, guard }));
    expect([joined.created, joined.read(1)]).toEqual([false, { ...row(1), n: 2 }]);
  });

  test('that differs is SEGMENT_FORMAT while a writer lives', () => {
    const [name, one, two] = [uniqueName(), uniqueName(), uniqueName()];
    const guards = ['latch', 'seqlock', mutexNamed(one), mutexNamed(two)] as const;
    for (const guard of guards) {
      const store = track(createStore({ name, layout: Row, capacity: 1, guard }));
      store.write(0, row(5));
      for (const other of guards) {
        const join = () => joinStore({ name, layout: Row, capacity: 1, guard: other });
        if (other === guard) join().close();
        else expect(join).toThrow(withCode('SEGMENT_FORMAT'));
      }
      expect(() => joinStore({ name, layout: Row, capacity: 1, guard: mutexNamed('x/y') })).toThrow(
        onWindows ? withCode('SEGMENT_FORMAT') : withCode('SEGMENT_NAME'),
      );
      expect(store.read(0)).toEqual(row(5));
      store.close();
      expect(isNamed(name)).toBe(false);
      if (!onWindows) for (const mutex of [one, two]) expect(isNamed(mutex)).toBe(false);
    }
  });

  test('is refused before anything is made if it cannot guard a store', () => {
    const name = uniqueName();
    const bad: [unknown, string][] = [
      ['hope', 'VALUE_RANGE'],
      [5, 'VALUE_TYPE'],
      [null, 'VALUE_TYPE'],
      [robustMutex({ at: 'n', timeoutMs: 5 }), 'VALUE_TYPE'],
      [{ kind: 'namedMutex', name: 'x' }, 'VALUE_TYPE'],
      [{ kind: 'namedMutex', name: 5, timeoutMs: 1 }, 'VALUE_TYPE'],
      [mutexNamed(''), 'SEGMENT_NAME'],
      [mutexNamed(name), 'VALUE_RANGE'],
    ];
    for (const [guard, expected] of bad) {
      const options = { name, layout: Row, capacity: 1, guard } as Parameters<typeof createStore>[0];
      expect(() => createStore(options), String(guard)).toThrow(withCode(expected));
      expect(() => joinStore(options), String(guard)).toThrow(withCode(expected));
    }
    expect(isNamed(name)).toBe(false);
  });

  test('a seqlock takes half the memory of a latch', () => {
    const size = (guard: 'latch' | 'seqlock'): number =>
      track(createStore({ layout: Row, capacity: 1000, guard })).segment.size;
    expect(size('seqlock') / size('latch')).toBeLessThan(0.55);
  });
});

describe('a seqlock', () => {
  // As a writer leaves it that died inside a write: an odd sequence, half a record, the word of somebody dead.
  const tear = (store: ReturnType<typeof make>): void => {
    const words = new Int32Array(store.segment.buffer);
    const slot = words[wordOf('headerLength')]! / 4;
    words[slot]! += 1;
    words[slot + 1] = (1 << 8) | 200;
    words[slot + 4] = 99;
  };
  const make = () => track(createStore({ layout: Row, capacity: 2, guard: 'seqlock' }));

  test('torn by a dead writer is WRITER_DIED until somebody writes the record whole', () => {
    const store = make();
    const reader = track(openStore(store.handle, Row));
    store.write(0, row(1));
    store.write(1, row(1));
    tear(store);
    for (const each of [store, reader]) {
      expect(() => each.read(0)).toThrow(withCode('WRITER_DIED'));
      expect(() => each.tryRead(0)).toThrow(withCode('WRITER_DIED'));
      expect(() => each.readInto(0, Row.zero())).toThrow(withCode('WRITER_DIED'));
      expect(each.generation(0)).toBe(1);
      expect(each.read(1)).toEqual(row(1));
    }
    expect(() => store.assign(0, { n: 2 })).toThrow(withCode('WRITER_DIED'));
    expect(() => store.add(0, 'n', 1)).toThrow(withCode('WRITER_DIED'));
    expect(() => store.update(0, () => {})).toThrow(withCode('WRITER_DIED'));
    store.write(0, row(3));
    expect(reader.read(0)).toEqual(row(3));
    expect(reader.generation(0)).toBe(2);
    store.add(0, 'n', 1);
    expect(reader.read(0).n).toBe(4);
  });

  test('held by a living writer is READ_CONTENDED, and undefined from tryRead', () => {
    const store = make();
    const reader = track(openStore(store.handle, Row));
    store.write(0, row(1));
    const words = new Int32Array(store.segment.buffer);
    const slot = words[wordOf('headerLength')]! / 4;
    words[slot]! += 1;
    // The store's own open: slot 0, its first epoch.
    words[slot + 1] = 1 << 8;
    expect(() => reader.read(0)).toThrow(withCode('READ_CONTENDED'));
    expect(reader.tryRead(0)).toBeUndefined();
    words[slot]! += 1;
    words[slot + 1] = 0;
    expect(reader.read(0)).toEqual(row(1));
  });

  test('a watch waits for the whole write that follows a death', async () => {
    const store = make();
    const reader = track(openStore(store.handle, Row));
    store.write(0, row(1));
    tear(store);
    const next = reader.watch(0).next();
    setTimeout(() => store.write(0, row(2)), 20);
    expect((await next).value).toEqual({ index: 0, generation: 2, record: row(2) });
  });
});

describe('a named mutex', () => {
  test('held by somebody keeps every writer out and no reader', async () => {
    const [name, mutex] = [uniqueName(), uniqueName()];
    const store = track(createStore({ name, layout: Row, capacity: 1, guard: mutexNamed(mutex) }));
    store.write(0, row(1));
    const Other = struct('Other', { n: u32 });
    const other = track(createRecord(uniqueName(), Other, { guard: mutexNamed(mutex) }));
    await other.withLock(() => {
      expect(store.read(0)).toEqual(row(1));
      expect(() => store.write(0, row(2))).toThrow(withCode('LOCK_TIMEOUT'));
      expect(() => store.update(0, (draft) => void draft.n++)).toThrow(withCode('LOCK_TIMEOUT'));
    });
    expect(store.generation(0)).toBe(1);
    store.write(0, row(2));
    expect(store.read(0)).toEqual(row(2));
  });

  test('whose owner died is WRITER_DIED for one write, or told to onAbandoned with the mutex held', async () => {
    const [name, mutex] = [uniqueName(), uniqueName()];
    const store = track(createStore({ name, layout: Row, capacity: 1, guard: mutexNamed(mutex) }));
    store.write(0, row(1));
    await dieInside(name, mutex);
    expect(store.read(0)).toEqual(row(1));
    expect(() => store.write(0, row(2))).toThrow(withCode('WRITER_DIED'));
    store.write(0, row(2));
    expect(store.read(0)).toEqual(row(2));
    await dieInside(name, mutex);
    let told = 0;
    const onAbandoned = (): void => {
      told++;
      healing.write(0, row(9));
    };
    const guard = namedMutex(mutex, { timeoutMs: 50, onAbandoned });
    const healing = track(joinStore({ name, layout: Row, capacity: 1, guard }));
    healing.update(0, (draft) => void draft.n++);
    expect(told).toBe(1);
    expect(store.read(0)).toEqual({ ...row(9), n: 10 });
  });
});

test('nothing of these tests is left in shared memory', () => {
  for (let i = 0; i < serial; i++) expect(isNamed(`sharecord-test-guards-${process.pid}-${i}`)).toBe(false);
});
