// Many processes and threads on one store: reads, updates, watches, joins and leaves at random, under invariants.
//
//   a record whose checksum is wrong                      forbidden
//   a generation smaller than one seen before             forbidden
//   the sum of all counts is not that of all updates      forbidden
//   other descriptors or mappings than at half time       forbidden, in processes with threads too
//   heaps, buffers, private memory above a bound          forbidden
//   READ_CONTENDED, LOCK_TIMEOUT                          allowed on a machine that is too busy; counted
import { fileURLToPath } from 'node:url';
import { createStore, namedMutex, type StoreOptions } from '../../src/index.ts';
import { type Household, NODE, Peer, sleep, type Tier, TIERS } from '../support/household.ts';
import { Account, CAPACITY, isSound, seal } from './account.ts';
import { type Campaign, type Chance, type Findings, isOver } from './campaign.ts';

const PEER = fileURLToPath(new URL('./load-peer.ts', import.meta.url));
/** Bytes of heaps and buffers, of its threads too, more than at half time; a leak per join or watch would be far more. */
const GROWTH_BOUND = 16 * 2 ** 20;
/** Bytes of memory of its own that a process has touched, more than at half time; compiled code and spare room are part of it. */
const RESIDENT_BOUND = 32 * 2 ** 20;
/**
 * The collector grows the space for new objects of each thread to tens of mebibytes, whoever makes them, and keeps it: five
 * threads touch 700 MiB. Held small, what a process touches is what its program holds.
 */
const SMALL_YOUNG_GENERATION = '--max-semi-space-size=1';
/** How long all of them may take to come to their end. */
const WATCHDOG_MS = 900_000;

/** How many there are: each of the first processes has that many threads besides. */
export interface Crowd {
  readonly processes: number;
  readonly threadsOf: readonly number[];
  readonly milliseconds: number;
  readonly tier: Tier;
  readonly guard: LoadGuard;
  /** Put in on purpose: one of the violations must be found. */
  readonly mistake?: Mistake;
}

/** What a process of the crowd is told to do, as JSON in its arguments. */
export interface Plan {
  readonly guard: NonNullable<StoreOptions<typeof Account>['guard']>;
  readonly threads: number;
  readonly halfTimeMs: number;
  readonly mistake: Mistake | 'none';
}

export type Mistake =
  | 'leaves stores open'
  | 'keeps buffers'
  | 'keeps native memory'
  | 'forgets a checksum'
  | 'loses updates';

export const LOAD_GUARDS = ['latch', 'seqlock', 'namedMutex'] as const;
export type LoadGuard = (typeof LOAD_GUARDS)[number];

const MANY = { processes: 64, threadsOf: [4, 4, 4, 4] };
const ALONE = { processes: 1, threadsOf: [4] };
/** Of the time, the first leg's: the others share the rest. */
const LONGEST_SHARE = 2 / 3;

/** Lets the crowd work and gives what it did and what was wrong. */
export async function loadStore(house: Household, chance: Chance, crowd: Crowd): Promise<Findings> {
  const name = house.name('load');
  const guard: Plan['guard'] =
    crowd.guard === 'namedMutex' ? namedMutex(house.name('load-mutex'), { timeoutMs: 1000 }) : crowd.guard;
  const store = house.keep(createStore({ name, layout: Account, capacity: CAPACITY, guard }));
  for (let index = 0; index < CAPACITY; index++) {
    const record = { ...Account.zero(), index };
    seal(record);
    store.write(index, record);
  }
  const peers = Array.from({ length: crowd.processes }, (_, i) => {
    const plan: Plan = {
      guard,
      threads: crowd.threadsOf[i] ?? 0,
      halfTimeMs: crowd.milliseconds / 2,
      mistake: crowd.mistake ?? 'none',
    };
    const args = [name, String(chance.seedOfPeer()), JSON.stringify(plan)];
    const flags = [
      '--expose-gc',
      SMALL_YOUNG_GENERATION,
      '--conditions=@sharecord/source',
      ...crowd.tier.flags,
    ];
    const watchdogMs = crowd.milliseconds + WATCHDOG_MS;
    return house.adopt(new Peer(NODE, [...flags, PEER, ...args], `load ${i}`, undefined, watchdogMs));
  });
  await Promise.all(peers.map((peer) => peer.ready));
  const started = performance.now();
  await sleep(crowd.milliseconds);
  const seconds = (performance.now() - started) / 1000;
  const reports = await Promise.all(peers.map((peer) => peer.end()));
  const total = (key: string): number => reports.reduce((sum, report) => sum + Number(report[key]), 0);
  const violations = reports.flatMap((report, i) =>
    report['wrong'] === '' ? [] : [`process ${i}: ${report['wrong']}`],
  );
  let counted = 0n;
  for (const record of store) {
    if (!isSound(record)) violations.push(`record ${record.index} is torn at the end`);
    counted += record.count;
  }
  if (counted !== BigInt(total('updates')))
    violations.push(`${counted} counted, ${total('updates')} updates`);
  const largest = (key: string): number => Math.max(...reports.map((report) => Number(report[key])));
  const [growth, residentGrowth] = [largest('growth'), largest('residentGrowth')];
  if (growth > GROWTH_BOUND) violations.push(`heaps and buffers of a process grew by ${growth} bytes`);
  if (residentGrowth > RESIDENT_BOUND)
    violations.push(`a process touched ${residentGrowth} bytes more of its own`);
  store.close();
  return {
    figures: {
      processes: crowd.processes,
      threads: crowd.threadsOf.reduce((sum, count) => sum + count, 0),
      seconds: Math.round(seconds),
      calls: total('reads'),
      updates: total('updates'),
      'changes watched': total('watched'),
      joins: total('joins'),
      READ_CONTENDED: total('contended'),
      LOCK_TIMEOUT: total('timedOut'),
      'largest growth, KiB': Math.round(growth / 1024),
      'of resident memory, KiB': Math.round(residentGrowth / 1024),
    },
    violations,
  };
}

/** Figures that are the largest of all legs; the others but the first two are sums. */
const isLargest = (what: string): boolean => /^(processes|threads|largest|of resident)/.test(what);

export const load: Campaign = {
  name: 'load',
  promise:
    '64 processes and 16 threads on one store: no torn record, no lost update, generations never go back, nothing leaks',
  async run(run) {
    const figures: Record<string, number> = {};
    const violations: string[] = [];
    const longestMs = (run.deadline - performance.now()) * LONGEST_SHARE;
    let longest = 0;
    const guards = new Set<LoadGuard>();
    // Alone, a process joins and leaves tens of times as often: what it kept of each would show.
    const legs = [...LOAD_GUARDS.map((guard) => ({ ...MANY, guard })), { ...ALONE, guard: LOAD_GUARDS[0] }];
    for (const [leg, crowd] of legs.entries()) {
      if (leg > 0 && isOver(run)) break;
      const tier = TIERS[leg % TIERS.length]!;
      const milliseconds =
        leg === 0 ? longestMs : Math.max(0, run.deadline - performance.now()) / (legs.length - leg);
      const found = await loadStore(run.house, run.chance, { ...crowd, tier, milliseconds });
      for (const [what, figure] of Object.entries(found.figures) as [string, number][])
        figures[what] = isLargest(what)
          ? Math.max(figures[what] ?? 0, figure)
          : (figures[what] ?? 0) + figure;
      guards.add(crowd.guard);
      longest = Math.max(longest, found.figures['seconds'] as number);
      violations.push(
        ...found.violations.map(
          (violation) => `${crowd.processes} processes, ${crowd.guard}, ${tier.tier}: ${violation}`,
        ),
      );
    }
    return {
      figures: { guards: [...guards].join(' '), 'seconds on one store': longest, ...figures },
      violations,
    };
  },
};
