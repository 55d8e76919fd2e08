// The compact guard: one cell per record under a sequence that is odd while a writer fills it. A reader that meets an odd
// sequence tries again, so it can wait for a writer; a writer killed inside leaves the record torn until the next whole
// write. Steps are those of docs/protocol.md, seqlock.
//
//   slot, from its first byte          64-byte aligned, `strideWords` 32-bit words apart
//     0  sequence   u32   2 for each committed write, modulo 2^32; 1 more while somebody fills the cell, or died there
//     4  lock       u32   owner word of the writer inside, 0 = free
//     8  wraps[0]   u32   of even counts: how often the count had wrapped when it was reached
//    12  wraps[1]   u32   of odd counts
//    16  cell       `cellWords` words: the record, padded to a multiple of 8 bytes
//
//   count = sequence >>> 1, 31 bits;   generation = wraps[count & 1] * 2^31 + count
import { GuardError, SegmentError } from '../errors.ts';
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
import type { Participants } from './participants.ts';

const CELLS = 1;
const COUNTS = 2 ** 31;
const LAST_COUNT = COUNTS - 1;
const MOST_TRIES = 100;

/** Computes the geometry for records of `size` bytes. */
export const seqlockGeometry = (size: number): SlotGeometry => slotGeometry(size, CELLS);

/** The lower 32 bits of a generation: what a snapshot is told by. */
const lowerHalf = (count: number, wraps: number): number => count | (wraps << 31);

/** A reader may not be able to ask the system for the owner: then it counts as alive, and the read waits out its bound. */
function isKnownDead(participants: Participants, owner: number): boolean {
  try {
    return participants.isDead(owner);
  } catch (error) {
    if (error instanceof SegmentError) return false;
    throw error;
  }
}

/** Reads and writes the one cell of each record. */
export class Seqlock implements CellGuard {
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

  /** Protocol: seqlock read 1 to 4. */
  snapshot(index: number, target: Int32Array, first = 0, end = this.#memory.cellWords): number {
    const { words, name } = this.#memory;
    const slot = this.#slot(index);
    let patience: BackOff | undefined;
    for (let tries = 1; ; tries++) {
      // STEP: seqlock read 1
      const sequence = Atomics.load(words, slot);
      const isOdd = (sequence & 1) === 1;
      if (!isOdd) {
        const count = sequence >>> 1;
        // STEP: seqlock read 3
        const wraps = Atomics.load(words, slot + SLOT_WRAPS_WORD + (count & 1));
        copyOut(this.#memory, slot + SLOT_CELLS_WORD, target, first, end);
        // STEP: seqlock read 4
        // ORDER: an Atomics call, which no compiler tier merges with the first load (docs/memory-order.md, re-check).
        if (Atomics.load(words, slot) === sequence) return lowerHalf(count, wraps);
      }
      if (!isOdd && tries % this.#tries !== 0) continue;
      if (isOdd && patience?.patient === true) this.#requireLiving(slot, sequence, index);
      patience = contend(patience, `${name}[${index}]`, isOdd ? 'a writer is inside' : undefined);
    }
  }

  /** Ends a read early whose record a dead writer left torn. */
  #requireLiving(slot: number, sequence: number, index: number): void {
    const { words, participants } = this.#memory;
    // STEP: seqlock read 2
    // Nobody, or somebody dead: the owner word is there before the sequence is odd and goes after it is even.
    const owner = Atomics.load(words, slot + SLOT_LOCK_WORD);
    if (owner !== 0 && !isKnownDead(participants, owner)) return;
    if (Atomics.load(words, slot) === sequence) throw this.#torn('read', index);
  }

  #torn(act: string, index: number): GuardError {
    return new GuardError(
      'WRITER_DIED',
      `cannot ${act} ${this.#memory.name}[${index}]: a writer died inside it, expected a whole write first`,
    );
  }

  generation(index: number): number {
    const { words, name } = this.#memory;
    const slot = this.#slot(index);
    let patience: BackOff | undefined;
    for (let tries = 1; ; tries++) {
      const sequence = Atomics.load(words, slot);
      // The wraps of the committed count stay as they are while the next write is under way.
      const count = sequence >>> 1;
      const wraps = Atomics.load(words, slot + SLOT_WRAPS_WORD + (count & 1));
      if (Atomics.load(words, slot) >>> 1 === count) return (wraps >>> 0) * COUNTS + count;
      if (tries % MOST_TRIES === 0) patience = contend(patience, `${name}[${index}]`);
    }
  }

  /** The wraps of even counts change with those alone. */
  neverWritten(index: number, sequence: number): boolean {
    return sequence === 0 && Atomics.load(this.#memory.words, this.#slot(index) + SLOT_WRAPS_WORD) === 0;
  }

  sequence(index: number): number {
    return this.generation(index) | 0;
  }

  /** Protocol: seqlock write 1 to 7. */
  commit(index: number, source: Int32Array, expected?: number): boolean {
    const { words, cellWords, lock, armedWord, announce, strongOrder } = this.#memory;
    const slot = this.#slot(index);
    // STEP: seqlock write 1
    // ORDER: the owner word comes before the odd sequence, so that whoever meets an odd one can ask who made it.
    lock!.acquire(slot + SLOT_LOCK_WORD);
    try {
      // STEP: seqlock write 2
      const sequence = Atomics.load(words, slot);
      const isOdd = (sequence & 1) === 1;
      const count = sequence >>> 1;
      const wraps = words[slot + SLOT_WRAPS_WORD + (count & 1)]!;
      if (expected !== undefined) {
        if (isOdd) throw this.#torn('change', index);
        if (lowerHalf(count, wraps) !== expected) return false;
      }
      // STEP: seqlock write 3
      // A dead writer's odd sequence stays: readers have refused it all the time.
      if (!isOdd) Atomics.add(words, slot, 1);
      // ORDER: where stores may pass a read-modify-write, a load of its result holds them back (docs/memory-order.md, odd).
      if (!strongOrder) Atomics.load(words, slot);
      // STEP: seqlock write 4, wraps
      words[slot + SLOT_WRAPS_WORD + ((count + 1) & 1)] = count === LAST_COUNT ? wraps + 1 : wraps;
      // STEP: seqlock write 4
      copyIn(words, slot + SLOT_CELLS_WORD, source, cellWords);
      // STEP: seqlock write 5
      // ORDER: the publish; a read-modify-write releases every store before it.
      Atomics.add(words, slot, 1);
    } finally {
      // STEP: seqlock write 6
      unlock(this.#memory, slot);
    }
    // STEP: announce 1
    if (Atomics.load(words, armedWord) !== 0) announce();
    return true;
  }
}
