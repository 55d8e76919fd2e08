// The default guard: a two-cell latch that several writers share. A writer fills the cell that is not current and publishes
// it by adding 1 to the sequence; a writer killed anywhere leaves the last published record readable, with nothing to repair.
// Readers never wait for writers and write nothing. Steps are those of docs/protocol.md.
//
//   slot, from its first byte          64-byte aligned, `strideWords` 32-bit words apart
//     0  sequence   u32   published writes, modulo 2^32; cell (sequence & 1) is current
//     4  lock       u32   owner word of the writer inside, 0 = free
//     8  wraps[0]   u32   of cell 0: how often the sequence had wrapped when the cell was published
//    12  wraps[1]   u32   of cell 1
//    16  cell 0     `cellWords` words: the record, padded to a multiple of 8 bytes
//        cell 1     `cellWords` words
//
//   generation = wraps[sequence & 1] * 2^32 + sequence
import type { BackOff } from './back-off.ts';
import {
  type CellGuard,
  type CellMemory,
  contend,
  copyIn,
  copyOut,
  SLOT_CELLS_WORD,
  SLOT_LOCK_WORD,
  SLOT_WRAPS_WORD,
  slotGeometry,
  type SlotGeometry,
  triesPerTurn,
  unlock,
} from './cells.ts';

const CELLS = 2;
const WRAP = 2 ** 32;
const MOST_TRIES = 1000;

/** Computes the geometry for records of `size` bytes. */
export const latchGeometry = (size: number): SlotGeometry => slotGeometry(size, CELLS);

/** Reads and writes whole cells as words; `latch-source.ts` has the same steps as text, with the fields filled in. */
export class Latch implements CellGuard {
  readonly #memory: CellMemory;
  readonly #tries: number;

  constructor(memory: CellMemory) {
    this.#memory = memory;
    this.#tries = triesPerTurn(MOST_TRIES, memory.cellWords);
  }

  /** Word index of the slot of record `index`. MAPPED: the caller checked `index` against the capacity. */
  #slot(index: number): number {
    return this.#memory.firstWord + index * this.#memory.strideWords;
  }

  /** Protocol: read 1 to 3. */
  snapshot(index: number, target: Int32Array, first = 0, end = this.#memory.cellWords): number {
    const { words, cellWords, name } = this.#memory;
    const slot = this.#slot(index);
    let patience: BackOff | undefined;
    for (let tries = 1; ; tries++) {
      // STEP: read 1
      const sequence = Atomics.load(words, slot);
      // STEP: read 2
      copyOut(this.#memory, slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords, target, first, end);
      // STEP: read 3
      // ORDER: an Atomics call, which no compiler tier merges with the first load (docs/memory-order.md, re-check).
      if (Atomics.load(words, slot) === sequence) return sequence;
      if (tries % this.#tries === 0) patience = contend(patience, `${name}[${index}]`);
    }
  }

  generation(index: number): number {
    const { words, name } = this.#memory;
    const slot = this.#slot(index);
    let patience: BackOff | undefined;
    for (let tries = 1; ; tries++) {
      const sequence = Atomics.load(words, slot);
      const wraps = Atomics.load(words, slot + SLOT_WRAPS_WORD + (sequence & 1));
      if (Atomics.load(words, slot) === sequence) return (wraps >>> 0) * WRAP + (sequence >>> 0);
      if (tries % MOST_TRIES === 0) patience = contend(patience, `${name}[${index}]`);
    }
  }

  /** Cell 0's wraps change with cell 0 alone. */
  neverWritten(index: number, sequence: number): boolean {
    return sequence === 0 && Atomics.load(this.#memory.words, this.#slot(index) + SLOT_WRAPS_WORD) === 0;
  }

  sequence(index: number): number {
    return Atomics.load(this.#memory.words, this.#slot(index));
  }

  /** Tells whether a writer that lives is inside a write of the record, without waiting. */
  isHeld(index: number): boolean {
    return this.#memory.lock!.isHeld(this.#slot(index) + SLOT_LOCK_WORD);
  }

  /** Protocol: write 1 to 6. */
  commit(index: number, source: Int32Array, expected?: number): boolean {
    return this.#commit(index, source, expected, undefined);
  }

  /**
   * Writes `source` as the next state if `accept`, which runs under the lock, takes the current cell at that word index.
   * @throws {GuardError} LOCK_TIMEOUT
   */
  commitIf(index: number, source: Int32Array, accept: (cell: number) => boolean): boolean {
    return this.#commit(index, source, undefined, accept);
  }

  #commit(
    index: number,
    source: Int32Array,
    expected: number | undefined,
    accept: ((cell: number) => boolean) | undefined,
  ): boolean {
    const { words, cellWords, lock, armedWord, announce } = this.#memory;
    const slot = this.#slot(index);
    // STEP: write 1
    lock!.acquire(slot + SLOT_LOCK_WORD);
    try {
      // STEP: write 2
      // ORDER: loaded under the lock; the cell to fill depends on it.
      const sequence = Atomics.load(words, slot);
      if (expected !== undefined && sequence !== expected) return false;
      const cells = slot + SLOT_CELLS_WORD;
      if (accept !== undefined && !accept(cells + (sequence & 1) * cellWords)) return false;
      const spare = (sequence + 1) & 1;
      const wraps = words[slot + SLOT_WRAPS_WORD + (1 - spare)]!;
      // STEP: write 3, wraps
      words[slot + SLOT_WRAPS_WORD + spare] = sequence === -1 ? wraps + 1 : wraps;
      // STEP: write 3
      copyIn(words, cells + spare * cellWords, source, cellWords);
      // STEP: write 4
      // ORDER: the publish; a read-modify-write releases every store before it.
      Atomics.add(words, slot, 1);
    } finally {
      // STEP: write 5
      unlock(this.#memory, slot);
    }
    // STEP: announce 1
    if (Atomics.load(words, armedWord) !== 0) announce();
    return true;
  }
}
