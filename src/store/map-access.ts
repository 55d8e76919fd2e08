// How keys and records get in and out of one open map: finds the slot by the index, reads and writes it through the latch.
// A key and its record are one entry in one cell, so that a snapshot has the record of the key that it was taken for.
import { StoreClosedError } from '../errors.ts';
import { codecOf } from '../layout/codec.ts';
import { emitRecord } from '../layout/compile.ts';
import { evaluate } from '../layout/evaluate.ts';
import { show } from '../layout/fault.ts';
import type { BackOff } from '../sync/back-off.ts';
import { type CellMemory, contend } from '../sync/cells.ts';
import { Latch } from '../sync/latch.ts';
import {
  ABSENT,
  ENTRY_BASE_WORD,
  ENTRY_KEY_WORD,
  ENTRY_PRESENT_WORD,
  mapGeometry,
  MapIndex,
  type MapMemory,
  PRESENT,
} from '../sync/map-index.ts';
import { type GeneratedMap, type MapBindings, mapSource } from '../sync/map-source.ts';
import { hashWords } from '../sync/murmur.ts';
import type { MapEntry } from './map-entry.ts';
import { boundRuns, type Copy, makeCopy } from './record-access.ts';
import { generationAt } from './watch.ts';

const WORD = 4;
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

/** The calls that most programs make most of the time: generated code where the record and the engine allow it. */
export interface MapCalls {
  readonly get: (key: unknown) => object | undefined;
  readonly has: (key: unknown) => boolean;
  readonly set: (key: unknown, record: object) => void;
}

/** Everything else a map does with its entries. */
export interface MapAccess {
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
export function accessMap(
  entry: MapEntry,
  memory: CellMemory & MapMemory,
): { readonly access: MapAccess; readonly calls: MapCalls } {
  const access = new PlainAccess(entry, memory);
  const plain: MapCalls = {
    get: (key) => access.get(key),
    has: (key) => access.has(key),
    set: (key, record) => access.set(key, record),
  };
  return { access, calls: { ...plain, ...generate(access, entry, memory) } };
}

/** Undefined where the machine's order is weak, the record is too large for straight-line code, or code generation is refused. */
function generate(
  access: PlainAccess,
  { layout, recordOffset, keyCodec }: MapEntry,
  memory: CellMemory & MapMemory,
): GeneratedMap | undefined {
  if (!memory.strongOrder) return undefined;
  const record = emitRecord(layout);
  if (record === undefined) return undefined;
  const { words, lock, name } = memory;
  const bindings: MapBindings = {
    words,
    view: new DataView(words.buffer),
    sought: access.sought,
    check: () => access.check(),
    seek: (key) => access.seek(key),
    requireKey: (key) => access.checkKey(key),
    hashWords,
    contend: (patience) => contend(patience as BackOff | undefined, name),
    damaged: (slot) => access.damaged(slot),
    me: lock?.me ?? 0,
    acquire: (word) => lock!.acquire(word),
    announce: memory.announce,
    insert: (key, value) => access.set(key, value),
  };
  const source = mapSource(memory, mapGeometry(memory.capacity), recordOffset, record, keyCodec.quickly);
  return evaluate<GeneratedMap>({ ...record.bindings, ...bindings }, source);
}

class PlainAccess implements MapAccess {
  readonly #entry: MapEntry;
  readonly #memory: CellMemory & MapMemory;
  readonly #latch: Latch;
  readonly #index: MapIndex;
  /** The key that is looked for, as it is stored. Used within one call, never across user code. */
  readonly sought: Int32Array;
  readonly #soughtView: DataView;
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
    const { words, view } = makeCopy(entry.keyWords);
    this.sought = words;
    this.#soughtView = view;
    this.#found = makeCopy(memory.cellWords);
  }

  check(): void {
    if (this.#closed) throw new StoreClosedError(`cannot use map ${this.#memory.name}: it is closed`);
  }

  checkKey(key: unknown): void {
    this.#entry.keyCodec.write(this.#soughtView, 0, key);
  }

  /** Stores a key in `sought`; false if no entry can hold it. */
  seek(key: unknown): boolean {
    return this.#entry.keyCodec.tryWrite(this.#soughtView, 0, key);
  }

  damaged(slot: number): never {
    return this.#index.damagedSlot(slot);
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
      this.checkKey(key);
      const hash = this.#hash();
      words.fill(0, 0, this.#entry.recordOffset / WORD);
      words.set(this.sought, ENTRY_KEY_WORD);
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
    if (!this.seek(key)) return false;
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
    const { sought } = this;
    for (let slot = 0; slot < this.#index.highWater; slot++) {
      this.#index.lock();
      try {
        if (!this.#index.isLive(slot)) continue;
        this.#latch.snapshot(slot, this.#found.words);
        sought.set(this.#found.words.subarray(ENTRY_KEY_WORD, ENTRY_KEY_WORD + sought.length));
        if (this.#index.find(this.#hash(), this.#matches) === slot) this.#removeAt(slot);
      } finally {
        this.#index.unlock();
      }
    }
  }

  revise(key: unknown, change: (view: DataView, at: number) => void): boolean {
    const copy = this.#borrow();
    try {
      let deadline = Infinity;
      for (let runs = 0; ; runs++) {
        if (!this.#find(key)) return false;
        deadline = boundRuns(runs, deadline, () => `${this.#memory.name}[${show(key)}]`);
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
    if (!this.seek(key)) return false;
    this.#slot = this.#index.find(this.#hash(), this.#matches);
    return this.#slot !== ABSENT;
  }

  #hash(): number {
    return hashWords(this.sought, 0, this.#entry.keyWords);
  }

  /** Copies the entry in a slot; true if it is there and has the key that is looked for. */
  readonly #matches = (slot: number): boolean => {
    if (!this.#take(slot)) return false;
    const key = this.sought;
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
