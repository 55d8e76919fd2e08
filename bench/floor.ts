// The floor: what a skilled programmer would write by hand for exactly these records, on the memory of the store they are
// compared with. No index is checked, no value is checked, nothing can be closed, a dead writer's lock is never noticed.
// The keys differ from those of the layouts: object literals with the same keys share what V8 knows of their fields, and
// a definition such as `{ a: f64 }` is one with objects in its fields, which would slow these literals down.
import type { StoreReader } from '../src/index.ts';
import type { AnyLayout } from '../src/layout/types.ts';
import { SLOT_CELLS_WORD } from '../src/sync/cells.ts';
import { latchGeometry } from '../src/sync/latch.ts';
import { ARMED_WORD } from '../src/store/segment-header.ts';

const WORD = 4;
const LOCK = 1;
const ME = 0x7fff_ff01;

/** The memory of a store, laid out as docs/segment-format.md says. Words are 32 bits, doubles 64. */
export interface SlotMemory {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly view: DataView;
  readonly firstWord: number;
  readonly strideWords: number;
  readonly cellWords: number;
}

export function slotMemory(store: StoreReader<AnyLayout>): SlotMemory {
  const { buffer, size } = store.segment;
  const { cellWords, strideWords } = latchGeometry(store.layout.size);
  return {
    words: new Int32Array(buffer, 0, Math.floor(size / WORD)),
    doubles: new Float64Array(buffer, 0, Math.floor(size / (2 * WORD))),
    view: new DataView(buffer),
    firstWord: (size - store.capacity * strideWords * WORD) / WORD,
    strideWords,
    cellWords,
  };
}

/** Eight doubles. */
export interface Eight {
  p: number;
  q: number;
  r: number;
  s: number;
  t: number;
  u: number;
  v: number;
  w: number;
}

export const eight = (): Eight => ({ p: 0.5, q: 0.5, r: 0.5, s: 0.5, t: 0.5, u: 0.5, v: 0.5, w: 0.5 });

/** Reads and writes records of eight doubles. */
export function handWritten({ words, doubles, view, firstWord, strideWords, cellWords }: SlotMemory) {
  const fill = (cell: number, { p, q, r, s, t, u, v, w }: Eight): void => {
    const o = cell >> 1;
    doubles[o] = p;
    doubles[o + 1] = q;
    doubles[o + 2] = r;
    doubles[o + 3] = s;
    doubles[o + 4] = t;
    doubles[o + 5] = u;
    doubles[o + 6] = v;
    doubles[o + 7] = w;
  };
  return {
    read(index: number): Eight {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const o = (slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords) >> 1;
        const p = doubles[o]!;
        const q = doubles[o + 1]!;
        const r = doubles[o + 2]!;
        const s = doubles[o + 3]!;
        const t = doubles[o + 4]!;
        const u = doubles[o + 5]!;
        const v = doubles[o + 6]!;
        const w = doubles[o + 7]!;
        if (Atomics.load(words, slot) === sequence) return { p, q, r, s, t, u, v, w };
      }
    },

    /** The same with a DataView. */
    readView(index: number): Eight {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const o = (slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords) * WORD;
        const p = view.getFloat64(o, true);
        const q = view.getFloat64(o + 8, true);
        const r = view.getFloat64(o + 16, true);
        const s = view.getFloat64(o + 24, true);
        const t = view.getFloat64(o + 32, true);
        const u = view.getFloat64(o + 40, true);
        const v = view.getFloat64(o + 48, true);
        const w = view.getFloat64(o + 56, true);
        if (Atomics.load(words, slot) === sequence) return { p, q, r, s, t, u, v, w };
      }
    },

    /** Assigns before the check: a reader that gave up would leave a torn target, and this one never gives up. */
    readInto(index: number, target: Eight): Eight {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const o = (slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords) >> 1;
        target.p = doubles[o]!;
        target.q = doubles[o + 1]!;
        target.r = doubles[o + 2]!;
        target.s = doubles[o + 3]!;
        target.t = doubles[o + 4]!;
        target.u = doubles[o + 5]!;
        target.v = doubles[o + 6]!;
        target.w = doubles[o + 7]!;
        if (Atomics.load(words, slot) === sequence) return target;
      }
    },

    /** The same with a DataView. */
    readViewInto(index: number, target: Eight): Eight {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const o = (slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords) * WORD;
        target.p = view.getFloat64(o, true);
        target.q = view.getFloat64(o + 8, true);
        target.r = view.getFloat64(o + 16, true);
        target.s = view.getFloat64(o + 24, true);
        target.t = view.getFloat64(o + 32, true);
        target.u = view.getFloat64(o + 40, true);
        target.v = view.getFloat64(o + 48, true);
        target.w = view.getFloat64(o + 56, true);
        if (Atomics.load(words, slot) === sequence) return target;
      }
    },

    /** Several writers: lock, fill the spare cell, publish, unlock. */
    write(index: number, record: Eight): void {
      const slot = firstWord + index * strideWords;
      while (Atomics.compareExchange(words, slot + LOCK, 0, ME) !== 0);
      fill(slot + SLOT_CELLS_WORD + ((words[slot]! + 1) & 1) * cellWords, record);
      Atomics.add(words, slot, 1);
      Atomics.store(words, slot + LOCK, 0);
    },

    /** Several writers, unlocked by a plain store: what x86 allows, and ours does. */
    writePlainUnlock(index: number, record: Eight): void {
      const slot = firstWord + index * strideWords;
      while (Atomics.compareExchange(words, slot + LOCK, 0, ME) !== 0);
      fill(slot + SLOT_CELLS_WORD + ((words[slot]! + 1) & 1) * cellWords, record);
      Atomics.add(words, slot, 1);
      words[slot + LOCK] = 0;
    },

    /** One writer: no lock. */
    writeAlone(index: number, record: Eight): void {
      const slot = firstWord + index * strideWords;
      fill(slot + SLOT_CELLS_WORD + ((words[slot]! + 1) & 1) * cellWords, record);
      Atomics.add(words, slot, 1);
    },

    /** One writer that rings when somebody watches. */
    writeAloneArmed(index: number, record: Eight, ring: () => void): void {
      const slot = firstWord + index * strideWords;
      fill(slot + SLOT_CELLS_WORD + ((words[slot]! + 1) & 1) * cellWords, record);
      Atomics.add(words, slot, 1);
      if (words[ARMED_WORD] !== 0 && Atomics.exchange(words, ARMED_WORD, 0) === 1) ring();
    },
  };
}
