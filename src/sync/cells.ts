// What the guards of managed stores have in common: where slots and cells lie, how a cell is copied, and how long a reader
// is patient. Each guard (latch.ts, seqlock.ts) says what the words of its slots mean.
import { GuardError } from '../errors.ts';
import { BackOff } from './back-off.ts';
import type { LockWord } from './lock-word.ts';
import type { Participants } from './participants.ts';

/** Words of a slot before its first cell; the first is the sequence, the second the lock. */
export const SLOT_CELLS_WORD = 4;
export const SLOT_SEQUENCE_WORD = 0;
export const SLOT_LOCK_WORD = 1;
/** Two words: how often the count of writes had wrapped, by the count's parity. */
export const SLOT_WRAPS_WORD = 2;
const SLOT_ALIGNMENT = 64;
const CELL_ALIGNMENT = 8;
const WORD = 4;

/** How long a reader keeps trying against writers that publish without a pause, in milliseconds. */
export const READ_BOUND_MS = 100;
const FEWEST_TRIES = 4;
const WORDS_PER_TURN = 2 ** 18;
// Above this a bulk copy beats the loop, in spite of the subarray it needs. HOT: bench/run.ts, rows "record of N bytes".
const LOOP_WORDS = 256;

/** Where the slots lie, in 32-bit words. */
export interface SlotGeometry {
  readonly cellWords: number;
  readonly strideWords: number;
}

/** Computes the geometry for records of `size` bytes with so many cells each. */
export function slotGeometry(size: number, cells: number): SlotGeometry {
  const cell = Math.ceil(size / CELL_ALIGNMENT) * CELL_ALIGNMENT;
  const slot = SLOT_CELLS_WORD * WORD + cells * cell;
  return { cellWords: cell / WORD, strideWords: (Math.ceil(slot / SLOT_ALIGNMENT) * SLOT_ALIGNMENT) / WORD };
}

/** The memory of all slots of a store and the way to write to them. */
export interface CellMemory extends SlotGeometry {
  /** All of the segment. MAPPED: `firstWord + capacity * strideWords` was checked against its length at opening. */
  readonly words: Int32Array;
  readonly firstWord: number;
  /** Word index of `armed` in the header. */
  readonly armedWord: number;
  /** Tells the dead from the living. */
  readonly participants: Participants;
  /** Undefined for readers. */
  readonly lock: LockWord | undefined;
  /** Rings if somebody armed the bell. */
  readonly announce: () => void;
  readonly strongOrder: boolean;
  /** For messages. */
  readonly name: string;
}

/** Reads and writes whole cells. Indexes were checked by the caller. */
export interface CellGuard {
  /**
   * Copies the last committed state of record `index` into `target` and gives its sequence; of its words only those from `first` to
   * before `end`, to the same places (default: all).
   * @throws {GuardError} READ_CONTENDED; WRITER_DIED where a death leaves nothing to read
   */
  snapshot(index: number, target: Int32Array, first?: number, end?: number): number;
  /** Gives how often record `index` was committed: 0 = never. */
  generation(index: number): number;
  /** True if the snapshot at `sequence` came before the first write. */
  neverWritten(index: number, sequence: number): boolean;
  /** Gives the lower 32 bits of the generation, for watchers. */
  sequence(index: number): number;
  /**
   * Writes `source` as the next state of record `index`. With `expected`, only if no write was committed since that
   * sequence; false then.
   * @throws {GuardError} LOCK_TIMEOUT; WRITER_DIED
   */
  commit(index: number, source: Int32Array, expected?: number): boolean;
}

let mayWait = true;

/** Runs `read` so that it waits for nobody: where it would, it throws READ_CONTENDED at once. For readers who must not stop their thread. */
export function withoutWaiting<R>(read: () => R): R {
  const before = mayWait;
  mayWait = false;
  try {
    return read();
  } finally {
    mayWait = before;
  }
}

/** How many tries of a reader make a turn: at most `most`, fewer where each copies much, so that a turn stays below a millisecond. */
export const triesPerTurn = (most: number, cellWords: number): number =>
  Math.max(FEWEST_TRIES, Math.min(most, Math.floor(WORDS_PER_TURN / cellWords)));

/** Gives a reader another turn, or ends its patience, with `fact` if one is known. Returns what the next call takes. */
export function contend(
  patience: BackOff | undefined,
  what: string,
  fact = 'it was written again during each of many tries',
): BackOff {
  if (!mayWait) throw new GuardError('READ_CONTENDED', `cannot read ${what}: ${fact}`);
  const backOff = patience ?? new BackOff(READ_BOUND_MS);
  if (backOff.pause()) return backOff;
  throw new GuardError('READ_CONTENDED', `cannot read ${what}: ${fact}; tried for ${READ_BOUND_MS} ms`);
}

/** Copies the words `first` to before `end` of the cell at word `from` to the same places of `target`. */
export function copyOut(
  { words, strongOrder }: CellMemory,
  from: number,
  target: Int32Array,
  first: number,
  end: number,
): void {
  if (!strongOrder) {
    // ORDER: acquire loads hold back the re-check that follows (docs/memory-order.md, weak order).
    for (let i = first; i < end; i++) target[i] = Atomics.load(words, from + i);
  } else if (end - first <= LOOP_WORDS) {
    for (let i = first; i < end; i++) target[i] = words[from + i]!;
  } else {
    target.set(words.subarray(from + first, from + end), first);
  }
}

/** Copies the first `count` words of `source` into the cell at `words[to]`. */
export function copyIn(words: Int32Array, to: number, source: Int32Array, count: number): void {
  if (count <= LOOP_WORDS) for (let i = 0; i < count; i++) words[to + i] = source[i]!;
  else words.set(source.subarray(0, count), to);
}

/** Frees a record's lock word. */
export function unlock({ words, strongOrder }: CellMemory, slot: number): void {
  // ORDER: on x86-TSO a plain store is a release (docs/memory-order.md, unlock).
  if (strongOrder) words[slot + SLOT_LOCK_WORD] = 0;
  else Atomics.store(words, slot + SLOT_LOCK_WORD, 0);
}
