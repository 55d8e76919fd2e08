// What another writer does between any two loads of one call of a map: the call gives what one order of the two gives.
import { describe, expect, test } from 'vitest';
import { createMap, f64, type KeyType, openMap, struct, u32, u64 } from '../../src/index.ts';
import { mapGeometry } from '../../src/sync/map-index.ts';
import { hashWords } from '../../src/sync/murmur.ts';
import { beforeLoad } from '../support/between-loads.ts';
import { wordOf } from '../support/header.ts';

const CAPACITY = 8;
const INDEX_LOCK_WORD = 0;
const Row = struct('Row', { a: f64 });

/** A map in this process with a second writer, and its words from the control block on. */
function makeMap<K extends KeyType>(key: K) {
  const definition = { key, layout: Row };
  const map = createMap({ backing: 'process', ...definition, capacity: CAPACITY });
  const other = openMap(map.handle, definition, { access: 'read-write' });
  const words = new Int32Array(map.segment.buffer as ArrayBuffer);
  const control = words.subarray((words[wordOf('headerLength')]! + CAPACITY * words[wordOf('stride')]!) / 4);
  return { map, other, control, buffer: map.segment.buffer };
}

/** Does what a writer does that makes the index anew and has begun to do so again. */
function rebuild(control: Int32Array): void {
  const { turns, indexes, indexWords } = mapGeometry(CAPACITY);
  const current = indexes + (control[turns]! & 1) * indexWords;
  const next = indexes + ((control[turns]! + 1) & 1) * indexWords;
  control.copyWithin(next, current, current + indexWords);
  Atomics.add(control, turns, 1);
  control.fill(0, current, current + indexWords);
}

// Two keys with one hash: whoever looks for the second compares the first, and the index may be made anew meanwhile.
const [FIRST, SECOND] = [231326938616419n, 241776594050020n];

describe('a key that is there is found, whenever the index is made anew', () => {
  test('the control, two keys with one hash', () => {
    const hashes = [FIRST, SECOND].map((key) =>
      hashWords(new Int32Array(BigUint64Array.of(key).buffer), 0, 2),
    );
    expect(hashes[0]).toBe(hashes[1]);
  });

  test.each(['get', 'has', 'set', 'update', 'delete'] as const)('by %s', async (how) => {
    const call = (map: ReturnType<typeof makeMap<typeof u64>>['map']): unknown => {
      if (how === 'set') return map.set(SECOND, { a: 3 }).size;
      if (how === 'update') return map.update(SECOND, (draft) => void (draft.a = 3));
      return map[how](SECOND);
    };
    const expected = { get: { a: 2 }, has: true, set: 2, update: true, delete: true }[how];
    let loads = 0;
    for (let isReached = true; isReached; loads++) {
      const { map, other, control, buffer } = makeMap(u64);
      map.set(FIRST, { a: 1 }).set(SECOND, { a: 2 });
      let found: unknown;
      isReached = await beforeLoad(
        buffer,
        loads,
        () => control[INDEX_LOCK_WORD] === 0 && rebuild(control),
        () => (found = call(map)),
      );
      expect(found, `the index made anew before load ${loads}`).toEqual(expected);
      other.close();
      map.close();
    }
    // The first key's slot, and the last look at the turns.
    expect(loads).toBeGreaterThan(2);
  });
});

test('a key that two writers set at once is there once, with either record', async () => {
  let loads = 0;
  for (let isReached = true; isReached; loads++) {
    const { map, other, control, buffer } = makeMap(u32);
    isReached = await beforeLoad(
      buffer,
      loads,
      () => control[INDEX_LOCK_WORD] === 0 && other.set(7, { a: 2 }),
      () => map.set(7, { a: 1 }),
    );
    expect([...map.keys()], `set by the other before load ${loads}`).toEqual([7]);
    expect(map.size).toBe(1);
    expect([1, 2]).toContain(map.get(7)?.a);
    expect(map.delete(7)).toBe(true);
    expect(map.has(7)).toBe(false);
    other.close();
    map.close();
  }
  expect(loads).toBeGreaterThan(2);
});

test.each(['one key', 'all keys'])(
  'a watch of %s gives the generation of the record, whenever it is written again',
  async (what) => {
    let [loads, newer] = [0, 0];
    for (let isReached = true; isReached; loads++) {
      const { map, other, buffer } = makeMap(u32);
      map.set(7, { a: 1 });
      const watch = what === 'one key' ? map.watch(7) : map.watch();
      map.set(7, { a: 2 });
      isReached = await beforeLoad(
        buffer,
        loads,
        () => other.set(7, { a: 3 }),
        async () => {
          const { value } = await watch.next();
          expect(value?.record, `written before load ${loads}`).toEqual({ a: value?.generation });
          if (value?.generation === 3) newer++;
        },
      );
      other.close();
      map.close();
    }
    expect(loads).toBeGreaterThan(4);
    // The control: both orders are there.
    expect(newer).toBeGreaterThan(0);
    expect(newer).toBeLessThan(loads - 1);
  },
);

test('a watch of all keys ends with what is there, whenever a slot goes back to the key that it had', async () => {
  let loads = 0;
  for (let isReached = true; isReached; loads++) {
    const { map, other, buffer } = makeMap(u32);
    map.set(7, { a: 1 });
    const watch = map.watch();
    map.delete(7);
    map.set(8, { a: 2 });
    const seen = new Map<number, unknown>([[7, { a: 1 }]]);
    const nothing = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 1));
    isReached = await beforeLoad(
      buffer,
      loads,
      () => {
        other.delete(8);
        other.set(7, { a: 3 });
      },
      async () => {
        for (;;) {
          const change = await Promise.race([watch.next(), nothing]);
          if (change?.value === undefined) return;
          const { key, record } = change.value;
          if (record === undefined) seen.delete(key);
          else seen.set(key, record);
        }
      },
    );
    if (isReached) expect([...seen], `changed before load ${loads}`).toEqual([[7, { a: 3 }]]);
    other.close();
    map.close();
  }
  expect(loads).toBeGreaterThan(10);
});
