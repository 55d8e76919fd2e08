// How keys and records get in and out of one open map: finds the slot by the index, reads and writes it through the latch.
// A key and its record are one entry in one cell, so that a snapshot has the record of the key that it was taken for.
import { StoreClosedError } from '../errors.ts';
import { codecOf } from '../layout/codec.ts';
import type { CellMemory } from '../sync/cells.ts';
import { Latch } from '../sync/latch.ts';
import { LOCK_BOUND_MS } from '../sync/lock-word.ts';
import {
  ABSENT,
  ENTRY_BASE_WORD,
  ENTRY_KEY_WORD,
  ENTRY_PRESENT_WORD,
  MapIndex,
  type MapMemory,
} from '../sync/map-index.ts';
import { hashWords } from '../sync/murmur.ts';
import type { MapEntry } from './map-entry.ts';
import { type Copy, FEWEST_RUNS, makeCopy, overtaken } from './record-access.ts';
import { generationAt } from './watch.ts';

const WORD = 4;
const PRESENT = 1;
const KEY_OFFSET = ENTRY_KEY_WORD * WORD;
const BASE_OFFSET = ENTRY_BASE_WORD * WORD;

/** One state of one slot. */
export interface SlotState {
  readonly slot: number;
  readonly sequence: number;
  /** Of the key: grows with every write of it, over its deletion too. */
  readonly generation: number;
  readonly key: unknown;
  /** Undefined after the key was deleted. */
  readonly record: object | undefined;
}

/** Everything a map does with its entries. */
export interface MapAccess {
  get(key: unknown): object | undefined;
  has(key: unknown): boolean;
  set(key: unknown, record: object): void;
  /** False if the key was not there. */
  remove(key: unknown): boolean;
  clear(): void;
  /**
   * Runs `change` on a copy of the record's bytes, which begin at that byte, until no other writer came between; false if the
   * key is not there. `change` may throw.
   */
  revise(key: unknown, change: (view: DataView, at: number) => void): boolean;
  size(): number;
  /** Slots that may hold an entry: 0 to below this. */
  slots(): number;
  /** Key and record in a slot, undefined if it holds none. */
  entryAt(slot: number): [key: unknown, record: object] | undefined;
  keyAt(slot: number): { readonly key: unknown } | undefined;
  sequence(slot: number): number;
  /** What a slot holds, or held last; undefined if nothing ever. @throws {GuardError} READ_CONTENDED */
  stateOf(slot: number): SlotState | undefined;
  /** The present state of a key. @throws {GuardError} READ_CONTENDED @throws {ValueError} for what is no key of this map */
  lookUp(key: unknown): SlotState | undefined;
  /** Throws for a closed map. */
  check(): void;
  /** Throws for what cannot be a key. @throws {ValueError} */
  checkKey(key: unknown): void;
  close(): void;
}

/** Makes the access to the entries in `memory`. */
export function accessMap(entry: MapEntry, memory: CellMemory & MapMemory): MapAccess {
  return new PlainAccess(entry, memory);
}

class PlainAccess implements MapAccess {
  readonly #entry: MapEntry;
  readonly #memory: CellMemory & MapMemory;
  readonly #latch: Latch;
  readonly #index: MapIndex;
  /** The key that is looked for. Used within one call, never across user code. */
  readonly #key: Copy;
  /** The entry that was found. Used within one call, never across user code. */
  readonly #found: Copy;
  /** Its slot, and the sequence of the slot then. */
  #slot = 0;
  #sequence = 0;
  // Getters and callbacks of the caller may use this map while a copy is in use: each call has its own.
  readonly #copies: Copy[] = [];
  #closed = false;

  constructor(entry: MapEntry, memory: CellMemory & MapMemory) {
    this.#entry = entry;
    this.#memory = memory;
    this.#latch = new Latch(memory);
    this.#index = new MapIndex(memory, this.#latch);
    this.#key = makeCopy(entry.keyWords);
    this.#found = makeCopy(memory.cellWords);
  }

  check(): void {
    if (this.#closed) throw new StoreClosedError(`cannot use map ${this.#memory.name}: it is closed`);
  }

  checkKey(key: unknown): void {
    this.#entry.keyCodec.write(this.#key.view, 0, key);
  }

  close(): void {
    this.#closed = true;
  }

  get(key: unknown): object | undefined {
    return this.#find(key) ? this.#recordFound() : undefined;
  }

  has(key: unknown): boolean {
    return this.#find(key);
  }

  set(key: unknown, record: object): void {
    this.check();
    const copy = this.#borrow();
    try {
      const { view, words } = copy;
      codecOf(this.#entry.layout).encode(view, this.#entry.recordOffset, record);
      this.check();
      this.#entry.keyCodec.write(this.#key.view, 0, key);
      const hash = this.#hash();
      words.fill(0, 0, this.#entry.recordOffset / WORD);
      words.set(this.#key.words, ENTRY_KEY_WORD);
      words[ENTRY_PRESENT_WORD] = PRESENT;
      const holdsKey = (cell: number): boolean => this.#adoptBase(cell, copy);
      for (;;) {
        const slot = this.#index.find(hash, this.#matches);
        if (slot === ABSENT ? this.#insert(hash, copy) : this.#latch.commitIf(slot, words, holdsKey)) return;
      }
    } finally {
      this.#copies.push(copy);
    }
  }

  /** Under the record's lock: true if the cell still holds our key; takes over what is added to its generation. */
  #adoptBase(cell: number, { words }: Copy): boolean {
    const memory = this.#memory.words;
    if (memory[cell + ENTRY_PRESENT_WORD] !== PRESENT) return false;
    for (let i = 0; i < this.#entry.keyWords; i++)
      if (memory[cell + ENTRY_KEY_WORD + i] !== words[ENTRY_KEY_WORD + i]) return false;
    words[ENTRY_BASE_WORD] = memory[cell + ENTRY_BASE_WORD]!;
    words[ENTRY_BASE_WORD + 1] = memory[cell + ENTRY_BASE_WORD + 1]!;
    return true;
  }

  /** Adds the key; false if another writer did so meanwhile. */
  #insert(hash: number, { words, view }: Copy): boolean {
    this.#index.lock();
    try {
      if (this.#index.find(hash, this.#matches) !== ABSENT) return false;
      this.#index.insert(hash, (slot, base) => {
        view.setFloat64(BASE_OFFSET, base, true);
        this.#latch.commit(slot, words);
      });
      return true;
    } finally {
      this.#index.unlock();
    }
  }

  remove(key: unknown): boolean {
    this.check();
    if (!this.#entry.keyCodec.tryWrite(this.#key.view, 0, key)) return false;
    const hash = this.#hash();
    this.#index.lock();
    try {
      const slot = this.#index.find(hash, this.#matches);
      if (slot !== ABSENT) this.#removeAt(slot);
      return slot !== ABSENT;
    } finally {
      this.#index.unlock();
    }
  }

  /** Under the structure lock: takes away what `find` found. */
  #removeAt(slot: number): void {
    const { words, view } = this.#found;
    const { recordOffset } = this.#entry;
    this.#index.remove(slot, this.#index.place, (at, base) => {
      words[ENTRY_PRESENT_WORD] = 0;
      words.fill(0, recordOffset / WORD);
      view.setFloat64(BASE_OFFSET, base, true);
      this.#latch.commit(at, words);
    });
  }

  clear(): void {
    this.check();
    const { words } = this.#key;
    for (let slot = 0; slot < this.#index.highWater; slot++) {
      this.#index.lock();
      try {
        if (!this.#index.isLive(slot)) continue;
        this.#latch.snapshot(slot, this.#found.words);
        words.set(this.#found.words.subarray(ENTRY_KEY_WORD, ENTRY_KEY_WORD + words.length));
        if (this.#index.find(this.#hash(), this.#matches) === slot) this.#removeAt(slot);
      } finally {
        this.#index.unlock();
      }
    }
  }

  revise(key: unknown, change: (view: DataView, at: number) => void): boolean {
    const copy = this.#borrow();
    try {
      const deadline = performance.now() + LOCK_BOUND_MS;
      for (let runs = 0; ; runs++) {
        if (!this.#find(key)) return false;
        if (runs >= FEWEST_RUNS && performance.now() > deadline)
          throw overtaken(`a record of ${this.#memory.name}`);
        copy.words.set(this.#found.words);
        const slot = this.#slot;
        const sequence = this.#sequence;
        change(copy.view, this.#entry.recordOffset);
        this.check();
        if (this.#latch.commit(slot, copy.words, sequence)) return true;
      }
    } finally {
      this.#copies.push(copy);
    }
  }

  size(): number {
    this.check();
    return this.#index.size;
  }

  slots(): number {
    this.check();
    return this.#index.highWater;
  }

  entryAt(slot: number): [key: unknown, record: object] | undefined {
    return this.#take(slot) ? [this.#keyFound(), this.#recordFound()] : undefined;
  }

  keyAt(slot: number): { readonly key: unknown } | undefined {
    return this.#take(slot) ? { key: this.#keyFound() } : undefined;
  }

  sequence(slot: number): number {
    return this.#latch.sequence(slot);
  }

  stateOf(slot: number): SlotState | undefined {
    const present = this.#take(slot);
    const latest = this.#latch.generation(slot);
    return latest === 0 ? undefined : this.#state(slot, latest, present);
  }

  lookUp(key: unknown): SlotState | undefined {
    return this.#find(key) ? this.#state(this.#slot, this.#latch.generation(this.#slot), true) : undefined;
  }

  /** `latest` may have moved on since the snapshot; the sequence is its lower half. */
  #state(slot: number, latest: number, present: boolean): SlotState {
    const sequence = this.#sequence;
    return {
      slot,
      sequence,
      generation: generationAt(sequence, latest) + this.#found.view.getFloat64(BASE_OFFSET, true),
      key: this.#keyFound(),
      record: present ? this.#recordFound() : undefined,
    };
  }

  /** Finds a key and leaves its entry in `#found`; false if it is not there. */
  #find(key: unknown): boolean {
    this.check();
    if (!this.#entry.keyCodec.tryWrite(this.#key.view, 0, key)) return false;
    this.#slot = this.#index.find(this.#hash(), this.#matches);
    return this.#slot !== ABSENT;
  }

  #hash(): number {
    return hashWords(this.#key.words, 0, this.#entry.keyWords);
  }

  /** Copies the entry in a slot; true if it is there and has the key that is looked for. */
  readonly #matches = (slot: number): boolean => {
    if (!this.#take(slot)) return false;
    const key = this.#key.words;
    const found = this.#found.words;
    for (let i = 0; i < key.length; i++) if (found[ENTRY_KEY_WORD + i] !== key[i]) return false;
    return true;
  };

  /** Copies what a slot holds; true if it is there. */
  #take(slot: number): boolean {
    this.check();
    this.#sequence = this.#latch.snapshot(slot, this.#found.words);
    return this.#found.words[ENTRY_PRESENT_WORD] === PRESENT;
  }

  #keyFound(): unknown {
    return this.#entry.keyCodec.read(this.#found.view, KEY_OFFSET);
  }

  #recordFound(): object {
    return codecOf(this.#entry.layout).decode(this.#found.view, this.#entry.recordOffset);
  }

  #borrow(): Copy {
    return this.#copies.pop() ?? makeCopy(this.#memory.cellWords);
  }
}
