// The index of a map: from the hash of a key to the slot that holds it, and which slots are free. Entries never move, and a
// word of the index, once it names a slot, stays where it is until its key is deleted; so whoever looks for a key that is there
// finds it, without a lock. Structure changes (a key comes or goes) are made by one writer at a time, who notes what it is about
// to do; whoever takes the lock after a death finishes that. Steps are those of docs/protocol.md, maps.
//
//   control block, from its first byte      64-byte aligned, behind the slots
//     0  lock            u32   owner word of the writer that changes the structure, 0 = free
//     4  intent: slot    u32   slot + 1 of the change that is being made, 0 = none; written after its other words
//     8  intent: place   u32   position in the current index of that slot's word
//    12  intent: size    u32   entries without that slot
//    16  free head       u32   slot + 1 of the first free slot that was used before, 0 = none
//    20  high water      u32   slots used so far: all from here on are free
//    24  size            u32   entries
//    32  floor           f64   no deleted entry's generation is above it
//    40  filled[0]       u32   words of index 0 that are not empty, or more
//    44  filled[1]       u32   of index 1
//    48  intent: behind  u32   slot + 1 of the free slot whose link names that slot, 0 = none
//    64  turns           u32   index (turns & 1) is current
//   128  links           u32 of each slot: slot + 1 of the free slot behind it, 0 = none; padded to 64 bytes
//        index 0         `indexWords` u32 each
//        index 1
//
//   word of an index     0 = empty; low bits 0 but not the whole = deleted; else low bits = slot + 1, high bits = those of the hash
import { SegmentError, StoreFullError } from '../errors.ts';
import type { BackOff } from './back-off.ts';
import { contend, SLOT_CELLS_WORD } from './cells.ts';
import type { Latch } from './latch.ts';
import type { LockWord } from './lock-word.ts';
import { hashWords } from './murmur.ts';
import { PARTICIPANT_SLOTS } from './participants.ts';

const INTENT_SLOT = 1;
const INTENT_PLACE = 2;
const INTENT_SIZE = 3;
const FREE_HEAD = 4;
const HIGH_WATER = 5;
const SIZE = 6;
const FLOOR = 8;
const FILLED = 10;
const INTENT_BEHIND = 12;
const TURNS = 16;
const LINKS = 32;
const LINE = 16;
const FEWEST_WORDS = 16;

/** Words of an entry's cell before its key: present, 0, and a double. */
export const ENTRY_PRESENT_WORD = 0;
/** In that word: the key is in the map. Anything else means that it is not, for readers and writers alike. */
export const PRESENT = 1;
export const ENTRY_BASE_WORD = 2;
export const ENTRY_KEY_WORD = 4;

/** The most entries a map may have: one bit of an index word is left for the hash. */
export const MAX_MAP_CAPACITY = 2 ** 30;
/** What `find` gives for a key that is not there. */
export const ABSENT = -1;

/** Where the parts of an index lie, in 32-bit words from the control block. */
export interface MapGeometry {
  readonly turns: number;
  readonly indexes: number;
  /** Words of one index, a power of two. */
  readonly indexWords: number;
  /** Low bits of an index word, which hold slot + 1. */
  readonly slotMask: number;
  /** Words of all of it. */
  readonly length: number;
}

/** Computes the geometry for `capacity` entries, 1 to 2^30. */
export function mapGeometry(capacity: number): MapGeometry {
  const indexWords = Math.max(FEWEST_WORDS, 2 ** Math.ceil(Math.log2(2 * capacity)));
  const indexes = LINKS + Math.ceil(capacity / LINE) * LINE;
  return {
    turns: TURNS,
    indexes,
    indexWords,
    slotMask: 2 ** (32 - Math.clz32(capacity)) - 1,
    length: indexes + 2 * indexWords,
  };
}

/** The memory of a map and the way to write to it. */
export interface MapMemory {
  /** All of the segment. MAPPED: the slots and the index behind them were checked against its length at opening. */
  readonly words: Int32Array;
  /** Of the first slot. */
  readonly firstWord: number;
  readonly strideWords: number;
  readonly cellWords: number;
  /** Word index of the control block. */
  readonly control: number;
  readonly capacity: number;
  /** Words of a key. */
  readonly keyWords: number;
  /** For structure changes; undefined for readers. */
  readonly structureLock: LockWord | undefined;
  /** For messages. */
  readonly name: string;
}

/** Reads and changes the index of one open map. */
export class MapIndex {
  readonly #memory: MapMemory;
  readonly #latch: Latch;
  readonly #geometry: MapGeometry;
  readonly #doubles: Float64Array;
  /** Position, in the index, of what the last `find` found. */
  place = 0;
  /** Slot + 1 of the free slot before what the last `#freeSlot` chose, 0 = none. */
  #behind = 0;

  constructor(memory: MapMemory, latch: Latch) {
    this.#memory = memory;
    this.#latch = latch;
    this.#geometry = mapGeometry(memory.capacity);
    const { buffer } = memory.words;
    this.#doubles = new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
  }

  /**
   * Gives the slot that `matches`, of those whose keys may have this hash, or ABSENT (protocol: find 1 to 4). `matches` reads
   * the slot as a whole and compares its key.
   * @throws {GuardError} READ_CONTENDED
   * @throws {SegmentError} SEGMENT_FORMAT
   */
  find(hash: number, matches: (slot: number) => boolean): number {
    const { words, control, capacity, name } = this.#memory;
    const { indexes, indexWords, slotMask } = this.#geometry;
    let patience: BackOff | undefined;
    for (;;) {
      // STEP: find 1
      const turns = Atomics.load(words, control + TURNS);
      const index = control + indexes + (turns & 1) * indexWords;
      let place = hash & (indexWords - 1);
      for (let tries = 0; tries < indexWords; tries++) {
        // STEP: find 2
        const word = Atomics.load(words, index + place);
        if (word === 0) {
          // STEP: find 3
          break;
        }
        if (((word ^ hash) & ~slotMask) === 0) {
          const slot = (word & slotMask) - 1;
          if (slot >= capacity) this.damagedSlot(slot);
          if (slot !== ABSENT && matches(slot)) {
            this.place = place;
            return slot;
          }
        }
        place = (place + 1) & (indexWords - 1);
      }
      // STEP: find 4
      // ORDER: the search read one index that was current all the time, or else it is made again.
      if (Atomics.load(words, control + TURNS) === turns) return ABSENT;
      patience = contend(patience, name);
    }
  }

  /** Refuses an index that names a slot which is not there. */
  damagedSlot(slot: number): never {
    return this.#damaged('an index word', slot + 1, this.#memory.capacity);
  }

  /** Gives the number of entries. @throws {SegmentError} SEGMENT_FORMAT */
  get size(): number {
    return this.#count(SIZE, 'size');
  }

  /** Gives the number of slots used so far: entries are in slots below it. @throws {SegmentError} SEGMENT_FORMAT */
  get highWater(): number {
    return this.#count(HIGH_WATER, 'high water');
  }

  /** Tells whether the slot holds an entry. MAPPED: the caller bounds `slot` by the capacity. */
  isLive(slot: number): boolean {
    return Atomics.load(this.#memory.words, this.#cell(slot) + ENTRY_PRESENT_WORD) === PRESENT;
  }

  /** Gives what is added to the latch's generation of a slot, so that no key's generation ever goes back. */
  baseOf(slot: number): number {
    return this.#doubles[(this.#cell(slot) + ENTRY_BASE_WORD) / 2]!;
  }

  /** Gives the hash of the key in the slot; under the structure lock. */
  hashOf(slot: number): number {
    return hashWords(this.#memory.words, this.#cell(slot) + ENTRY_KEY_WORD, this.#memory.keyWords);
  }

  /**
   * Takes the structure lock and finishes what a dead owner of it began (protocol: change 1 and 2).
   * @throws {GuardError} LOCK_TIMEOUT
   * @throws {SegmentError} SEGMENT_FORMAT
   */
  lock(): void {
    this.#memory.structureLock!.acquire(this.#memory.control);
    try {
      if (this.#load(INTENT_SLOT) !== 0) this.#finish();
    } catch (error) {
      this.unlock();
      throw error;
    }
  }

  /** Protocol: change 7. */
  unlock(): void {
    // STEP: change 7
    // ORDER: releases all of the change to who takes the lock next. Watchers need none of what follows the publish, behind which
    // `armed` was looked at: they read slots, and the high water and the index word were stored before it.
    Atomics.store(this.#memory.words, this.#memory.control, 0);
  }

  /**
   * Adds a key that is not there (protocol: change 4 to 6, insert). `publish` commits the entry to the slot, with the base it is given;
   * if it throws, nothing is added. Under the structure lock.
   * @throws {StoreFullError} STORE_FULL
   */
  insert(hash: number, publish: (slot: number, base: number) => void): void {
    const { words, capacity, name } = this.#memory;
    const { slotMask } = this.#geometry;
    const slot = this.#freeSlot();
    if (slot === capacity)
      throw new StoreFullError(`cannot add a key to ${name}: all ${capacity} entries are in use`);
    if (this.isLive(slot)) this.#damaged('the free slot', slot, 'one that is not in use');
    const place = this.#freePlace(hash);
    const at = this.#indexAt(place);
    const base = Math.max(0, this.#floor - this.#latch.generation(slot));
    this.#intend(slot, this.#behind, place, this.size);
    // STEP: insert 1
    if (slot === this.highWater) this.#store(HIGH_WATER, slot + 1);
    // STEP: insert 2, filled
    if (words[at] === 0) this.#addFilled(1);
    // STEP: insert 2
    Atomics.store(words, at, (hash & ~slotMask) | (slot + 1));
    try {
      // STEP: insert 3
      publish(slot, base);
    } finally {
      this.#finish();
    }
  }

  /**
   * Takes the key away that `find` found at `place` in `slot` (protocol: change 4 to 6, delete). `publish` commits an entry that is not
   * present; if it throws, nothing is taken away. Under the structure lock.
   */
  remove(slot: number, place: number, publish: (slot: number, base: number) => void): void {
    this.#intend(slot, 0, place, this.size - 1);
    try {
      // STEP: delete 1
      publish(slot, this.baseOf(slot));
    } finally {
      this.#finish();
    }
  }

  /**
   * Gives the first free slot that no living writer holds, or the high water; if all are held, the first free one. A writer that
   * found a key may hold its slot when the key is gone, and stop there.
   */
  #freeSlot(): number {
    const head = this.#count(FREE_HEAD, 'free head');
    this.#behind = 0;
    // A writer holds one record at a time, so that of this many one is not held, unless the list is damaged.
    for (let link = head, tries = 0; link !== 0 && tries < PARTICIPANT_SLOTS; tries++) {
      if (!this.#latch.isHeld(link - 1)) return link - 1;
      this.#behind = link;
      link = this.#linkOf(link - 1);
    }
    this.#behind = 0;
    const { highWater } = this;
    return head === 0 || highWater < this.#memory.capacity ? highWater : head - 1;
  }

  /** Notes what is about to change; the slot last, since it makes the note valid (protocol: change 4). */
  #intend(slot: number, behind: number, place: number, sizeWithout: number): void {
    // STEP: change 4, behind
    this.#store(INTENT_BEHIND, behind);
    // STEP: change 4, place
    this.#store(INTENT_PLACE, place);
    // STEP: change 4, size
    this.#store(INTENT_SIZE, sizeWithout);
    // STEP: change 4
    this.#store(INTENT_SLOT, slot + 1);
  }

  /**
   * Makes everything agree with what the slot says, present or not (protocol: finish 1 to 5): the end of every change, and
   * the repair after a death, which may come again at any step of it.
   */
  #finish(): void {
    const slot = this.#count(INTENT_SLOT, 'intent') - 1;
    const place = this.#load(INTENT_PLACE) >>> 0;
    if (place >= this.#geometry.indexWords)
      this.#damaged('the intended place', place, this.#geometry.indexWords - 1);
    const behind = this.#count(INTENT_BEHIND, 'intent');
    const live = this.isLive(slot);
    if (!live) {
      this.#clearPlace(place);
      this.#raiseFloor(this.#latch.generation(slot) + this.baseOf(slot));
    }
    if (behind !== 0 && this.#linkOf(behind - 1) === slot + 1) {
      // STEP: finish 3, behind
      this.#store(LINKS + behind - 1, this.#linkOf(slot));
    }
    const head = this.#load(FREE_HEAD);
    if (live) {
      // STEP: finish 3, present
      if (head === slot + 1) this.#store(FREE_HEAD, this.#linkOf(slot));
    } else if (slot < this.highWater && head !== slot + 1) {
      // A slot that was never used is free without a link.
      // STEP: finish 3, link
      this.#store(LINKS + slot, head);
      // STEP: finish 3
      this.#store(FREE_HEAD, slot + 1);
    }
    // STEP: finish 4
    this.#store(SIZE, this.#load(INTENT_SIZE) + (live ? 1 : 0));
    // STEP: finish 5
    this.#store(INTENT_SLOT, 0);
  }

  /** Frees a word of the index (protocol: finish 1): it becomes empty where no search has to pass it, else deleted. */
  #clearPlace(place: number): void {
    const { words } = this.#memory;
    const { indexWords, slotMask } = this.#geometry;
    if (Atomics.load(words, this.#indexAt(place)) === 0) return;
    const mask = indexWords - 1;
    // STEP: finish 1
    if (Atomics.load(words, this.#indexAt((place + 1) & mask)) !== 0) {
      Atomics.store(words, this.#indexAt(place), ~slotMask);
      return;
    }
    let at = place;
    do {
      // STEP: finish 1, empty
      Atomics.store(words, this.#indexAt(at), 0);
      this.#addFilled(-1);
      at = (at - 1) & mask;
    } while (this.#isDeleted(Atomics.load(words, this.#indexAt(at))));
  }

  #isDeleted(word: number): boolean {
    return word !== 0 && (word & this.#geometry.slotMask) === 0;
  }

  /** Finds a word for a key with this hash; makes the index anew first where deleted words fill it. */
  #freePlace(hash: number): number {
    const { words } = this.#memory;
    const { indexWords, slotMask } = this.#geometry;
    for (let rebuilt = false; ; rebuilt = true) {
      let place = hash & (indexWords - 1);
      for (let tries = 0; tries < indexWords; tries++) {
        const word = Atomics.load(words, this.#indexAt(place));
        if (word !== 0 && (word & slotMask) === 0) return place;
        if (word === 0) {
          if (rebuilt || this.#filled < (indexWords * 3) / 4) return place;
          break;
        }
        place = (place + 1) & (indexWords - 1);
      }
      if (rebuilt) this.#damaged('filled', indexWords, 'an empty word');
      this.#rebuild();
    }
  }

  /** Makes the other index of what the slots say, and turns to it (protocol: rebuild 1 to 3). */
  #rebuild(): void {
    const { words, control } = this.#memory;
    const { indexes, indexWords, slotMask } = this.#geometry;
    const turns = this.#load(TURNS);
    const other = (turns + 1) & 1;
    const index = control + indexes + other * indexWords;
    const highWater = this.highWater;
    // STEP: rebuild 1
    words.fill(0, index, index + indexWords);
    let filled = 0;
    for (let slot = 0; slot < highWater; slot++) {
      if (!this.isLive(slot)) continue;
      const hash = this.hashOf(slot);
      let place = hash & (indexWords - 1);
      // At most half of the words are in use; who writes there without the lock cannot keep this going for ever.
      for (let tries = 0; words[index + place] !== 0 && tries < indexWords; tries++)
        place = (place + 1) & (indexWords - 1);
      words[index + place] = (hash & ~slotMask) | (slot + 1);
      filled++;
    }
    // STEP: rebuild 2
    this.#store(FILLED + other, filled);
    // STEP: rebuild 3
    // ORDER: the publish; a read-modify-write releases every store before it.
    Atomics.add(words, control + TURNS, 1);
  }

  get #filled(): number {
    return this.#load(FILLED + (this.#load(TURNS) & 1));
  }

  // Counted up before a word is filled and down after it is emptied: a death in between leaves it too high, never too low.
  #addFilled(delta: number): void {
    Atomics.add(this.#memory.words, this.#memory.control + FILLED + (this.#load(TURNS) & 1), delta);
  }

  get #floor(): number {
    return this.#doubles[(this.#memory.control + FLOOR) / 2]!;
  }

  #raiseFloor(generation: number): void {
    // STEP: finish 2
    if (generation > this.#floor) this.#doubles[(this.#memory.control + FLOOR) / 2] = generation;
  }

  /** Word index of the current cell of a slot. */
  #cell(slot: number): number {
    const { words, firstWord, strideWords, cellWords } = this.#memory;
    const at = firstWord + slot * strideWords;
    return at + SLOT_CELLS_WORD + (Atomics.load(words, at) & 1) * cellWords;
  }

  /** Word index of a place in the current index. */
  #indexAt(place: number): number {
    const { indexes, indexWords } = this.#geometry;
    return this.#memory.control + indexes + (this.#load(TURNS) & 1) * indexWords + place;
  }

  #linkOf(slot: number): number {
    return this.#count(LINKS + slot, 'a link');
  }

  #load(word: number): number {
    return Atomics.load(this.#memory.words, this.#memory.control + word);
  }

  #store(word: number, value: number): void {
    Atomics.store(this.#memory.words, this.#memory.control + word, value);
  }

  /** Loads a word that counts entries or names one: a segment may hold anything. */
  #count(word: number, what: string): number {
    const found = this.#load(word) >>> 0;
    if (found > this.#memory.capacity) this.#damaged(what, found, this.#memory.capacity);
    return found;
  }

  #damaged(what: string, found: number, most: number | string): never {
    const expected = typeof most === 'number' ? `at most ${most}` : most;
    throw new SegmentError(
      'SEGMENT_FORMAT',
      `cannot use map ${this.#memory.name}: its index is damaged: ${what} is ${found}, expected ${expected}`,
    );
  }
}
