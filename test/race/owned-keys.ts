// Keys of a map that one writer owns. In a record of a store it tells what it is about to do, and then that it did: so anybody knows
// at any time what each key must hold, but for the one call under way, which may be done or not.
import {
  array,
  f64,
  type Infer,
  type MapReader,
  type MapWriter,
  type StoreWriter,
  struct,
} from '../../src/index.ts';
import type { Chance } from '../torture/campaign.ts';
import { insist } from './insist.ts';
import { CAPACITY, COUNTER, type definition, isWhole, KEPT, marked, MOVING } from './map-records.ts';

export const OWNERS = 4;
/** What is told of a key that is not there. */
export const ABSENT = -1;
/** What is told of the call under way if there is none. */
export const NONE = -1;
const MOST_KEYS = 10;

export const Told = struct('Told', {
  /** Calls that returned. */
  acknowledged: f64,
  /** Of those, updates of COUNTER, which belongs to all. */
  counted: f64,
  /** Of the call under way, and what its key holds afterwards. */
  key: f64,
  value: f64,
  /** The values given so far: none is given twice. */
  stamp: f64,
  /** What each of `keysOf` holds by the calls that returned. */
  values: array(f64, MOST_KEYS),
});
type Told = Infer<typeof Told>;
type Reader = MapReader<typeof definition.key, typeof definition.layout>;
type Writer = MapWriter<typeof definition.key, typeof definition.layout>;

/** The keys of one owner, 0 to below OWNERS; all of them and COUNTER are as many as the map has room for. */
export function keysOf(owner: number): number[] {
  const moving = CAPACITY - KEPT - 1;
  return Array.from({ length: KEPT + moving }, (_, i) => (i < KEPT ? i : MOVING + i - KEPT)).filter(
    (key) => key % OWNERS === owner,
  );
}

/** Gives what a key holds, or ABSENT. */
export function valueAt(map: Reader, key: number): number {
  const record = map.get(key);
  if (record === undefined) return ABSENT;
  if (!isWhole(key, record)) throw new Error(`key ${key} has ${JSON.stringify(record)}`);
  return record.a;
}

/** What an owner tells first: nothing but what the map has. */
export const firstTold = (map: Reader, owner: number): Told => ({
  ...Told.zero(),
  key: NONE,
  values: withTail(keysOf(owner).map((key) => valueAt(map, key))),
});
const withTail = (values: number[]): number[] =>
  Array.from({ length: MOST_KEYS }, (_, i) => values[i] ?? ABSENT);

/** Puts, updates, deletes and adds keys at random. A hasty one tells that it did before it does: a control. */
export class Owner {
  readonly #map: Writer;
  readonly #log: StoreWriter<typeof Told>;
  readonly #owner: number;
  readonly #chance: Chance;
  readonly #isHasty: boolean;
  readonly #keys: readonly number[];
  readonly #told: Told;

  constructor(map: Writer, log: StoreWriter<typeof Told>, owner: number, chance: Chance, isHasty: boolean) {
    this.#map = map;
    this.#log = log;
    this.#owner = owner;
    this.#chance = chance;
    this.#isHasty = isHasty;
    this.#keys = keysOf(owner);
    // The one before may have died in a call: what that became is in the map.
    const { acknowledged, counted, stamp } = log.read(owner);
    this.#told = { ...firstTold(map, owner), acknowledged, counted, stamp };
    log.write(owner, this.#told);
  }

  get acknowledged(): number {
    return this.#told.acknowledged;
  }

  /** Makes one call. @throws {Error} if the map has not what the owner's calls left there */
  act(): void {
    const at = this.#chance.below(this.#keys.length + 1);
    if (at === this.#keys.length) this.#count();
    else this.#change(at);
  }

  #count(): void {
    const add = (draft: ReturnType<typeof marked>): void =>
      void Object.assign(draft, marked(COUNTER, draft.a + 1));
    this.#call(
      COUNTER,
      NONE,
      () => this.#map.update(COUNTER, add),
      () => void this.#told.counted++,
    );
  }

  #change(at: number): void {
    const key = this.#keys[at]!;
    const before = this.#told.values[at]!;
    const found = valueAt(this.#map, key);
    if (found !== before) throw new Error(`key ${key} has ${found}, expected ${before}`);
    const way = this.#chance.below(3);
    if (before === ABSENT && way === 0) {
      if (this.#map.has(key) || this.#map.delete(key) || this.#map.update(key, () => {}))
        throw new Error(`key ${key} was found, expected none`);
      return;
    }
    const isDelete = way === 0 && key >= KEPT;
    const record = marked(key, isDelete ? ABSENT : ++this.#told.stamp);
    const isUpdate = way === 1 && before !== ABSENT;
    this.#call(
      key,
      record.a,
      () => {
        if (isDelete) return this.#map.delete(key);
        if (isUpdate) return this.#map.update(key, (draft) => void Object.assign(draft, record));
        return this.#map.set(key, record).has(key);
      },
      () => void (this.#told.values[at] = record.a),
    );
  }

  /** Tells what is about to be, calls, and tells that it is. */
  #call(key: number, value: number, call: () => boolean, note: () => void): void {
    const told = this.#told;
    const tell = (): void => this.#log.write(this.#owner, told);
    const acknowledge = (): void => {
      note();
      told.key = NONE;
      told.acknowledged++;
      tell();
    };
    told.key = key;
    told.value = value;
    tell();
    if (this.#isHasty) acknowledge();
    // Not acknowledged before it is done, however often it is made.
    if (!insist(call)) throw new Error(`key ${key} was not found`);
    if (!this.#isHasty) acknowledge();
  }
}
