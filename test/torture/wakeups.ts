// Random bursts of writes to a store or a map by three processes, and watches in up to 32 threads of other processes at the same time. After each
// burst everybody must have got the newest state.
//
//   what a watch gives                            verdict
//   the newest state, woken by the doorbell       required
//   states in between                             allowed to be skipped
//   the newest state, by the timer alone          forbidden: a lost wake-up, unless a writer died before it rang
//   not the newest state                          forbidden
import { createMap, createStore, type StoreReader } from '../../src/index.ts';
import { Fields, fieldsKind, Seen } from '../race/records.ts';
import { type Changed, changedMap, changedStore, type Kind, WatchedMap } from '../race/watched.ts';
import { type Household, type Peer, sleep, type Tier, TIERS, until } from '../support/household.ts';
import { type Campaign, type Chance, isOver } from './campaign.ts';

/** Who watches. */
export interface Audience {
  /** A Node process for each, with that many worker threads besides its main one. */
  readonly threadsOf: readonly number[];
  /** Follow item 0 by a watch of its own as well; without it nobody else's rings wake a thread's only watch. */
  readonly both: boolean;
  /** A native process that follows record 0; of a map there is none. */
  readonly native: boolean;
}

/** A store or a map and those who watch it. */
export interface Stage {
  readonly audience: Audience;
  readonly kind: Kind;
  readonly name: string;
  readonly watched: Changed;
  readonly seen: StoreReader<typeof Seen>;
  readonly watchers: readonly Peer[];
  readonly lanes: number;
  readonly native: Peer | undefined;
}

/** Starts the audience of a new store or map. */
export async function watchFrom(
  house: Household,
  tier: Tier,
  audience: Audience,
  capacity: number,
  kind: Kind = 'store',
): Promise<Stage> {
  const name = house.name('watched');
  const seenName = house.name('seen');
  const { threadsOf, both } = audience;
  const lanes = threadsOf.reduce((sum, threads) => sum + 1 + threads, 0);
  const watched = house.keep(
    kind === 'map'
      ? changedMap(createMap({ ...WatchedMap, name, capacity }))
      : changedStore(createStore({ name, layout: Fields, capacity })),
  );
  const seen = house.keep(createStore({ name: seenName, layout: Seen, capacity: lanes }));
  let lane = 0;
  const watchers = threadsOf.map((threads) => {
    const what = both ? 'both' : 'all';
    const watcher = house.script(tier, 'watch-peer.ts', 'watch', kind, name, seenName, lane, threads, what);
    lane += 1 + threads;
    return watcher;
  });
  const native = audience.native && kind === 'store' ? house.native('watch', name, 0) : undefined;
  await Promise.all(watchers.map((watcher) => watcher.ready));
  await native?.ready;
  return { audience, kind, name, watched, seen, watchers, lanes, native };
}

/** Waits until each thread has got the newest state by all of its watches. */
export async function allDelivered(stage: Stage, round: number): Promise<void> {
  const { audience, watched, seen, watchers, lanes, native } = stage;
  const checkAlive = (): void => {
    for (const peer of [...watchers, native])
      if (peer?.running === false) throw new Error(`${peer} has ended`);
  };
  const { one, all } = watched.newest();
  for (let at = 0; at < lanes; at++) {
    await until(`round ${round}, watcher ${at}: states ${one} and ${all}`, () => {
      checkAlive();
      const found = seen.read(at);
      return (found.one === one || !audience.both) && found.all === all;
    });
  }
  if (native === undefined) return;
  await until(`round ${round}, native watcher: state ${one}`, () => {
    checkAlive();
    return one === 0 || native.reports.at(-1)?.['generation'] === one;
  });
}

/** Ends the audience; gives how many states were delivered, and how many of them only the timer brought. */
export async function dismiss(stage: Stage): Promise<{ delivered: number; byTimer: number }> {
  const total = { delivered: 0, byTimer: 0 };
  for (const watcher of [...stage.watchers, stage.native]) {
    if (watcher === undefined) continue;
    const report = await watcher.end();
    total.delivered += Number(report['delivered'] ?? 0);
    total.byTimer += Number(report['byTimer']);
  }
  return total;
}

/** Lets three processes write in bursts until `ended`; gives the number of bursts. */
export async function burst(
  house: Household,
  chance: Chance,
  tier: Tier,
  stage: Stage,
  ended: (rounds: number) => boolean,
): Promise<number> {
  const control = house.name('rounds');
  const rounds = house.keep(createStore({ name: control, layout: Fields, capacity: 3 }));
  const { kind, name, watched } = stage;
  const node = (lane: number): Peer =>
    house.script(tier, 'watch-peer.ts', 'burst', kind, name, control, lane, chance.seedOfPeer());
  const writers = [
    node(1),
    kind === 'map' ? node(2) : house.native('burst', name, control, 2, chance.seedOfPeer()),
  ];
  await Promise.all(writers.map((writer) => writer.ready));
  let round = 0;
  while (!ended(round)) {
    round++;
    rounds.write(0, fieldsKind.fill(Fields.zero(), round));
    for (let left = chance.below(20); left > 0; left--) {
      watched.change(left === 1 ? 0 : chance.below(watched.capacity), chance);
    }
    await until(`burst ${round}`, () => rounds.read(1).a === round && rounds.read(2).a === round);
    await allDelivered(stage, round);
    // Long enough for everybody to be asleep, or not.
    if (chance.below(4) === 0) await sleep(chance.fraction() * 3);
  }
  await Promise.all(writers.map((writer) => writer.end()));
  rounds.close();
  return round;
}

const CROWD: Audience = { threadsOf: [0, 1, 2, 3, 3, 3, 3, 3, 3, 2], both: true, native: true };
/** Few, so that all are news at each look, and many, so that much happens behind a look's back. */
const CAPACITIES = [64, 2000] as const;
const KINDS = ['store', 'map'] as const;
/** Peers end themselves after a while. */
const LEG_MS = 60_000;

export const wakeups: Campaign = {
  name: 'wakeups',
  promise: 'the last state reaches every watcher, woken by the bell',
  async run(run) {
    const { house, chance } = run;
    const violations: string[] = [];
    let [bursts, chances, inMaps, delivered, watchers] = [0, 0, 0, 0, 0];
    for (let leg = 0; leg === 0 || !isOver(run); leg++) {
      const kind = KINDS[leg % KINDS.length]!;
      const turn = Math.floor(leg / KINDS.length);
      const capacity = CAPACITIES[turn % CAPACITIES.length]!;
      const tier = TIERS[Math.floor(turn / CAPACITIES.length) % TIERS.length]!;
      const stage = await watchFrom(house, tier, CROWD, capacity, kind);
      const end = performance.now() + LEG_MS;
      watchers = stage.lanes;
      try {
        const rounds = await burst(house, chance, tier, stage, () => isOver(run) || performance.now() > end);
        const found = await dismiss(stage);
        bursts += rounds;
        // Each thread may miss the end of each burst, by each of its watches.
        chances += rounds * stage.lanes * 2;
        if (kind === 'map') inMaps += rounds * stage.lanes * 2;
        delivered += found.delivered;
        if (found.byTimer > 0)
          violations.push(`${kind}, ${tier.tier}: ${found.byTimer} states that only the timer brought`);
      } catch (error) {
        violations.push(`${kind}, ${tier.tier}: ${String(error)}`);
        break;
      }
      stage.seen.close();
      stage.watched.close();
    }
    return {
      figures: {
        watchers,
        bursts,
        'wake-ups that could be lost': chances,
        'in maps': inMaps,
        'states delivered': delivered,
        lost: violations.length,
      },
      violations,
    };
  },
};
