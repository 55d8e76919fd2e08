// Copies of cells: short ones by a loop, those above 1 KiB in bulk, each to its last word.
import { describe, expect, test } from 'vitest';
import { array, createMap, createStore, struct, u32 } from '../../src/index.ts';
import { type CellMemory, copyIn, copyOut } from '../../src/sync/cells.ts';

const LENGTHS = [2, 254, 256, 258, 260, 2000];
const filled = (length: number, first: number): number[] => Array.from({ length }, (_, i) => first + i);

test.each(LENGTHS)('a copy has all %i words of its cell, and no other word is touched', (cellWords) => {
  const from = 3;
  for (const strongOrder of [true, false]) {
    const words = Int32Array.from(filled(from + cellWords + 3, 1));
    const target = new Int32Array(cellWords + 3).fill(-1);
    copyOut({ words, cellWords, strongOrder } as CellMemory, from, target);
    expect([...target]).toEqual([...filled(cellWords, 1 + from), -1, -1, -1]);
  }
  const words = new Int32Array(from + cellWords + 3).fill(-1);
  copyIn(words, from, Int32Array.from(filled(cellWords + 3, 1)), cellWords);
  expect([...words]).toEqual([-1, -1, -1, ...filled(cellWords, 1), -1, -1, -1]);
});

describe.each(LENGTHS)('records of %i words are read back to their last word', (length) => {
  const layout = struct('Large', { all: array(u32, length) });
  const first = { all: filled(length, 1) };
  const second = { all: filled(length, 1_000_000) };
  const draftOf = (record: typeof first) => (draft: { all: number[] }) => void (draft.all = record.all);

  test.each(['latch', 'seqlock'] as const)('from a store under a %s', async (guard) => {
    const store = createStore({ backing: 'process', layout, capacity: 2, guard });
    // Twice and by turns, so that each cell is filled and no copy has the words of the one before it.
    for (let round = 0; round < 2; round++) {
      for (const [a, b] of [
        [first, second],
        [second, first],
      ] as const) {
        store.write(0, a);
        store.update(1, draftOf(b));
        expect([store.read(0), store.read(1)]).toEqual([a, b]);
        expect((await store.watch(0).next()).value?.record).toEqual(a);
        expect((await store.watch(1).next()).value?.record).toEqual(b);
        let drafted: unknown;
        store.update(0, (draft) => void (drafted = { all: [...draft.all] }));
        expect(drafted).toEqual(a);
      }
    }
    store.close();
  });

  test('from a map', () => {
    const map = createMap({ backing: 'process', key: u32, layout, capacity: 2 });
    map.set(1, second).set(2, first);
    for (const [a, b] of [
      [first, second],
      [second, first],
    ] as const) {
      map.set(1, a);
      map.update(2, draftOf(b));
      expect([...map]).toEqual([
        [1, a],
        [2, b],
      ]);
      expect([map.get(1), map.get(2)]).toEqual([a, b]);
    }
    map.close();
  });
});
