// A process stopped inside a change of a map or inside a `set`, while others go on.
//
//   while a writer is stopped inside an insert or a delete       verdict
//   reads, iterations, watches, writes of keys that are there    go on
//   others that add or delete keys get LOCK_TIMEOUT              required; finishing its change is forbidden
//   while one is stopped inside a set of a key
//   that key is read as before, others are added and deleted     required
//   writes and deletes of that key get LOCK_TIMEOUT              required
//   while one is stopped inside a set of a key that is gone
//   others add and delete keys in all slots but that one         required
//   who needs that slot gets LOCK_TIMEOUT                        required; taking it is forbidden
//   after it goes on: its change counts, and all later           required
import { type GuardError, openMap } from '../../src/index.ts';
import { isStopped, letGoOn } from '../support/ending.ts';
import { type Household, type Peer, until } from '../support/household.ts';
import { definition, recordOf, type Writer } from './map-acts.ts';
import {
  CAPACITY,
  lockOfSlot,
  lockOfStructure,
  MAP_SCENARIOS,
  type MapScenario,
  type Reader,
  requireEntries,
  setMapScene,
  startMapVictim,
} from './map-scenarios.ts';
import { codeOf, require } from './verdicts.ts';

/** A place to stop, and the check of what others can do. */
export interface Stop {
  readonly title: string;
  readonly step: string;
  readonly check: (house: Household) => Promise<void>;
}

/** Another key than those of the scenarios. */
const OTHER = 1000;

async function stopThere(house: Household, name: string, scenario: MapScenario, step: string): Promise<Peer> {
  const victim = startMapVictim(house, name, 'stop', { scenario, step, pass: 1 });
  await until(`the stop at ${step}`, () => isStopped(victim) || !victim.running);
  return victim;
}

function requireCode(
  expected: GuardError['code'] | 'done' | 'STORE_FULL',
  what: string,
  call: () => unknown,
): void {
  const code = codeOf(call);
  require(code === expected, `${what}: ${code}, expected ${expected}`);
}

/** Requires that a write of a key that is there reaches its watch. */
async function requireWatched(map: Writer, reader: Reader, key: number, value: number): Promise<void> {
  const watch = reader.watch(key);
  await watch.next();
  map.set(key, recordOf(value));
  const told = await watch.next();
  require(told.value?.record?.value === value, `a watch of key ${key} tells ${JSON.stringify(told.value)}`);
  await watch.return?.();
}

/** Stops a writer inside an insert or a delete. */
async function stopInsideChange(house: Household, title: string, step: string): Promise<void> {
  const scenario = MAP_SCENARIOS.find((each) => each.title === title)!;
  const { act } = scenario;
  const name = house.name('map-stopped');
  const { map, model } = setMapScene(house, scenario, name);
  const reader = house.keep(openMap(name, definition));
  const victim = await stopThere(house, name, scenario, step);
  const owner = lockOfStructure(map);
  const after = new Map(model);
  if (act.value === undefined) after.delete(act.key);
  else after.set(act.key, act.value);
  requireEntries(reader, step.startsWith('finish') ? after : model);
  await requireWatched(map, reader, 1, 7);
  require(map.update(
    2,
    (draft) => void Object.assign(draft, recordOf(8)),
  ), 'an update does not find its key');
  requireCode('LOCK_TIMEOUT', 'another adds a key', () => map.set(OTHER, recordOf(1)));
  requireCode('LOCK_TIMEOUT', 'another deletes a key', () => map.delete(1));
  require(owner !== 0 && lockOfStructure(map) === owner, 'the structure has another owner');
  letGoOn(victim);
  await victim.result();
  after.set(1, 7).set(2, 8).delete(3);
  require(map.delete(3), 'a key cannot be deleted afterwards');
  map.set(OTHER, recordOf(1));
  requireEntries(reader, after.set(OTHER, 1));
  reader.close();
  map.close();
}

/** Stops a writer inside a set of key 2 of four. */
async function stopInsideSet(house: Household, step: string): Promise<void> {
  const scenario: MapScenario = { title: 'set', before: keys(1, 2, 3, 4), act: { key: 2, value: 9 } };
  const name = house.name('map-stopped-in-set');
  const { map, model } = setMapScene(house, scenario, name);
  const reader = house.keep(openMap(name, definition));
  const victim = await stopThere(house, name, scenario, step);
  const owner = lockOfSlot(map, 1);
  requireEntries(reader, model);
  await requireWatched(map, reader, 1, 7);
  map.set(OTHER, recordOf(1));
  require(map.delete(3), 'another key cannot be deleted');
  map.set(OTHER + 1, recordOf(1));
  requireCode('LOCK_TIMEOUT', 'another sets the key', () => map.set(2, recordOf(8)));
  requireCode('LOCK_TIMEOUT', 'another deletes the key', () => map.delete(2));
  model
    .set(1, 7)
    .set(OTHER, 1)
    .set(OTHER + 1, 1);
  model.delete(3);
  requireEntries(reader, model);
  require(owner !== 0 && lockOfSlot(map, 1) === owner, 'the record has another owner');
  letGoOn(victim);
  await victim.result();
  requireEntries(reader, model.set(2, 9));
  require(map.delete(2), 'the key cannot be deleted afterwards');
  reader.close();
  map.close();
}

/** Stops a writer inside a set of a key that was deleted after the writer had found it. */
async function stopInGoneKey(house: Household): Promise<void> {
  const scenario: MapScenario = {
    title: 'set of a key that goes',
    before: [...keys(1, 2, 3, 4), { key: 4 }],
    act: { key: 2, value: 9 },
  };
  const name = house.name('map-stopped-gone');
  const { map, model } = setMapScene(house, scenario, name);
  const reader = house.keep(openMap(name, definition));
  const victim = await stopThere(house, name, scenario, 'write 1;write 2');
  require(map.delete(2), 'the key is not there');
  model.delete(2);
  letGoOn(victim);
  await until('its second stop', () => (lockOfSlot(map, 1) !== 0 && isStopped(victim)) || !victim.running);
  const owner = lockOfSlot(map, 1);
  const add = (key: number): void => void map.set(key, recordOf(key));
  const addAll = (): void => {
    for (let key = OTHER; model.size < CAPACITY - 1; key++) {
      if (model.has(key)) continue;
      add(key);
      model.set(key, key);
    }
  };
  const drop = (key: number): void => {
    require(map.delete(key), `key ${key} cannot be deleted`);
    model.delete(key);
  };
  addAll();
  requireEntries(reader, model);
  for (const key of [OTHER, OTHER + 2, 3]) drop(key);
  addAll();
  requireEntries(reader, model);
  requireCode('LOCK_TIMEOUT', 'another needs the slot', () => add(2000));
  require(owner !== 0 && lockOfSlot(map, 1) === owner, 'the slot has another owner');
  drop(1);
  letGoOn(victim);
  await victim.result();
  requireEntries(reader, model.set(2, 9));
  add(2000);
  requireEntries(reader, model.set(2000, 2000));
  requireCode('STORE_FULL', 'one key more than fits', () => add(2001));
  reader.close();
  map.close();
}

const keys = (...each: number[]) => each.map((key) => ({ key, value: key + 0.5 }));

const inChange = (title: string, ...steps: string[]): Stop[] =>
  steps.map((step) => ({ title, step, check: (house) => stopInsideChange(house, title, step) }));

/** The stops in maps. */
export const MAP_STOPS: readonly Stop[] = [
  ...inChange('insert into a fresh slot', 'change 4', 'insert 3', 'finish 4'),
  ...inChange('delete of key 5 of eight', 'delete 1', 'finish 3'),
  ...['write 2', 'write 4'].map((step) => ({
    title: 'set of a key that is there',
    step,
    check: (house: Household) => stopInsideSet(house, step),
  })),
  { title: 'set of a key that is gone meanwhile', step: 'write 2', check: stopInGoneKey },
];
