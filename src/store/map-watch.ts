// Following a map: what changed is found by the slots' sequences, and told by key. A slot may be used again for another key
// between two looks; then the key it held is looked up, so that its deletion is told too. Steps are those of docs/protocol.md,
// watch.
import type { MapAccess, SlotState } from './map-access.ts';
import type { MapChange } from './map-types.ts';
import type { WatchOptions } from './types.ts';
import { SLICE, UNFINISHED, type WatchHub, Watching } from './watch.ts';

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

/** The iterator behind `map.watch()`. */
export class MapWatch extends Watching<Change> {
  readonly #access: MapAccess;
  /** The sequence last seen, per slot. */
  readonly #seen: Int32Array;
  /** The key last seen, per slot: there, or the one that was deleted. */
  readonly #keys: unknown[] = [];
  readonly #told = new Map<unknown, Told>();
  /** How many slots have a key as the one last seen; what no slot has is forgotten. */
  readonly #holders = new Map<unknown, number>();
  readonly #waiting: Change[] = [];
  #cursor = 0;
  /** Slots of this round that are still to be looked at. */
  #left = 0;

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
        this.#remember(state);
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
    for (let step = 0; this.#left > 0 && this.#waiting.length === 0; step++) {
      if (step === SLICE) return UNFINISHED;
      this.#left--;
      const slot = this.#cursor < slots ? this.#cursor : 0;
      this.#cursor = slot + 1;
      if (this.#access.sequence(slot) !== this.#seen[slot]) this.attempt(() => this.#lookAt(slot));
    }
    const change = this.#waiting.shift();
    if (change !== undefined) this.#left = 0;
    return change;
  }

  /** Notes what became of the key that the slot holds, and of the one it held. A throw leaves the slot as not yet seen. */
  #lookAt(slot: number): void {
    const state = this.#access.stateOf(slot);
    if (state === undefined) return;
    const before = this.#keys[slot];
    if (before !== undefined && before !== state.key) this.#lookUp(before);
    if (state.record === undefined) this.#lookUp(state.key, state.generation);
    else this.#tell(state.key, state.generation, state.record);
    this.#remember(state);
    if (before !== undefined && before !== state.key) this.#release(before);
  }

  /** Tells the present state of a key, or that it was deleted at that generation. */
  #lookUp(key: unknown, deletedAt = 0): void {
    const found = this.#access.lookUp(key);
    if (found !== undefined) return this.#tell(key, found.generation, found.record);
    const told = this.#told.get(key);
    if (told?.present === true) this.#tell(key, Math.max(deletedAt, told.generation + 1), undefined);
    else if (deletedAt > 0) this.#tell(key, deletedAt, undefined);
  }

  #tell(key: unknown, generation: number, record: object | undefined): void {
    const told = this.#told.get(key);
    if (told !== undefined && generation <= told.generation) return;
    this.#told.set(key, { generation, present: record !== undefined });
    this.#waiting.push({ key, generation, record });
  }

  #remember({ slot, sequence, key }: SlotState): void {
    this.#seen[slot] = sequence;
    if (this.#keys[slot] === key) return;
    this.#keys[slot] = key;
    this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1);
  }

  #release(key: unknown): void {
    const left = (this.#holders.get(key) ?? 1) - 1;
    if (left > 0) this.#holders.set(key, left);
    else {
      this.#holders.delete(key);
      if (this.#told.get(key)?.present === false) this.#told.delete(key);
    }
  }
}
