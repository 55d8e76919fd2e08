// What is watched in the race tests, a store or a map: how its writers change it, and what a thread has seen that has seen
// everything. Item 0, a record or a key, has watches of its own.
import { type Infer, type MapReader, type MapWriter, openMap, openStore, u32 } from '../../src/index.ts';
import type { StoreReader, StoreWriter } from '../../src/index.ts';
import type { Chance } from '../torture/campaign.ts';
import { Fields, fieldsKind, type Seen } from './records.ts';

export type Kind = 'store' | 'map';
type Latest = Infer<typeof Seen>;

/** One open of it, for reading. */
export interface Watched {
  /** Follows all, and with `both` item 0 as well, from now on; says after each change what has been seen so far. */
  follow(signal: AbortSignal, both: boolean, say: (latest: Latest) => void): Promise<void>[];
  /** What there is to be seen, while nobody writes. */
  newest(): Latest;
  close(): void;
}
/** One open of it, for writing. */
export interface Changed extends Watched {
  readonly capacity: number;
  /** Changes item `at`, 0 to below the capacity. */
  change(at: number, chance: Chance): void;
}

/** The map: as many keys as it has room for, so that slots are used again for other keys. */
export const WatchedMap = { key: u32, layout: Fields };
type Reader = MapReader<typeof u32, typeof Fields>;
type Writer = MapWriter<typeof u32, typeof Fields>;

/** Calls `note` with each change until the signal. */
async function each<T>(
  changes: AsyncIterable<T>,
  signal: AbortSignal,
  note: (change: T) => void,
): Promise<void> {
  try {
    for await (const change of changes) note(change);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Of a store everybody counts the generations. */
export function watchedStore(store: StoreReader<typeof Fields>): Watched {
  return {
    follow(signal, both, say) {
      const latest = { one: 0, all: 0 };
      const generations = new Float64Array(store.capacity);
      const all = each(store.watch({ signal }), signal, ({ index, generation }) => {
        latest.all += generation - generations[index]!;
        generations[index] = generation;
        say(latest);
      });
      if (!both) return [all];
      const one = each(store.watch(0, { signal }), signal, ({ generation }) => {
        latest.one = generation;
        say(latest);
      });
      return [all, one];
    },
    newest() {
      let all = 0;
      for (let i = 0; i < store.capacity; i++) all += store.generation(i);
      return { one: store.generation(0), all };
    },
    close: () => store.close(),
  };
}

export function changedStore(store: StoreWriter<typeof Fields>): Changed {
  return {
    ...watchedStore(store),
    capacity: store.capacity,
    change: (at) => store.update(at, (draft) => void fieldsKind.fill(draft, draft.a + 1)),
  };
}

/** A number for a key and its value; 0 for a key that is not there. */
function mix(key: number, value: number): number {
  if (value === 0) return 0;
  let bits = Math.imul(key + 1, 0x9e3779b1) ^ value;
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca6b);
  return (bits ^ (bits >>> 13)) >>> 0;
}

function valueOf(record: Infer<typeof Fields> | undefined): number {
  const value = record === undefined ? 0 : fieldsKind.valueOf(record);
  if (Number.isNaN(value)) throw new Error(`torn: ${JSON.stringify(record)}`);
  return value;
}

/** Of a map everybody adds up numbers of its keys and their values, since there are keys that come and go. */
export function watchedMap(map: Reader): Watched {
  return {
    follow(signal, both, say) {
      const latest = { one: 0, all: 0 };
      const seen = new Map<number, { readonly generation: number; readonly value: number }>();
      const all = each(map.watch({ signal }), signal, ({ key, generation, record }) => {
        const before = seen.get(key) ?? { generation: 0, value: 0 };
        if (generation <= before.generation)
          throw new Error(`key ${key}: generation ${generation} behind ${before.generation}`);
        const value = valueOf(record);
        seen.set(key, { generation, value });
        latest.all = (latest.all + mix(key, value) - mix(key, before.value)) >>> 0;
        say(latest);
      });
      if (!both) return [all];
      const one = each(map.watch(0, { signal }), signal, ({ record }) => {
        latest.one = valueOf(record);
        say(latest);
      });
      return [all, one];
    },
    newest() {
      let all = 0;
      for (const [key, record] of map) all = (all + mix(key, valueOf(record))) >>> 0;
      return { one: valueOf(map.get(0)), all };
    },
    close: () => map.close(),
  };
}

const VALUES = 2 ** 31 - 1;
export function changedMap(map: Writer): Changed {
  return {
    ...watchedMap(map),
    capacity: map.capacity,
    change(at, chance) {
      // Hardly ever the same twice: who missed a change has another number.
      const value = 1 + chance.below(VALUES);
      if (chance.below(3) === 0) map.delete(at);
      else if (chance.below(2) === 0) map.set(at, fieldsKind.fill(Fields.zero(), value));
      else map.update(at, (draft) => void fieldsKind.fill(draft, value));
    },
  };
}

/** Opens what is watched to watch it, through a writer or a reader: these map the armed word by themselves. */
export function openWatched(kind: string, name: string, access: 'read' | 'read-write'): Watched {
  if (kind === 'map') return watchedMap(openMap(name, WatchedMap, { access }));
  return watchedStore(openStore(name, Fields, { access }));
}

/** Opens what is watched to change it. */
export function openChanged(kind: string, name: string): Changed {
  const access = 'read-write';
  if (kind === 'map') return changedMap(openMap(name, WatchedMap, { access }));
  return changedStore(openStore(name, Fields, { access }));
}
