// The lock of a record at the moment of its publish, which no other writer may have taken by then.
import { afterEach, expect, test, vi } from 'vitest';
import { array, createMap, createStore, f64, struct, u32 } from '../../src/index.ts';
import { SLOT_LOCK_WORD } from '../../src/sync/cells.ts';

// One that is written by generated text, and one that is too large for it.
const Small = struct('Small', { a: f64, b: f64 });
const Large = struct('Large', { a: f64, rest: array(f64, 600) });

afterEach(() => void vi.restoreAllMocks());

/** Gives the lock words of the slots whose sequence `work` moves, as they are at that moment. */
function locksAtPublish(work: () => void): number[] {
  const locks: number[] = [];
  const add = Atomics.add.bind(Atomics) as (words: Int32Array, at: number, value: number) => number;
  vi.spyOn(Atomics, 'add').mockImplementation(((words: Int32Array, at: number, value: number) => {
    locks.push(Atomics.load(words, at + SLOT_LOCK_WORD));
    return add(words, at, value);
  }) as typeof Atomics.add);
  work();
  return locks;
}

test.each([
  ['small', Small],
  ['large', Large as unknown as typeof Small],
])('a write of a %s record is published under its lock, and frees it', (_size, layout) => {
  const store = createStore({ backing: 'process', layout, capacity: 2 });
  const locks = locksAtPublish(() => {
    store.write(1, { ...layout.zero(), a: 1 });
    store.update(1, (draft) => void draft.a++);
    store.assign(1, { a: 3 });
  });
  expect(locks).toHaveLength(3);
  expect(locks.every((owner) => owner !== 0)).toBe(true);
  // Nobody waits for the next write.
  store.write(1, layout.zero());
  expect(store.generation(1)).toBe(4);
  store.close();
});

test('a write of a key is published under the lock of its slot', () => {
  const map = createMap({ backing: 'process', key: u32, layout: Small, capacity: 4 });
  map.set(1, { a: 1, b: 1 });
  const locks = locksAtPublish(() => {
    map.set(1, { a: 2, b: 2 });
    map.update(1, (draft) => void draft.a++);
  });
  expect(locks).toHaveLength(2);
  expect(locks.every((owner) => owner !== 0)).toBe(true);
  map.close();
});
