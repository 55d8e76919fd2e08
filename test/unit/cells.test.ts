// Copies of cells and of parts of them: short ones by a loop, those above 1 KiB in bulk, each to its last word. Those of stores are in store.test.ts.
import { expect, test } from 'vitest';
import { array, createMap, struct, u32 } from '../../src/index.ts';
import { type CellMemory, copyIn, copyOut } from '../../src/sync/cells.ts';

const LENGTHS = [2, 254, 256, 258, 260, 2000];
const filled = (length: number, first: number): number[] => Array.from({ length }, (_, i) => first + i);

test.each(LENGTHS)('a copy has all %i words of its cell, and no other word is touched', (cellWords) => {
  const from = 3;
  for (const strongOrder of [true, false]) {
    const words = Int32Array.from(filled(from + cellWords + 3, 1));
    const target = new Int32Array(cellWords + 3).fill(-1);
    copyOut({ words, strongOrder } as CellMemory, from, target, 0, cellWords);
    expect([...target]).toEqual([...filled(cellWords, 1 + from), -1, -1, -1]);
    target.fill(-1);
    copyOut({ words, strongOrder } as CellMemory, from, target, 1, cellWords - 1);
    expect([...target]).toEqual([-1, ...filled(cellWords - 2, 2 + from), -1, -1, -1, -1]);
  }
  const words = new Int32Array(from + cellWords + 3).fill(-1);
  copyIn(words, from, Int32Array.from(filled(cellWords + 3, 1)), cellWords);
  expect([...words]).toEqual([-1, -1, -1, ...filled(cellWords, 1), -1, -1, -1]);
});

test.each(LENGTHS)('entries of a map with %i words are read back to their last word', (length) => {
  const layout = struct('Large', { all: array(u32, length) });
  const first = { all: filled(length, 1) };
  const second = { all: filled(length, 1_000_000) };
  const map = createMap({ backing: 'process', key: u32, layout, capacity: 2 });
  map.set(1, second).set(2, first);
  // By turns, so that each cell is filled and no copy has the words of the one before it.
  for (const [a, b] of [
    [first, second],
    [second, first],
  ] as const) {
    map.set(1, a);
    map.update(2, (draft) => void (draft.all = b.all));
    expect([...map]).toEqual([
      [1, a],
      [2, b],
    ]);
    expect([map.get(1), map.get(2)]).toEqual([a, b]);
  }
  map.close();
});
