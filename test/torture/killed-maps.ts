// The ground of killed writers that is a map: each lane owns keys and tells what it did with them (owned-keys.ts), all of them add to
// one more key, and readers search and iterate.
//
//   after kill -9 of a writer                                      verdict
//   each of its keys holds what its last call left there           required, at once, and the same after others went on
//   the key of the call in progress is as before it or after it    required
//   searches and iterations agree on the dead one's keys           required
//   an iteration ends and has each kept key once                   required
//   a record of another key, or of two writes                      forbidden
//   keys of the living hold what they told                         required
//   as many keys fit as before, and no more                        required, in the end
import { createMap, createStore } from '../../src/index.ts';
import { CAPACITY, COUNTER, definition, fillMap, isWhole, KEPT, requireSound } from '../race/map-records.ts';
import { ABSENT, firstTold, keysOf, NONE, OWNERS, Told, valueAt } from '../race/owned-keys.ts';
import type { Household, Tier } from '../support/household.ts';
import type { Chance } from './campaign.ts';
import type { Ground } from './random-kills.ts';

/** Lays the ground; `how` is `sound` or, as a control, `hasty`. */
export function mapGround(house: Household, tier: Tier, chance: Chance, how = 'sound'): Ground {
  const [name, logName] = [house.name('killed-map'), house.name('killed-log')];
  const map = house.keep(createMap({ ...definition, name, capacity: CAPACITY }));
  const log = house.keep(createStore({ name: logName, layout: Told, capacity: OWNERS }));
  fillMap(map);
  const owners = Array.from({ length: OWNERS }, (_, owner) => owner);
  for (const owner of owners) log.write(owner, firstTold(map, owner));
  const keys = owners.map(keysOf);
  const script = (role: string, ...args: readonly (string | number)[]) =>
    house.script(tier, 'map-peer.ts', role, name, chance.seedOfPeer(), ...args);
  const readers = ['get', 'iterate'].map((way) => script('read', way, 0));
  /** What each key of an owner holds while it has no writer. */
  const held = new Map<number, readonly number[]>();
  /** Calls of the dead that were committed and not acknowledged; calls on COUNTER that may have been. */
  let [unacknowledged, perhapsCounted] = [0, 0];

  const require = (owner: number, key: number, found: number, expected: number): void => {
    if (found !== expected) throw new Error(`owner ${owner}: key ${key} has ${found}, expected ${expected}`);
  };
  /** One iteration: what each key holds. */
  const walk = (): Map<number, number[]> => {
    const seen = new Map<number, number[]>();
    let left = CAPACITY;
    for (const [key, record] of map) {
      if (left-- === 0) throw new Error('an iteration does not end');
      if (!isWhole(key, record)) throw new Error(`an iteration: key ${key} has ${JSON.stringify(record)}`);
      seen.set(key, [...(seen.get(key) ?? []), record.a]);
    }
    return seen;
  };
  /** Requires what an owner told: of all keys if it is dead, else of those that stay as they are during the look. */
  const checkOwner = (owner: number, seen: Map<number, number[]>): void => {
    const dead = held.get(owner);
    keys[owner]!.forEach((key, at) => {
      const values = seen.get(key) ?? [];
      if (key < KEPT && values.length !== 1)
        throw new Error(`owner ${owner}: kept key ${key} comes ${values.length} times in an iteration`);
      if (dead !== undefined) {
        require(owner, key, valueAt(map, key), dead[at]!);
        if (values.length > 1) throw new Error(`owner ${owner}: key ${key} is there twice`);
        return require(owner, key, values[0] ?? ABSENT, dead[at]!);
      }
      const generation = log.generation(owner);
      const told = log.read(owner);
      const found = valueAt(map, key);
      if (log.generation(owner) === generation && told.key !== key)
        require(owner, key, found, told.values[at]!);
    });
  };
  const counted = (): number => owners.reduce((sum, owner) => sum + log.read(owner).counted, 0);

  return {
    lanes: owners.map((owner) => ({
      isNative: false,
      start() {
        held.delete(owner);
        return script('own', logName, owner, how);
      },
    })),
    acknowledged: (owner) => log.read(owner).acknowledged,
    settle(owner) {
      const told = log.read(owner);
      const found = keys[owner]!.map((key) => valueAt(map, key));
      keys[owner]!.forEach((key, at) => {
        const isDone = told.key === key && found[at] === told.value;
        if (isDone) unacknowledged++;
        else require(owner, key, found[at]!, told.values[at]!);
      });
      if (told.key === COUNTER) perhapsCounted++;
      held.set(owner, found);
    },
    check() {
      for (const reader of readers) if (!reader.running) throw new Error(`${reader} has ended`);
      const least = counted();
      const found = valueAt(map, COUNTER);
      if (found < least) throw new Error(`the counter is ${found}, expected at least ${least}`);
      const seen = walk();
      for (const owner of owners) checkOwner(owner, seen);
    },
    async finish() {
      for (const owner of owners) {
        const told = log.read(owner);
        if (told.key !== NONE) throw new Error(`owner ${owner}: its last call is not told of`);
        held.set(owner, told.values);
      }
      this.check();
      for (const reader of readers) {
        const { reads, missed, wrong, twice } = await reader.end();
        if (missed !== 0 || wrong !== 0 || twice !== 0 || reads === 0)
          throw new Error(`${reader}: ${reads} reads, ${missed} missed, ${wrong} wrong, ${twice} twice`);
      }
      const [told, found] = [counted(), valueAt(map, COUNTER)];
      if (found < told || found > told + perhapsCounted)
        throw new Error(`the counter is ${found}, expected ${told} to ${told + perhapsCounted}`);
      requireSound(map);
      const committed = owners.reduce((sum, owner) => sum + log.read(owner).acknowledged, unacknowledged);
      log.close();
      map.close();
      return committed;
    },
  };
}
