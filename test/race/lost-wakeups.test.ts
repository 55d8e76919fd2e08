// Random bursts of writes by three processes; watch(0) and watch() of four threads in two processes, and sharecord_wait in a
// third, at the same time. After each burst everybody must have got the newest state.
//
//   what a watch gives                            verdict
//   the newest state, woken by the doorbell       required
//   states in between                             allowed to be skipped
//   the newest state, by the timer alone          forbidden: a lost wake-up, unless a writer died before it rang
//   not the newest state                          forbidden
import { describe, expect, test } from 'vitest';
import { createStore, type StoreReader, type StoreWriter } from '../../src/index.ts';
import { Bed, type Peer, sleep, type Tier, TIERS, until } from '../support/bed.ts';
import { Fields, fieldsKind, Seen } from './records.ts';

const ROUNDS = 150;
/** Many, so that a look at all of them takes a while: what is written behind its back must not be lost. */
const CAPACITY = 2000;
const WATCHERS = 4;

/** Who watches beside the native watcher: `crowd`, or one thread with one watch, whom nobody else's rings wake. */
type Audience = 'crowd' | 'alone';

interface Stage {
  readonly audience: Audience;
  readonly name: string;
  readonly store: StoreWriter<typeof Fields>;
  readonly seen: StoreReader<typeof Seen>;
  readonly watchers: readonly Peer[];
  /** Follows record 0 alone. */
  readonly native: Peer | undefined;
}

/** A crowd is a Node process with one thread, one whose two workers watch as well as its main thread, and a native one. */
async function watchFrom(bed: Bed, tier: Tier, audience: Audience, capacity: number): Promise<Stage> {
  const name = bed.name('watched');
  const seenName = bed.name('seen');
  const store = bed.keep(createStore({ name, layout: Fields, capacity }));
  const seen = bed.keep(createStore({ name: seenName, layout: Seen, capacity: WATCHERS }));
  const watchers =
    audience === 'alone'
      ? [bed.node(tier, 'watch', name, seenName, 0, 0, 'all')]
      : [
          bed.node(tier, 'watch', name, seenName, 0, 0, 'both'),
          bed.node(tier, 'watch', name, seenName, 1, 2, 'both'),
        ];
  const native = audience === 'alone' ? undefined : bed.native('watch', name, 0);
  await Promise.all(watchers.map((watcher) => watcher.ready));
  await native?.ready;
  return { audience, name, store, seen, watchers, native };
}

/** Waits until each thread has got the newest state by both of its watches. */
async function allDelivered(stage: Stage, round: number): Promise<void> {
  const { audience, store, seen, watchers, native } = stage;
  const checkAlive = (): void => {
    for (const peer of [...watchers, native])
      if (peer?.running === false) throw new Error(`${peer} has ended`);
  };
  const one = store.generation(0);
  let all = 0;
  for (let i = 0; i < store.capacity; i++) all += store.generation(i);
  for (let at = 0; at < (audience === 'alone' ? 1 : WATCHERS); at++) {
    await until(`round ${round}, watcher ${at}: states ${one} and ${all}`, () => {
      checkAlive();
      const found = seen.read(at);
      return (found.one === one || audience === 'alone') && found.all === all;
    });
  }
  if (native === undefined) return;
  await until(`round ${round}, native watcher: state ${one}`, () => {
    checkAlive();
    return one === 0 || native.reports.at(-1)?.['generation'] === one;
  });
}

describe.each(TIERS)('watches, $tier', (tier) => {
  test.each(['crowd', 'alone'] as const)(`${ROUNDS} random bursts lose no wake-up: %s`, async (audience) => {
    const bed = new Bed();
    const stage = await watchFrom(bed, tier, audience, CAPACITY);
    const control = bed.name('rounds');
    const rounds = bed.keep(createStore({ name: control, layout: Fields, capacity: 3 }));
    const writers = [
      bed.node(tier, 'burst', stage.name, control, 1),
      bed.native('burst', stage.name, control, 2),
    ];
    await Promise.all(writers.map((writer) => writer.ready));
    for (let round = 1; round <= ROUNDS; round++) {
      rounds.write(0, fieldsKind.fill(Fields.zero(), round));
      for (let left = Math.floor(Math.random() * 20); left > 0; left--) {
        const index = left === 1 ? 0 : Math.floor(Math.random() * CAPACITY);
        stage.store.update(index, (draft) => void fieldsKind.fill(draft, draft.a + 1));
      }
      await until(`burst ${round}`, () => rounds.read(1).a === round && rounds.read(2).a === round);
      await allDelivered(stage, round);
      // Long enough for everybody to be asleep, or not.
      await sleep(Math.random() * 3);
    }
    await Promise.all(writers.map((writer) => writer.end()));
    for (const watcher of stage.watchers) {
      const report = await watcher.end();
      expect(report['byTimer'], 'states that only the timer brought').toBe(0);
      expect(report['delivered']).toBeGreaterThan(ROUNDS);
    }
    if (stage.native !== undefined) expect(await stage.native.end()).toEqual({ byTimer: 0 });
  });

  test('the control, a writer that dies before it rings, is found by the timer', async () => {
    const bed = new Bed();
    const stage = await watchFrom(bed, tier, 'crowd', 1);
    stage.store.write(0, fieldsKind.fill(Fields.zero(), 1));
    await allDelivered(stage, 0);
    await sleep(50); // asleep with the bell armed
    const dead = bed.native('interrupt', stage.name, 0, 'disarmed', 'kill');
    await dead.exited;
    await allDelivered(stage, 1);
    let byTimer = 0;
    for (const watcher of stage.watchers) byTimer += (await watcher.end())['byTimer'] as number;
    expect(byTimer, 'the timer was not seen').toBeGreaterThan(0);
    await stage.native!.end();
  });
});
