// The object behind MapReader and MapWriter: one open of a map by one thread.
import { show } from '../layout/fault.ts';
import type { AnyLayout, AnyType } from '../layout/types.ts';
import type { Handle } from '../platform/platform.ts';
import { draftChange, requireChange } from './draft.ts';
import type { MapAccess, MapCalls } from './map-access.ts';
import type { MapChange } from './map-types.ts';
import { KeyWatch, MapWatch } from './map-watch.ts';
import { hide } from './hide.ts';
import { optionError } from './options.ts';
import type { MappedSegment, Segment } from './mapped-segment.ts';
import type { WatchOptions } from './types.ts';
import { takeWatchOptions, type Watching, type WatchHub } from './watch.ts';

type Change = MapChange<unknown, object>;

/** What a map is made of. */
export interface MapParts {
  readonly key: AnyType;
  readonly layout: AnyLayout;
  readonly capacity: number;
  readonly segment: MappedSegment;
  readonly access: MapAccess;
  readonly calls: MapCalls;
  readonly hub: WatchHub;
  /** True once the name means another segment. */
  readonly replaced: () => boolean;
}

/** Reads; and writes, where `MapWriter` below adds it. */
export class MapReader {
  readonly layout: AnyLayout;
  readonly key: AnyType;
  readonly capacity: number;
  readonly segment: Segment;
  // An own function and not a method, as those of a store are (store.ts). HOT: bench/run.ts, row "map".
  declare readonly get: (key: unknown) => object | undefined;
  declare readonly has: (key: unknown) => boolean;
  readonly #parts: MapParts;
  readonly #watches = new Set<Watching<Change>>();

  constructor(parts: MapParts) {
    const { access, calls } = parts;
    this.#parts = parts;
    this.layout = parts.layout;
    this.key = parts.key;
    this.capacity = parts.capacity;
    this.segment = parts.segment;
    hide(this, 'get', calls.get);
    hide(this, 'has', calls.has);
    parts.segment.closeFirst({
      close: () => {
        access.close();
        for (const watch of this.#watches) watch.end();
      },
    });
  }

  get created(): boolean {
    return this.segment.created;
  }
  get handle(): Handle {
    return this.segment.handle;
  }
  get closed(): boolean {
    return this.segment.closed;
  }
  get orphaned(): boolean {
    this.#parts.access.check();
    return this.#parts.replaced();
  }
  get size(): number {
    return this.#parts.access.size();
  }

  *entries(): Generator<[key: unknown, record: object], undefined> {
    const { access } = this.#parts;
    for (let slot = 0; slot < access.slots(); slot++) {
      const entry = access.entryAt(slot);
      if (entry !== undefined) yield entry;
    }
  }

  *keys(): Generator<unknown, undefined> {
    const { access } = this.#parts;
    for (let slot = 0; slot < access.slots(); slot++) {
      const found = access.keyAt(slot);
      if (found !== undefined) yield found.key;
    }
  }

  *values(): Generator<object, undefined> {
    for (const [, record] of this.entries()) yield record;
  }

  [Symbol.iterator](): Generator<[key: unknown, record: object], undefined> {
    return this.entries();
  }

  forEach(visit: (record: object, key: unknown, map: this) => void, thisArg?: unknown): void {
    if (typeof visit !== 'function')
      throw optionError(`visit ${this.layout.name}`, 'callback', visit, 'function', 'a function');
    for (const [key, record] of this.entries()) visit.call(thisArg, record, key, this);
  }

  watch(
    ...args: [options?: WatchOptions] | [key: unknown, options?: WatchOptions]
  ): AsyncIterableIterator<Change> {
    const { access, hub, capacity } = this.#parts;
    access.check();
    const [first] = args;
    const one = typeof first !== 'object' && first !== undefined;
    if (one) access.checkKey(first);
    const chosen = takeWatchOptions(one ? args[1] : first);
    // A getter of the options may have closed the map.
    access.check();
    const onEnd = (ended: Watching<Change>): void => void this.#watches.delete(ended);
    const watch = one
      ? new KeyWatch(access, first, hub, chosen, onEnd)
      : new MapWatch(access, capacity, hub, chosen, onEnd);
    if (!watch.ended) this.#watches.add(watch);
    return watch;
  }

  close(): void {
    this.segment.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Reads and writes. */
export class MapWriter extends MapReader {
  declare readonly set: (key: unknown, record: object) => this;
  readonly #access: MapAccess;

  constructor(parts: MapParts) {
    super(parts);
    this.#access = parts.access;
    const { set } = parts.calls;
    hide(this, 'set', (key: unknown, record: object): this => {
      set(key, record);
      return this;
    });
  }

  delete(key: unknown): boolean {
    return this.#access.remove(key);
  }

  clear(): void {
    this.#access.clear();
  }

  update(key: unknown, change: (draft: object) => unknown): boolean {
    requireChange(change, this.layout);
    return this.#access.revise(
      key,
      draftChange(this.layout, () => `${this.layout.name}[${show(key)}]`, change),
    );
  }
}
