// The floor for records of every scalar kind (`Mixed` in records.ts), under the rules of floor.ts.
import { SLOT_CELLS_WORD } from '../src/sync/cells.ts';
import type { SlotMemory } from './floor.ts';

const WORD = 4;
const LOCK = 1;
const ME = 0x7fff_ff02;
const MODES = ['Idle', 'Run', 'Fault'] as const;
type Mode = (typeof MODES)[number];

/** The fields of `Mixed` under other names. */
export interface Nine {
  n: number;
  l: number;
  w: number;
  x: number;
  y: number;
  z: number;
  sum: bigint;
  on: boolean;
  mode: Mode;
}

export const nine = (): Nine => ({
  n: 1,
  l: -1,
  w: 0.5,
  x: 0.5,
  y: 0.5,
  z: 0.5,
  sum: 1n,
  on: true,
  mode: 'Run',
});

/** Reads and writes mixed records. */
export function handMixed({ words, doubles, view, firstWord, strideWords, cellWords }: SlotMemory) {
  const { buffer } = words;
  const units = new Uint32Array(buffer, 0, words.length);
  const wide = new BigUint64Array(buffer, 0, doubles.length);
  const bytes = new Uint8Array(buffer);

  const fill = (cell: number, { n, l, w, x, y, z, sum, on, mode }: Nine): void => {
    const o = cell >> 1;
    words[cell] = n;
    words[cell + 1] = l;
    doubles[o + 1] = w;
    doubles[o + 2] = x;
    doubles[o + 3] = y;
    doubles[o + 4] = z;
    wide[o + 5] = sum;
    bytes[cell * WORD + 48] = on ? 1 : 0;
    bytes[cell * WORD + 49] = mode === 'Idle' ? 0 : mode === 'Run' ? 1 : 2;
  };
  return {
    /** Stores a record in the cell at that word. */
    fill,

    read(index: number): Nine {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const cell = slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords;
        const o = cell >> 1;
        const n = units[cell]!;
        const l = words[cell + 1]!;
        const w = doubles[o + 1]!;
        const x = doubles[o + 2]!;
        const y = doubles[o + 3]!;
        const z = doubles[o + 4]!;
        const sum = wide[o + 5]!;
        const on = bytes[cell * WORD + 48] !== 0;
        const mode = MODES[bytes[cell * WORD + 49]!]!;
        if (Atomics.load(words, slot) === sequence) return { n, l, w, x, y, z, sum, on, mode };
      }
    },

    /** The same with a DataView. */
    readView(index: number): Nine {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const o = (slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords) * WORD;
        const n = view.getUint32(o, true);
        const l = view.getInt32(o + 4, true);
        const w = view.getFloat64(o + 8, true);
        const x = view.getFloat64(o + 16, true);
        const y = view.getFloat64(o + 24, true);
        const z = view.getFloat64(o + 32, true);
        const sum = view.getBigUint64(o + 40, true);
        const on = view.getUint8(o + 48) !== 0;
        const mode = MODES[view.getUint8(o + 49)]!;
        if (Atomics.load(words, slot) === sequence) return { n, l, w, x, y, z, sum, on, mode };
      }
    },

    /** Assigns before the check, see floor.ts. */
    readInto(index: number, target: Nine): Nine {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const cell = slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords;
        const o = cell >> 1;
        target.n = units[cell]!;
        target.l = words[cell + 1]!;
        target.w = doubles[o + 1]!;
        target.x = doubles[o + 2]!;
        target.y = doubles[o + 3]!;
        target.z = doubles[o + 4]!;
        target.sum = wide[o + 5]!;
        target.on = bytes[cell * WORD + 48] !== 0;
        target.mode = MODES[bytes[cell * WORD + 49]!]!;
        if (Atomics.load(words, slot) === sequence) return target;
      }
    },

    /** The same with a DataView. */
    readViewInto(index: number, target: Nine): Nine {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const o = (slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords) * WORD;
        target.n = view.getUint32(o, true);
        target.l = view.getInt32(o + 4, true);
        target.w = view.getFloat64(o + 8, true);
        target.x = view.getFloat64(o + 16, true);
        target.y = view.getFloat64(o + 24, true);
        target.z = view.getFloat64(o + 32, true);
        target.sum = view.getBigUint64(o + 40, true);
        target.on = view.getUint8(o + 48) !== 0;
        target.mode = MODES[view.getUint8(o + 49)]!;
        if (Atomics.load(words, slot) === sequence) return target;
      }
    },

    /** Several writers: lock, fill the spare cell, publish, unlock. */
    write(index: number, record: Nine): void {
      const slot = firstWord + index * strideWords;
      while (Atomics.compareExchange(words, slot + LOCK, 0, ME) !== 0);
      fill(slot + SLOT_CELLS_WORD + ((words[slot]! + 1) & 1) * cellWords, record);
      Atomics.add(words, slot, 1);
      Atomics.store(words, slot + LOCK, 0);
    },

    /** Several writers, unlocked by a plain store. */
    writePlainUnlock(index: number, record: Nine): void {
      const slot = firstWord + index * strideWords;
      while (Atomics.compareExchange(words, slot + LOCK, 0, ME) !== 0);
      fill(slot + SLOT_CELLS_WORD + ((words[slot]! + 1) & 1) * cellWords, record);
      Atomics.add(words, slot, 1);
      words[slot + LOCK] = 0;
    },

    /** One writer: no lock. */
    writeAlone(index: number, record: Nine): void {
      const slot = firstWord + index * strideWords;
      fill(slot + SLOT_CELLS_WORD + ((words[slot]! + 1) & 1) * cellWords, record);
      Atomics.add(words, slot, 1);
    },
  };
}
