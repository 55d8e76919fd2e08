// The processes of the map races, `map-peer.ts ROLE NAME SEED …`: one script, one subcommand per role (role.ts).
import { openMap, openSegment, openStore } from '../../src/index.ts';
import { Chance } from '../torture/campaign.ts';
import { brokenGet } from './broken-map.ts';
import { insist } from './insist.ts';
import {
  COUNTER,
  definition,
  isWhole,
  KEPT,
  marked,
  Marked,
  MOVING,
  MOVING_KEYS,
  NEW,
} from './map-records.ts';
import { Owner, Told } from './owned-keys.ts';
import { runRole, say, untilEnd } from './role.ts';

const SLICE = 200;
/** Looks at the others before the thread has a turn for its input. */
const SPINS = 10_000;

/** storm: adds, sets and deletes moving keys. */
async function storm(name: string, seed: string): Promise<void> {
  const chance = new Chance(Number(seed));
  const map = openMap(name, definition, { access: 'read-write' });
  let changes = 0;
  let full = 0;
  await untilEnd(() => {
    for (let i = 0; i < SLICE; i++, changes++) {
      const key = MOVING + chance.below(MOVING_KEYS);
      if (chance.below(2) === 0) insist(() => map.delete(key));
      else {
        try {
          insist(() => map.set(key, marked(key, changes)));
        } catch (error) {
          if ((error as { code?: string }).code !== 'STORE_FULL') throw error;
          full++;
        }
      }
    }
  });
  map.close();
  say({ changes, full });
}

/** count: adds to the counter and sets kept keys; says after each slice how often, so that a death is counted within it. */
async function count(name: string): Promise<void> {
  const map = openMap(name, definition, { access: 'read-write' });
  let added = 0;
  await untilEnd(() => {
    for (let i = 0; i < SLICE; i++, added++) {
      insist(() => map.update(COUNTER, (draft) => void Object.assign(draft, marked(COUNTER, draft.a + 1))));
      insist(() => map.set(added % KEPT, marked(added % KEPT, added)));
    }
  });
  map.close();
  say({ added });
}

/** read HOW LIMIT: looks for keys, kept and moving; HOW `iterate`, `get`, or a control of broken-map.ts, which ends after LIMIT faults. */
async function read(name: string, seed: string, how: string, limit: string): Promise<void> {
  const chance = new Chance(Number(seed));
  const map = openMap(name, definition);
  const segment = openSegment(name);
  const get: (key: number) => Marked | undefined =
    how === 'get' ? (key) => map.get(key) : brokenGet(segment.buffer, how);
  const seen = { reads: 0, missed: 0, wrong: 0, twice: 0, found: 0 };
  const look = (key: number): void => {
    const record = get(key);
    seen.reads++;
    if (record === undefined) seen.missed += key < KEPT ? 1 : 0;
    else {
      seen.found += key < KEPT ? 0 : 1;
      if (!isWhole(key, record)) seen.wrong++;
    }
  };
  const walk = (): void => {
    const keys = new Set<number>();
    for (const [key, record] of map) {
      if (keys.has(key) && key < KEPT) seen.twice++;
      keys.add(key);
      if (!isWhole(key, record)) seen.wrong++;
    }
    seen.reads++;
    for (let key = 0; key < KEPT; key++) if (!keys.has(key)) seen.missed++;
  };
  await untilEnd(() => {
    for (let i = 0; i < SLICE; i++) {
      if (how === 'iterate') walk();
      else {
        look(chance.below(KEPT));
        look(MOVING + chance.below(MOVING_KEYS));
      }
    }
    return how !== 'get' && how !== 'iterate' && seen.missed + seen.wrong >= Number(limit);
  });
  segment.close();
  map.close();
  say(seen);
}

/** own LOG OWNER HOW: puts, updates, deletes and adds its own keys and tells so in the store LOG; HOW `hasty` is a control. */
async function own(name: string, seed: string, logName: string, owner: string, how: string): Promise<void> {
  const map = openMap(name, definition, { access: 'read-write' });
  const log = openStore(logName, Told, { access: 'read-write' });
  const writer = new Owner(map, log, Number(owner), new Chance(Number(seed)), how === 'hasty');
  await untilEnd(() => {
    for (let i = 0; i < SLICE; i++) writer.act();
  });
  log.close();
  map.close();
  say({ acknowledged: writer.acknowledged });
}

/** same LOG LANE LANES ROUNDS: sets a new key in each round, at once with the other lanes; each tells its round in the store LOG. */
async function same(name: string, _seed: string, logName: string, ...counts: string[]): Promise<void> {
  const [lane, lanes, rounds] = counts.map(Number) as [number, number, number];
  const map = openMap(name, definition, { access: 'read-write' });
  const log = openStore(logName, Marked, { access: 'read-write' });
  let round = 0;
  const isMet = (): boolean => {
    for (let other = 0; other < lanes; other++) if (log.read(other).a < round) return false;
    return true;
  };
  await untilEnd(() => {
    for (let spins = 0; round < rounds && spins < SPINS; spins++) {
      if (round > 0 && !isMet()) continue;
      if (round > 0) map.set(NEW + round, marked(NEW + round, lane));
      log.write(lane, marked(lane, ++round));
    }
    return round === rounds;
  });
  log.close();
  map.close();
  say({ rounds });
}

await runRole({ storm, count, read, own, same });
