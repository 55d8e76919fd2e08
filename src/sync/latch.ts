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
import { GuardError } from '../errors.ts';
import { BackOff } from './back-off.ts';
import type { LockWord } from './lock-word.ts';

export const SLOT_SEQUENCE_WORD = 0;
export const SLOT_LOCK_WORD = 1;
export const SLOT_WRAPS_WORD = 2;
export const SLOT_CELLS_WORD = 4;
const SLOT_ALIGNMENT = 64;
const CELL_ALIGNMENT = 8;
const WORD = 4;
const WRAP = 2 ** 32;

/** How long a reader keeps trying against writers that publish without a pause, in milliseconds. */
export const READ_BOUND_MS = 100;
const TRIES_PER_TURN = 1000;
// Above this a bulk copy beats the loop, in spite of the subarray it needs. HOT: bench/run.ts, rows "record of N bytes".
const LOOP_WORDS = 256;

/** Where the slots lie, in 32-bit words. */
export interface LatchGeometry {
  readonly cellWords: number;
  readonly strideWords: number;
}

/** Computes the geometry for records of `size` bytes. */
export function latchGeometry(size: number): LatchGeometry {
  const cell = Math.ceil(size / CELL_ALIGNMENT) * CELL_ALIGNMENT;
  const slot = SLOT_CELLS_WORD * WORD + 2 * cell;
  return { cellWords: cell / WORD, strideWords: (Math.ceil(slot / SLOT_ALIGNMENT) * SLOT_ALIGNMENT) / WORD };
}

/** The memory of all slots of a store and the way to write to them. */
export interface LatchMemory extends LatchGeometry {
  /** All of the segment. MAPPED: `firstWord + capacity * strideWords` was checked against its length at opening. */
  readonly words: Int32Array;
  readonly firstWord: number;
  /** Word index of `armed` in the header. */
  readonly armedWord: number;
  /** Undefined for readers. */
  readonly lock: LockWord | undefined;
  /** Rings if somebody armed the bell. */
  readonly announce: () => void;
  readonly strongOrder: boolean;
  /** For messages. */
  readonly name: string;
}

/** Gives a reader another turn, or ends its patience. Returns what the next call takes. */
export function contend(patience: BackOff | undefined, what: string): BackOff {
  const backOff = patience ?? new BackOff(READ_BOUND_MS);
  if (backOff.pause()) return backOff;
  throw new GuardError(
    'READ_CONTENDED',
    `cannot read ${what}: it was written again during each of many tries in ${READ_BOUND_MS} ms`,
  );
}

/** Reads and writes whole cells as words; `latch-source.ts` has the same steps as text, with the fields filled in. */
export class Latch {
  readonly #memory: LatchMemory;

  constructor(memory: LatchMemory) {
    this.#memory = memory;
  }

  /** Word index of the slot of record `index`. MAPPED: the caller checked `index` against the capacity. */
  #slot(index: number): number {
    return this.#memory.firstWord + index * this.#memory.strideWords;
  }

  /**
   * Copies the current cell of record `index` into `target` (protocol: read 1 to 3) and gives its sequence.
   * @throws {GuardError} READ_CONTENDED
   */
  snapshot(index: number, target: Int32Array): number {
    const { words, cellWords, name } = this.#memory;
    const slot = this.#slot(index);
    let patience: BackOff | undefined;
    for (let tries = 0; ; tries++) {
      const sequence = Atomics.load(words, slot);
      this.#copyOut(slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords, target);
      // ORDER: an Atomics call, which no compiler tier merges with the first load (docs/memory-order.md, re-check).
      if (Atomics.load(words, slot) === sequence) return sequence;
      if (tries % TRIES_PER_TURN === TRIES_PER_TURN - 1) patience = contend(patience, `${name}[${index}]`);
    }
  }

  #copyOut(from: number, target: Int32Array): void {
    const { words, cellWords, strongOrder } = this.#memory;
    if (!strongOrder) {
      // ORDER: acquire loads hold back the re-check that follows (docs/memory-order.md, weak order).
      for (let i = 0; i < cellWords; i++) target[i] = Atomics.load(words, from + i);
    } else if (cellWords <= LOOP_WORDS) {
      for (let i = 0; i < cellWords; i++) target[i] = words[from + i]!;
    } else {
      target.set(words.subarray(from, from + cellWords));
    }
  }

  /** Gives how often record `index` was committed: 0 = never. */
  generation(index: number): number {
    const { words, name } = this.#memory;
    const slot = this.#slot(index);
    let patience: BackOff | undefined;
    for (let tries = 0; ; tries++) {
      const sequence = Atomics.load(words, slot);
      const wraps = Atomics.load(words, slot + SLOT_WRAPS_WORD + (sequence & 1));
      if (Atomics.load(words, slot) === sequence) return (wraps >>> 0) * WRAP + (sequence >>> 0);
      if (tries % TRIES_PER_TURN === TRIES_PER_TURN - 1) patience = contend(patience, `${name}[${index}]`);
    }
  }

  /** True if the snapshot at `sequence` came before the first write. Cell 0's wraps change with cell 0 alone. */
  neverWritten(index: number, sequence: number): boolean {
    return sequence === 0 && Atomics.load(this.#memory.words, this.#slot(index) + SLOT_WRAPS_WORD) === 0;
  }

  /** Gives the raw sequence of record `index`, for watchers. */
  sequence(index: number): number {
    return Atomics.load(this.#memory.words, this.#slot(index));
  }

  /**
   * Writes `source` as the next state of record `index` (protocol: write 1 to 6). With `expected`, only if no write was
   * published since that sequence; false then.
   * @throws {GuardError} LOCK_TIMEOUT
   */
  commit(index: number, source: Int32Array, expected?: number): boolean {
    const { words, cellWords, lock, armedWord, announce, strongOrder } = this.#memory;
    const slot = this.#slot(index);
    lock!.acquire(slot + SLOT_LOCK_WORD);
    try {
      // ORDER: loaded under the lock; the cell to fill depends on it.
      const sequence = Atomics.load(words, slot);
      if (expected !== undefined && sequence !== expected) return false;
      const spare = (sequence + 1) & 1;
      const wraps = words[slot + SLOT_WRAPS_WORD + (1 - spare)]!;
      words[slot + SLOT_WRAPS_WORD + spare] = sequence === -1 ? wraps + 1 : wraps;
      const to = slot + SLOT_CELLS_WORD + spare * cellWords;
      if (cellWords <= LOOP_WORDS) for (let i = 0; i < cellWords; i++) words[to + i] = source[i]!;
      else words.set(source.subarray(0, cellWords), to);
      // ORDER: the publish; a read-modify-write releases every store before it.
      Atomics.add(words, slot, 1);
    } finally {
      // ORDER: on x86-TSO a plain store is a release (docs/memory-order.md, unlock).
      if (strongOrder) words[slot + SLOT_LOCK_WORD] = 0;
      else Atomics.store(words, slot + SLOT_LOCK_WORD, 0);
    }
    if (Atomics.load(words, armedWord) !== 0) announce();
    return true;
  }
}
