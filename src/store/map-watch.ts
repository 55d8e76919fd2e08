// Following a map: what changed is found by the slots' sequences, and told by key. A slot may be used again for another key
// between two looks; then the key it held is looked up, so that its deletion is told too. Steps are those of docs/protocol.md,
// watch.
import type { MapAccess, SlotState } from './map-access.ts';
import type { MapChange } from './map-types.ts';
import type { WatchOptions } from './types.ts';
import { CONTENDED_SLICE, SLICE, UNFINISHED, type WatchHub, Watching } from './watch.ts';

type Change = MapChange<unknown, object>;

/** What a watch told last of one key. */
interface Told {
  generation: number;
  present: boolean;
}

/** The iterator behind `map.watch(key)`. */
export class KeyWatch extends Watching<Change> {
  readonly #access: MapAccess;
  readonly #key: unknown;
  /** The state when the watch began, then the one last told. */
  #last: SlotState | undefined;
  #isTold = false;

  constructor(
    access: MapAccess,
    key: unknown,
    hub: WatchHub,
    options: WatchOptions,
    onEnd: (watch: Watching<Change>) => void,
  ) {
    super(hub, options, onEnd);
    this.#access = access;
    this.#key = key;
    this.#last = this.orEnd(() => this.attempt(() => access.lookUp(key)));
  }

  protected look(): Change | undefined {
    return this.attempt(() => {
      const last = this.#last;
      const found = this.#access.lookUp(this.#key);
      if (found === undefined && last === undefined) return undefined;
      if (found === undefined) {
        this.#last = undefined;
        return { key: this.#key, generation: generationOfEnd(this.#access, last!), record: undefined };
      }
      if (this.#isTold && found.generation === last?.generation) return undefined;
      this.#last = found;
      this.#isTold = true;
      return { key: this.#key, generation: found.generation, record: found.record };
    });
  }
}

/** The generation of a deletion: as the slot tells it, or, when that holds another key by now, the least it can be. */
function generationOfEnd(access: MapAccess, last: SlotState): number {
  const state = access.stateOf(last.slot);
  const isOurs = state?.key === last.key && state?.record === undefined;
  return isOurs ? Math.max(state?.generation ?? 0, last.generation + 1) : last.generation + 1;
}

/** A key that a slot no longer holds, or holds as deleted: what became of it is still to be looked up. */
interface Search {
  readonly key: unknown;
  /** Generation of its deletion, 0 if its slot went to another key. */
  readonly deletedAt: number;
}

/**
 * The iterator behind `map.watch()`. A key that was told is noted at the slot that it was found in, by whatever way, so that it is
 * looked up when that slot changes.
 */
export class MapWatch extends Watching<Change> {
  readonly #access: MapAccess;
  /** The sequence last seen, per slot. */
  readonly #seen: Int32Array;
  /** The key last seen, per slot: there, or the one that was deleted. */
  readonly #keys: unknown[] = [];
  readonly #told = new Map<unknown, Told>();
  /** How many slots have a key as the one last seen. */
  readonly #holders = new Map<unknown, number>();
  readonly #searches: Search[] = [];
  readonly #waiting: Change[] = [];
  #cursor = 0;
  /** Slots of this round that are still to be looked at. */
  #left = 0;
  /** Keys that no slot has had since before this round of the cursor, and in it. */
  #forgettable = new Set<unknown>();
  #released = new Set<unknown>();
  /** True if each look of this round of the cursor succeeded. */
  #isWhole = true;

  constructor(
    access: MapAccess,
    capacity: number,
    hub: WatchHub,
    options: WatchOptions,
    onEnd: (watch: Watching<Change>) => void,
  ) {
    super(hub, options, onEnd);
    this.#access = access;
    this.#seen = new Int32Array(capacity);
    this.orEnd(() => {
      const slots = access.slots();
      for (let slot = 0; slot < slots; slot++) {
        const state = this.attempt(() => access.stateOf(slot));
        if (state === undefined) continue;
        this.#note(state);
        this.#tell(state.key, state.generation, state.record);
      }
    });
    // What is there already is known, not news.
    this.#waiting.length = 0;
  }

  /** Gives the next change, going round the slots so that a busy one does not hide the others. */
  protected look(): Change | undefined | typeof UNFINISHED {
    const slots = this.#access.slots();
    if (this.#left === 0) this.#left = slots;
    this.attempt(() => this.#search());
    for (let step = 0, contended = 0; this.#left > 0 && this.#waiting.length === 0; step++) {
      if (step === SLICE || contended === CONTENDED_SLICE) return UNFINISHED;
      this.#left--;
      const slot = this.#cursor < slots ? this.#cursor : 0;
      if (slot === 0) this.#forget();
      this.#cursor = slot + 1;
      if (this.#access.sequence(slot) === this.#seen[slot]) continue;
      if (this.attempt(() => this.#lookAt(slot)) === true) continue;
      this.#isWhole = false;
      contended++;
    }
    const change = this.#waiting.shift();
    if (change !== undefined) this.#left = 0;
    return change;
  }

  /** Tells what became of the key that the slot held, and of the one it holds. A throw leaves the rest for the next look. */
  #lookAt(slot: number): true {
    const state = this.#access.stateOf(slot);
    if (state === undefined) return true;
    const { key, sequence, generation, record } = state;
    this.#note(state);
    if (record === undefined) this.#searches.push({ key, deletedAt: generation });
    try {
      this.#search();
    } finally {
      // A search may have found a later key in this slot; what became of this one was looked up then.
      if (record !== undefined && this.#seen[slot] === sequence) this.#tell(key, generation, record);
    }
    return true;
  }

  /** Notes the key that a slot holds; the one it held before is to be looked up. */
  #note({ slot, sequence, key }: SlotState): void {
    this.#seen[slot] = sequence;
    const before = this.#keys[slot];
    if (before === key) return;
    this.#keys[slot] = key;
    this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1);
    if (before !== undefined) this.#searches.push({ key: before, deletedAt: 0 });
  }

  /** Looks up the keys that are to be looked up, and tells their present state or deletion. */
  #search(): void {
    for (let next = this.#searches[0]; next !== undefined; next = this.#searches[0]) {
      const { key, deletedAt } = next;
      const found = this.#access.lookUp(key);
      this.#searches.shift();
      const told = this.#told.get(key);
      if (found !== undefined) {
        this.#note(found);
        this.#tell(key, found.generation, found.record);
      } else if (told?.present === true) this.#tell(key, Math.max(deletedAt, told.generation + 1), undefined);
      else if (deletedAt > 0) this.#tell(key, deletedAt, undefined);
      if (deletedAt === 0) this.#release(key);
    }
  }

  #tell(key: unknown, generation: number, record: object | undefined): void {
    const told = this.#told.get(key);
    if (told !== undefined && generation <= told.generation) return;
    this.#told.set(key, { generation, present: record !== undefined });
    this.#waiting.push({ key, generation, record });
  }

  #release(key: unknown): void {
    const left = this.#holders.get(key)! - 1;
    if (left > 0) this.#holders.set(key, left);
    else {
      this.#holders.delete(key);
      this.#released.add(key);
    }
  }

  /** Forgets keys that no slot has had for a whole round: a slot that was not looked at may still have an older deletion. */
  #forget(): void {
    if (this.#isWhole) {
      for (const key of this.#forgettable) if (!this.#holders.has(key)) this.#told.delete(key);
      this.#forgettable = this.#released;
      this.#released = new Set();
    }
    this.#isWhole = true;
  }
}
