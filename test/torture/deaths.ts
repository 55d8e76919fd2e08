// Deaths at every step of the scenarios: what must be true once the victim is dead.
//
//   whatever step the victim died at                    verdict
//   a reader gets the last committed record, at once    required; the victim's own once it was published, never before
//   another writer of the record goes on                required
//   under a seqlock a torn record is WRITER_DIED          required, until a whole write
//   under a mutex the next owner gets WRITER_DIED        required, once
//   createStore and joinStore of the name go on         required, with what was committed, or with a new store
//   after the last close the name is still there        forbidden
import { createStore, type GuardError, joinStore } from '../../src/index.ts';
import { lockOf, rawSlot } from '../race/records.ts';
import type { Household } from '../support/household.ts';
import { isMutexNamed } from '../support/system.ts';
import {
  FIRST_OWNER,
  isThere,
  isTornBefore,
  kindFor,
  mutexOf,
  optionsFor,
  type Point,
  requireKilled,
  requireTidy,
  type Scenario,
  setScene,
  startVictim,
  victimCommand,
} from './scenarios.ts';
import { require } from './verdicts.ts';
import { terminateThere } from './victim-thread.ts';

/** Steps that come behind the publish of a write. */
const AFTER_PUBLISH = new Set([
  'write 5',
  'seqlock write 6',
  'announce 1',
  'announce 2',
  'announce 3',
  'ring 1',
  'ring 2',
]);
/** Steps at which the one cell under a seqlock is half written. */
const TORN = new Set(['seqlock write 4, wraps', 'seqlock write 4', 'seqlock write 5']);
const isWrite = (scenario: Scenario): boolean =>
  /write|update|wait|steal/.test(scenario) && scenario !== 'open for writing';

/** Requires that the call ends with WRITER_DIED. */
function requireDead(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if ((error as GuardError).code === 'WRITER_DIED') return;
    throw error;
  }
  throw new Error('a record that a dead writer left is taken for whole');
}

/** What the survivors measured. */
export interface Aftermath {
  /** From the death of the victim until another writer's write of its record returned, in milliseconds. */
  readonly recoveryMs: number;
}

/** How a victim ends: its process by a signal, or its thread. */
export type End = 'kill -9' | 'terminate()';

/**
 * Kills a victim at the point and checks what it leaves; throws what is wrong. `next` is what comes to the name afterwards
 * where nobody else had it.
 */
export async function killAt(
  house: Household,
  point: Point,
  next: 'create' | 'join',
  end: End = 'kill -9',
): Promise<Aftermath> {
  const { scenario, step } = point;
  const name = house.name('killed-at-step');
  const { store, reader, value, keeper } = await setScene(house, scenario, name);
  if (end === 'kill -9') await requireKilled(startVictim(house, scenario, name, 'kill', point));
  else await terminateThere(victimCommand(scenario, name, 'block', point));
  const started = performance.now();
  const kind = kindFor(scenario);
  let recoveryMs = 0;
  // The living owner that the victim waited for finishes.
  if (store !== undefined && scenario === 'wait') {
    const { words, sequence } = rawSlot(store.segment.buffer, 0);
    Atomics.compareExchange(words, sequence + 1, FIRST_OWNER, 0);
  }
  if (store !== undefined && reader !== undefined) {
    const isTorn = TORN.has(step) || isTornBefore(scenario);
    const wrote = isWrite(scenario) && AFTER_PUBLISH.has(step);
    const expected = wrote ? value + 1 : value;
    const addOne = (): void => store.update(0, (draft) => void kind.fill(draft, kind.valueOf(draft) + 1));
    for (const each of [store, reader]) {
      if (isTorn) requireDead(() => each.read(0));
      else
        require(kind.valueOf(each.read(0)) ===
          expected, `record 0 is ${kind.valueOf(each.read(0))}, expected ${expected}`);
      require(each.generation(0) === expected, `generation ${each.generation(0)}, expected ${expected}`);
    }
    if (isTorn) {
      requireDead(addOne);
      store.write(0, kind.fill(store.layout.zero(), expected + 1));
    } else {
      if (scenario === 'update under a mutex' && !step.startsWith('read')) requireDead(addOne);
      addOne();
    }
    recoveryMs = performance.now() - started;
    require(kind.valueOf(reader.read(0)) === expected + 1, 'the next write is not there');
    require(lockOf(rawSlot(store.segment.buffer, 0)) === 0, 'the record is locked');
    const joined = joinStore(optionsFor(scenario, name));
    require(!joined.created && kind.valueOf(joined.read(0)) === expected + 1, 'a join does not go on');
    joined.close();
    reader.close();
    store.close();
    require(!isThere(scenario, name), 'the last close leaves the name');
  }
  const options = optionsFor(scenario, name);
  const makes = next === 'create' && keeper === undefined;
  const again = makes ? createStore(options) : joinStore(options);
  if (store === undefined) recoveryMs = performance.now() - started;
  if (makes) require(again.created && again.generation(0) === 0, 'createStore gives an old store');
  again.write(0, kind.fill(options.layout.zero(), 5));
  require(kind.valueOf(again.read(0)) === 5, 'the store after the victim does not work');
  again.close();
  keeper?.close();
  require(!isThere(scenario, name) && !isMutexNamed(mutexOf(name)), 'a name is left');
  requireTidy(scenario, name);
  return { recoveryMs };
}
