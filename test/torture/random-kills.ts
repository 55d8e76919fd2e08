// Writers that are killed at random points while others go on. Each lane is one writer at a time; a record counts what all of
// them committed, another one per lane what its calls acknowledged.
//
//   after kill -9 of a writer                              verdict
//   the record is whole and the last committed one         required, at once
//   the update in progress is committed                    allowed if the kill came after the publish, else forbidden
//   an update that had returned is gone                    forbidden
//   the other writers go on, and one of them steals        required
//
// Under a mutex the next call of the others is WRITER_DIED, once, and does nothing: they repeat it. Not under a seqlock: a record that
// its writer tore is gone, so that nothing is left to count (killed-at-steps.test.ts).
import { createStore, namedMutex, type StoreWriter } from '../../src/index.ts';
import { type Household, type Peer, sleep, type Tier, TIERS, until } from '../support/household.ts';
import { Tally } from '../race/records.ts';
import { type Campaign, type Chance, isOver } from './campaign.ts';

/** Longest pause before a kill, in milliseconds. */
const PAUSE_MS = 3;
/** How often a Node process is killed, if one is at work. */
const NODE_SHARE = 0.5;

class Lane {
  readonly at: number;
  readonly #start: () => Peer;
  readonly #store: StoreWriter<typeof Tally>;
  peer: Peer;
  /** Committed updates that the writers killed so far had not acknowledged. */
  unacknowledged = 0;
  settled: Promise<void>;
  /** True while the lane has a writer that has shown progress. */
  goesOn = false;

  constructor(at: number, store: StoreWriter<typeof Tally>, start: () => Peer) {
    this.at = at;
    this.#store = store;
    this.#start = start;
    this.peer = start();
    this.settled = this.#begin();
  }

  /** What all writers of this lane committed, as the shared record says. */
  get committed(): number {
    return this.#store.read(0).by[this.at - 1]!;
  }
  /** How many of its calls returned, as the lane's own record says. */
  get acknowledged(): number {
    return this.#store.read(this.at).total;
  }

  async #begin(): Promise<void> {
    const before = this.acknowledged;
    await this.peer.ready;
    await until(`progress of lane ${this.at}`, () => this.acknowledged > before);
    this.goesOn = true;
  }

  async kill(): Promise<void> {
    this.goesOn = false;
    this.peer.kill('SIGKILL');
    await this.peer.exited;
    const surplus = this.committed - this.acknowledged - this.unacknowledged;
    // One update may have been committed whose call had not returned; none that had returned may be gone.
    if (surplus !== 0 && surplus !== 1)
      throw new Error(`lane ${this.at}: ${surplus} more committed than acknowledged`);
    this.unacknowledged += surplus;
  }

  restart(): void {
    this.peer = this.#start();
    this.settled = this.#begin();
    this.settled.catch(() => {}); // awaited before the lane's next turn
  }
}

/** Takes a lane that has a writer at work; a new one needs a while until it is. */
async function nextVictim(lanes: readonly Lane[], chance: Chance): Promise<Lane> {
  for (;;) {
    const [node, native] = [lanes.slice(0, 2), lanes.slice(2)].map((some) =>
      some.filter(({ goesOn }) => goesOn),
    );
    const some =
      native!.length === 0 || (chance.fraction() < NODE_SHARE && node!.length > 0) ? node! : native!;
    if (some.length > 0) return chance.pick(some);
    await Promise.race(lanes.map((lane) => lane.settled));
  }
}

/** What `killAtRandom` counted. */
export interface Kills {
  readonly kills: number;
  readonly committed: number;
  /** Milliseconds from each death until another writer had finished one more update, in rising order. */
  readonly pausesMs: readonly number[];
}

/** Guards under which a death loses nothing. */
export const KILL_GUARDS = ['latch', 'namedMutex'] as const;

/** Kills writers at random points until `ended`; throws what is wrong. Half of the four are native under the latch, both of two are Node's under a mutex. */
export async function killAtRandom(
  house: Household,
  chance: Chance,
  tier: Tier,
  ended: (kills: number) => boolean,
  guard: (typeof KILL_GUARDS)[number] = 'latch',
): Promise<Kills> {
  const name = house.name('killed');
  const store = house.keep(
    createStore({
      name,
      layout: Tally,
      capacity: 5,
      guard: guard === 'latch' ? guard : namedMutex(house.name('killed-mutex'), { timeoutMs: 1000 }),
    }),
  );
  const lanes = [
    new Lane(1, store, () => house.node(tier, 'tally', name, 1)),
    new Lane(2, store, () => house.node(tier, 'tally', name, 2)),
  ];
  if (guard === 'latch') {
    lanes.push(
      new Lane(3, store, () => house.native('tally', name, 3)),
      new Lane(4, store, () => house.native('tally', name, 4)),
    );
  }
  const total = (): number => {
    const { total: found, by } = store.read(0);
    const sum = by.reduce((left, count) => left + count, 0);
    if (sum !== found) throw new Error(`torn: the lanes have ${sum}, the total is ${found}`);
    return found;
  };
  const pausesMs: number[] = [];
  let kills = 0;
  await Promise.all(lanes.map((lane) => lane.settled));
  for (; !ended(kills); kills++) {
    const victim = await nextVictim(lanes, chance);
    await sleep(chance.fraction() * PAUSE_MS);
    await victim.kill();
    total();
    const died = performance.now();
    for (const other of lanes) {
      if (!other.goesOn) continue;
      const before = other.acknowledged;
      await until(`lane ${other.at} going on after kill ${kills}`, () => other.acknowledged > before);
      pausesMs.push(performance.now() - died);
    }
    total();
    victim.restart();
  }
  await Promise.all(lanes.map((lane) => lane.settled));
  await Promise.all(lanes.map((lane) => lane.peer.end()));
  for (const lane of lanes) {
    if (lane.committed !== lane.acknowledged + lane.unacknowledged)
      throw new Error(
        `lane ${lane.at}: ${lane.committed} committed, ${lane.acknowledged} acknowledged, ${lane.unacknowledged} on the way`,
      );
  }
  const committed = total();
  store.close();
  return { kills, committed, pausesMs: pausesMs.toSorted((a, b) => a - b) };
}

/** The length of one leg: peers end themselves after a while. */
const KILLS_PER_LEG = 250;
const PROMISED_MS = 100;
/** Of the pauses that an idle machine must keep within PROMISED_MS; the others may have waited for a processor. */
const PROMISED_SHARE = 0.99;

/** The pause in rising `pausesMs` that `share` of them do not exceed. */
const quantile = (pausesMs: readonly number[], share: number): number =>
  pausesMs[Math.floor((pausesMs.length - 1) * share)] ?? 0;

/** Says what is wrong with rising pauses after deaths, on a machine that had nothing else to do. */
export function findSlow(pausesMs: readonly number[]): string[] {
  const found = quantile(pausesMs, PROMISED_SHARE);
  if (found <= PROMISED_MS) return [];
  return [
    `others went on after ${found.toFixed(1)} ms at the 99 % quantile of ${pausesMs.length}, expected at most ${PROMISED_MS} ms`,
  ];
}

export const randomKills: Campaign = {
  name: 'kills',
  promise: 'writers killed at random lose nothing, tear nothing and stop nobody',
  async run(run) {
    const violations: string[] = [];
    const pausesMs: number[] = [];
    let [kills, committed] = [0, 0];
    for (let leg = 0; leg === 0 || !isOver(run); leg++) {
      const tier = TIERS[leg % TIERS.length]!;
      const guard = KILL_GUARDS[Math.floor(leg / TIERS.length) % KILL_GUARDS.length]!;
      try {
        const found = await killAtRandom(
          run.house,
          run.chance,
          tier,
          (count) => count >= KILLS_PER_LEG || isOver(run),
          guard,
        );
        kills += found.kills;
        committed += found.committed;
        for (const pause of found.pausesMs) pausesMs.push(pause);
      } catch (error) {
        violations.push(`${guard}, ${tier.tier}: ${String(error)}`);
        break;
      }
    }
    pausesMs.sort((a, b) => a - b);
    const atShare = (share: number): string => quantile(pausesMs, share).toFixed(1);
    if (run.idleBefore) violations.push(...findSlow(pausesMs));
    const slow = pausesMs.filter((pause) => pause > PROMISED_MS).length;
    return {
      figures: {
        kills,
        'updates committed': committed,
        'others went on after, median ms': atShare(0.5),
        '99% ms': atShare(PROMISED_SHARE),
        '99.9% ms': atShare(0.999),
        'longest ms': atShare(1),
        [`above ${PROMISED_MS} ms`]: slow,
      },
      violations,
    };
  },
};
