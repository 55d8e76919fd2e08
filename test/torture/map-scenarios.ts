// Deaths at every step of a map: what a victim does, what was there before, and what must be true once it is dead.
//
//   whatever step the victim died at                             verdict
//   every key that the victim did not touch is found, at once    required, by searches and by iteration
//   the victim's key is there or not, as a whole                 required; searches and iteration agree
//   another writer adds and deletes keys                         required
//   as many keys fit as before, and no more                      required: no slot is lost or there twice
//   generations of the victim's key go back                      forbidden
//   who finishes what the victim began dies too, at any step     the same again
//   a record that a living writer holds is taken                 forbidden
import { fileURLToPath } from 'node:url';
import { createMap, type MapReader, openMap } from '../../src/index.ts';
import { SLOT_LOCK_WORD } from '../../src/sync/cells.ts';
import { mapGeometry } from '../../src/sync/map-index.ts';
import { wordOf } from '../support/header.ts';
import { type Household, NODE, Peer } from '../support/household.ts';
import { isNamed } from '../support/system.ts';
import { type Act, definition, perform, recordOf, type Writer } from './map-acts.ts';
import type { End } from './deaths.ts';
import { faultPoints } from './mistake.ts';
import { FIRST_OWNER, requireKilled } from './scenarios.ts';
import { require } from './verdicts.ts';
import { terminateThere } from './victim-thread.ts';

export const CAPACITY = 8;
export type Reader = MapReader<typeof definition.key, typeof definition.layout>;
const VICTIM = fileURLToPath(new URL('./map-victim.ts', import.meta.url));

/** What the victim does, behind what was done before. */
export interface MapScenario {
  readonly title: string;
  readonly before: readonly Act[];
  /** The slot that a living writer holds meanwhile. */
  readonly held?: number;
  readonly act: Act;
}

const set = (...keys: number[]): Act[] => keys.map((key) => ({ key, value: key + 0.5 }));

/** Words of a map, and where a slot of it begins; behind the last one is the control block. */
function wordsOf({ segment }: Reader, slot: number): { words: Int32Array; at: number } {
  const words = new Int32Array(segment.buffer, 0, Math.floor(segment.buffer.byteLength / 4));
  return { words, at: (words[wordOf('headerLength')]! + slot * words[wordOf('stride')]!) / 4 };
}

/** How often the index was made anew. */
export function turnsOf(map: Reader): number {
  const { words, at } = wordsOf(map, map.capacity);
  return words[at + mapGeometry(map.capacity).turns]!;
}

/** Who holds a slot; stores another owner if one is given. */
export function lockOfSlot(map: Reader, slot: number, owner?: number): number {
  const { words, at } = wordsOf(map, slot);
  return owner === undefined
    ? Atomics.load(words, at + SLOT_LOCK_WORD)
    : Atomics.exchange(words, at + SLOT_LOCK_WORD, owner);
}

/** Finds out which calls make the index anew: adds and deletes until it was. */
function untilRebuild(): Act[] {
  const map = createMap({ ...definition, backing: 'process', capacity: CAPACITY });
  const acts: Act[] = [];
  const act = (next: Act): void => {
    acts.push(next);
    perform(map, next);
  };
  for (let key = 0; turnsOf(map) === 0; key++) {
    if (map.size === CAPACITY) act({ key: [...map.keys()][key % CAPACITY]! });
    act({ key, value: key + 0.5 });
  }
  map.close();
  return acts;
}

function rebuildScenario(): MapScenario {
  const acts = untilRebuild();
  return { title: 'insert that makes the index anew', before: acts.slice(0, -1), act: acts.at(-1)! };
}

export const MAP_SCENARIOS: readonly MapScenario[] = [
  { title: 'read of a key that is there', before: set(1, 2, 3), act: { key: 2, reads: true } },
  { title: 'set of a key that is there', before: set(1, 2, 3), act: { key: 2, value: 9 } },
  {
    title: 'insert behind a free slot that another holds',
    before: [...set(1, 2, 3, 4), { key: 3 }, { key: 2 }],
    held: 1,
    act: { key: 5, value: 9 },
  },
  { title: 'insert into a fresh slot', before: set(1, 2, 3), act: { key: 4, value: 9 } },
  {
    title: 'insert into a slot used before',
    before: [...set(1, 2, 3), { key: 2 }],
    act: { key: 4, value: 9 },
  },
  {
    title: 'insert of a key that was deleted',
    before: [...set(1, 2), { key: 2 }, { key: 1 }],
    act: { key: 2, value: 9 },
  },
  {
    title: 'insert into a fresh slot while another holds the free one',
    before: [...set(1, 2, 3), { key: 2 }],
    held: 1,
    act: { key: 4, value: 9 },
  },
  { title: 'insert into the last slot', before: set(1, 2, 3, 4, 5, 6, 7), act: { key: 8, value: 9 } },
  ...[1, 4, 5, 8].map((key) => ({
    title: `delete of key ${key} of eight`,
    before: set(1, 2, 3, 4, 5, 6, 7, 8),
    act: { key },
  })),
  { title: 'delete of the only key', before: set(1), act: { key: 1 } },
  rebuildScenario(),
];

/** A place to die. */
export interface MapPoint {
  readonly scenario: MapScenario;
  readonly step: string;
  readonly pass: number;
  readonly mutation?: string;
  /** Where the one dies that finishes what the victim began. */
  readonly finisher?: VictimPoint;
}

interface VictimPoint {
  readonly scenario?: MapScenario;
  readonly step: string;
  readonly pass: number;
  readonly mutation?: string;
}

/** The command that runs a victim, which does what the point's scenario says, or all of the acts. */
function mapVictimCommand(
  name: string,
  action: 'trace' | 'kill' | 'stop' | 'block',
  { scenario, step, pass, mutation }: VictimPoint,
  acts: readonly Act[] = [scenario!.act],
): [string, ...string[]] {
  const flags = [
    '--conditions=@sharecord/source',
    '--disable-warning=ExperimentalWarning',
    faultPoints(mutation),
  ];
  return [NODE, ...flags, VICTIM, name, JSON.stringify(acts), action, step, String(pass)];
}

/** Starts a victim. */
export function startMapVictim(
  house: Household,
  name: string,
  action: 'trace' | 'kill' | 'stop',
  point: VictimPoint,
  acts?: readonly Act[],
): Peer {
  const [command, ...args] = mapVictimCommand(name, action, point, acts);
  return house.adopt(new Peer(command, args, point.scenario?.title ?? 'trace of maps'));
}

/** Makes the map and does what was done before the victim. */
export function setMapScene(
  house: Household,
  { before, held }: MapScenario,
  name: string,
): { map: Writer; model: Map<number, number> } {
  const map = house.keep(createMap({ ...definition, name, capacity: CAPACITY }));
  const model = new Map<number, number>();
  for (const act of before) {
    perform(map, act);
    if (act.value === undefined) model.delete(act.key);
    else model.set(act.key, act.value);
  }
  // This process made the map, and lives.
  if (held !== undefined) lockOfSlot(map, held, FIRST_OWNER);
  return { map, model };
}

/** The points of all scenarios, each step at its first pass, and their places (named-steps.ts); one process passes them all. */
export async function pointsOfMaps(
  house: Household,
): Promise<{ readonly points: readonly MapPoint[]; readonly places: readonly string[] }> {
  const names = MAP_SCENARIOS.map(() => house.name('map-traced'));
  const maps = MAP_SCENARIOS.map((scenario, i) => setMapScene(house, scenario, names[i]!).map);
  const acts = MAP_SCENARIOS.map(({ act }) => act);
  const victim = startMapVictim(house, names.join(), 'trace', { step: '', pass: 0 }, acts);
  const report = await victim.result();
  const traces = JSON.parse(String(report['steps'])) as string[][];
  for (const map of maps) map.close();
  const points = MAP_SCENARIOS.flatMap((scenario, i) =>
    [...new Set(traces[i])].map((step) => ({ scenario, step, pass: 1 })),
  );
  return { points, places: (JSON.parse(String(report['places'])) as string[]).toSorted() };
}

/** Who changes which keys there are. */
export function lockOfStructure(map: Reader): number {
  const { words, at } = wordsOf(map, map.capacity);
  return Atomics.load(words, at);
}

/** Finishes what the dead one began, and changes nothing else. */
const FINISHING: readonly Act[] = [{ key: 9999 }];
const STEPS_OF_FINISHERS = /^(acquire 6|finish|change 7)/;
const DEATHS_TO_FINISH = [
  ['insert into a fresh slot', 'insert 3'],
  ['insert behind a free slot that another holds', 'insert 3'],
  ['insert behind a free slot that another holds', 'write 5'],
  ['delete of key 5 of eight', 'write 5'],
] as const;

/** Deaths inside a change, each with every step at which the one may die that finishes it. */
export async function pointsOfFinishers(house: Household): Promise<MapPoint[]> {
  const points: MapPoint[] = [];
  for (const [title, step] of DEATHS_TO_FINISH) {
    const scenario = MAP_SCENARIOS.find((each) => each.title === title)!;
    const point = { scenario, step, pass: 1 };
    const name = house.name('map-finisher-traced');
    const { map } = setMapScene(house, scenario, name);
    await requireKilled(startMapVictim(house, name, 'kill', point));
    const report = await startMapVictim(house, name, 'trace', { step: '', pass: 0 }, FINISHING).result();
    map.close();
    for (const passed of new Set((JSON.parse(String(report['steps'])) as string[][])[0]))
      if (STEPS_OF_FINISHERS.test(passed)) points.push({ ...point, finisher: { step: passed, pass: 1 } });
  }
  return points;
}

/** What a reader sees, by search and by iteration; throws where they differ. */
function seenBy(map: Reader, keys: Iterable<number>): Map<number, number> {
  const seen = new Map<number, number>();
  for (const [key, { value, twice }] of map) {
    require(!seen.has(key), `key ${key} is there twice`);
    require(twice === 2 * value, `key ${key} is torn`);
    seen.set(key, value);
  }
  for (const key of new Set([...keys, ...seen.keys()])) {
    const found = map.get(key)?.value;
    require(found === seen.get(key), `get(${key}) is ${found}, iteration says ${seen.get(key)}`);
    require(map.has(key) === seen.has(key), `has(${key}) differs from iteration`);
  }
  return seen;
}

const sameEntries = (a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);

const show = (entries: ReadonlyMap<number, number>): string => JSON.stringify([...entries]);

/** Requires that searches and iteration give just these entries. */
export function requireEntries(map: Reader, expected: ReadonlyMap<number, number>): void {
  const seen = seenBy(map, expected.keys());
  require(sameEntries(seen, expected), `${show(seen)}, expected ${show(expected)}`);
}

/** The generation at which the key is told to be there. */
async function generationOf(map: Reader, key: number): Promise<number> {
  for await (const { generation } of map.watch(key)) return generation;
  return 0;
}

/** Kills a victim at the point and checks what it leaves; throws what is wrong. */
export async function killMapAt(house: Household, point: MapPoint, end: End = 'kill -9'): Promise<void> {
  const { scenario, step, finisher } = point;
  const { act, held } = scenario;
  const name = house.name('map-killed-at-step');
  const { map, model } = setMapScene(house, scenario, name);
  const reader = house.keep(openMap(name, definition));
  const generation = model.has(act.key) ? await generationOf(reader, act.key) : 0;
  if (end === 'kill -9') await requireKilled(startMapVictim(house, name, 'kill', point));
  else await terminateThere(mapVictimCommand(name, 'block', point));
  if (finisher !== undefined) await requireKilled(startMapVictim(house, name, 'kill', finisher, FINISHING));
  if (held !== undefined)
    require(lockOfSlot(map, held, 0) === FIRST_OWNER, 'a record is taken from a living writer');

  const after = new Map(model);
  if (act.value !== undefined) after.set(act.key, act.value);
  else if (!act.reads) after.delete(act.key);
  const keys = new Set([...model.keys(), ...after.keys()]);
  const isPublished = !/^(acquire|change [1-4]|insert|rebuild|delete|find|read|probe|write [1-4])/.test(step);
  const seen = isPublished ? after : model;
  for (const each of [reader, map]) requireEntries(each, seen);

  // The next change finishes what the victim began; then everything fits that fitted before.
  const others = Array.from({ length: CAPACITY }, (_, i) => 1000 + i);
  let added = 0;
  for (; seen.size + added < CAPACITY; added++) {
    const key = others[added]!;
    map.set(key, recordOf(key));
    require(map.size === seen.size + added + 1, `size is ${map.size}, expected ${seen.size + added + 1}`);
  }
  let code = '';
  try {
    map.set(2000, recordOf(1));
  } catch (error) {
    code = (error as { code: string }).code;
  }
  require(code === 'STORE_FULL', `one key more than fits gives ${code === '' ? 'no error' : code}`);
  require(seenBy(reader, keys).size === CAPACITY, 'a key is lost');
  for (const key of seenBy(reader, keys).keys()) require(map.delete(key), `key ${key} cannot be deleted`);
  require(map.size === 0 && [...reader].length === 0, 'deleted keys are left');
  map.set(act.key, recordOf(act.key));
  require((await generationOf(reader, act.key)) > generation, 'the generation of a key went back');
  for (const key of others.slice(1)) map.set(key, recordOf(key));
  require(seenBy(reader, others).size === CAPACITY, 'the emptied map does not take as many keys');
  reader.close();
  map.close();
  require(!isNamed(name), 'the last close leaves the name');
}
