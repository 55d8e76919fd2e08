// The floor for changes of a part of a mixed record and for reading one field of all, under the rules of floor.ts.
import { SLOT_CELLS_WORD } from '../src/sync/cells.ts';
import { handMixed, type Nine } from './floor-mixed.ts';
import type { SlotMemory } from './floor.ts';

const LOCK = 1;
const ME = 0x7fff_ff04;
const LOW = 8 / 8;

/** Changes mixed records. */
export function handChanges(memory: SlotMemory) {
  const { words, doubles, firstWord, strideWords, cellWords } = memory;
  const units = new Uint32Array(words.buffer, 0, words.length);
  const { read, fill } = handMixed(memory);

  /** Takes the lock, copies the current cell to the spare one and gives the spare one. */
  const begin = (slot: number): number => {
    while (Atomics.compareExchange(words, slot + LOCK, 0, ME) !== 0);
    const current = words[slot]! & 1;
    const from = slot + SLOT_CELLS_WORD + current * cellWords;
    const to = slot + SLOT_CELLS_WORD + (1 - current) * cellWords;
    for (let i = 0; i < cellWords; i++) words[to + i] = words[from + i]!;
    return to;
  };
  const commit = (slot: number): void => {
    Atomics.add(words, slot, 1);
    Atomics.store(words, slot + LOCK, 0);
  };
  return {
    add(index: number, delta: number): void {
      const slot = firstWord + index * strideWords;
      const cell = begin(slot);
      units[cell] = units[cell]! + delta;
      commit(slot);
    },

    assign(index: number, { w, x }: Pick<Nine, 'w' | 'x'>): void {
      const slot = firstWord + index * strideWords;
      const o = begin(slot) >> 1;
      doubles[o + LOW] = w;
      doubles[o + LOW + 1] = x;
      commit(slot);
    },

    /** Holds no lock while `change` runs, and runs it again when another writer was faster. */
    update(index: number, change: (draft: Nine) => void): void {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const draft = read(index);
        change(draft);
        while (Atomics.compareExchange(words, slot + LOCK, 0, ME) !== 0);
        const same = words[slot] === sequence;
        if (same) {
          fill(slot + SLOT_CELLS_WORD + ((sequence + 1) & 1) * cellWords, draft);
          Atomics.add(words, slot, 1);
        }
        Atomics.store(words, slot + LOCK, 0);
        if (same) return;
      }
    },

    /** Reads one field of the first `count` records. */
    column(out: Float64Array, count: number): Float64Array {
      for (let index = 0; index < count; index++) {
        const slot = firstWord + index * strideWords;
        for (;;) {
          const sequence = words[slot]!;
          const value = doubles[((slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords) >> 1) + LOW]!;
          if (Atomics.load(words, slot) !== sequence) continue;
          out[index] = value;
          break;
        }
      }
      return out;
    },
  };
}
