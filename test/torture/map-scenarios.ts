// Deaths at every step of a map: what a victim does, what was there before, and what must be true once it is dead.
//
//   whatever step the victim died at                             verdict
//   every key that the victim did not touch is found, at once    required, by searches and by iteration
//   the victim's key is there or not, as a whole                 required; searches and iteration agree
//   another writer adds and deletes keys                         required
//   as many keys fit as before, and no more                      required: no slot is lost or there twice
//   generations of the victim's key go back                      forbidden
import { fileURLToPath } from 'node:url';
import { createMap, type MapReader, openMap } from '../../src/index.ts';
import { wordOf } from '../support/header.ts';
import { type Household, NODE, Peer } from '../support/household.ts';
import { isNamed } from '../support/system.ts';
import { type Act, definition, perform, recordOf, type Writer } from './map-acts.ts';
import { faultPoints } from './mistake.ts';
import { type End, requireKilled } from './scenarios.ts';
import { terminateThere } from './victim-thread.ts';

const CAPACITY = 8;
type Reader = MapReader<typeof definition.key, typeof definition.layout>;
const VICTIM = fileURLToPath(new URL('./map-victim.ts', import.meta.url));

/** What the victim does, behind what was done before. */
export interface MapScenario {
  readonly title: string;
  readonly before: readonly Act[];
  readonly act: Act;
}

const set = (...keys: number[]): Act[] => keys.map((key) => ({ key, value: key + 0.5 }));

const TURNS_WORD = 16;

/** Word index of the control block, from the header. */
function controlOf({ segment, capacity }: Reader): { words: Int32Array; control: number } {
  const words = new Int32Array(segment.buffer, 0, Math.floor(segment.buffer.byteLength / 4));
  return { words, control: (words[wordOf('headerLength')]! + capacity * words[wordOf('stride')]!) / 4 };
}

/** How often the index was made anew. */
export function turnsOf(map: Reader): number {
  const { words, control } = controlOf(map);
  return words[control + TURNS_WORD]!;
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
  { title: 'set of a key that is there', before: set(1, 2, 3), act: { key: 2, value: 9 } },
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
}

type VictimPoint = Omit<MapPoint, 'scenario'> & { readonly scenario?: MapScenario };

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
  { before }: MapScenario,
  name: string,
): { map: Writer; model: Map<number, number> } {
  const map = house.keep(createMap({ ...definition, name, capacity: CAPACITY }));
  const model = new Map<number, number>();
  for (const act of before) {
    perform(map, act);
    if (act.value === undefined) model.delete(act.key);
    else model.set(act.key, act.value);
  }
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

function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
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

/** The generation at which the key is told to be there. */
async function generationOf(map: Reader, key: number): Promise<number> {
  for await (const { generation } of map.watch(key)) return generation;
  return 0;
}

/** Kills a victim at the point and checks what it leaves; throws what is wrong. */
export async function killMapAt(house: Household, point: MapPoint, end: End = 'kill -9'): Promise<void> {
  const { scenario, step } = point;
  const { act } = scenario;
  const name = house.name('map-killed-at-step');
  const { map, model } = setMapScene(house, scenario, name);
  const reader = house.keep(openMap(name, definition));
  const generation = model.has(act.key) ? await generationOf(reader, act.key) : 0;
  if (end === 'kill -9') await requireKilled(startMapVictim(house, name, 'kill', point));
  else await terminateThere(mapVictimCommand(name, 'block', point));

  const after = new Map(model);
  if (act.value === undefined) after.delete(act.key);
  else after.set(act.key, act.value);
  const keys = new Set([...model.keys(), ...after.keys()]);
  const seen = seenBy(reader, keys);
  const isPublished = !/^(acquire|change [1-4]|insert|rebuild|delete|read|write [1-4])/.test(step);
  require(sameEntries(
    seen,
    isPublished ? after : model,
  ), `${show(seen)}, expected ${show(isPublished ? after : model)}`);
  require(sameEntries(seenBy(map, keys), seen), 'another open sees other entries');

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
