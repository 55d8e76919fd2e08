// The processes of the map races, `map-peer.ts ROLE NAME SEED …`: one script, one subcommand per role. Prints "ready", works until its standard input ends, then
// prints one line of JSON.
import { openMap, openSegment } from '../../src/index.ts';
import { Chance } from '../torture/campaign.ts';
import { brokenGet } from './broken-map.ts';
import {
  COUNTER,
  definition,
  isWhole,
  KEPT,
  marked,
  type Marked,
  MOVING,
  MOVING_KEYS,
} from './map-records.ts';

const [role = '', name = '', seed = '', ...args] = process.argv.slice(2);
const say = (report: object): void => void process.stdout.write(`${JSON.stringify(report)}\n`);

const input = new AbortController();
async function untilEnd(work: () => boolean | void): Promise<void> {
  process.stdin.resume();
  process.stdin.once('end', () => input.abort());
  process.stdout.write('ready\n');
  while (!input.signal.aborted && work() !== true) await new Promise((resolve) => setImmediate(resolve));
  process.stdin.destroy();
}
const SLICE = 200;
const chance = new Chance(Number(seed));

/** storm: adds, sets and deletes moving keys. */
async function storm(): Promise<void> {
  const map = openMap(name, definition, { access: 'read-write' });
  let changes = 0;
  let full = 0;
  await untilEnd(() => {
    for (let i = 0; i < SLICE; i++, changes++) {
      const key = MOVING + chance.below(MOVING_KEYS);
      if (chance.below(2) === 0) map.delete(key);
      else {
        try {
          map.set(key, marked(key, changes));
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
async function count(): Promise<void> {
  const map = openMap(name, definition, { access: 'read-write' });
  let added = 0;
  await untilEnd(() => {
    for (let i = 0; i < SLICE; i++, added++) {
      map.update(COUNTER, (draft) => void Object.assign(draft, marked(COUNTER, draft.a + 1)));
      map.set(added % KEPT, marked(added % KEPT, added));
    }
  });
  map.close();
  say({ added });
}

/** read HOW LIMIT: looks for keys, kept and moving; HOW `iterate`, `get`, or a control of broken-map.ts, which ends after LIMIT faults. */
async function read(how: string, limit: string): Promise<void> {
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

const roles: Record<string, (...args: string[]) => Promise<void>> = { storm, count, read };
const run = roles[role];
if (run === undefined) throw new Error(`no role ${role}`);
await run(...(args as [string, string]));
