// One process of load.ts, and its worker threads: `load-peer.ts NAME SEED PLAN`, PLAN as JSON. Reads, writes, watches, leaves and
// joins the store at random until its input ends, checks what it sees, and prints what it did and what was wrong. At half time
// and before the end all threads rest between two rounds, and what the process holds is counted.
import { on } from 'node:events';
import { readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import koffi from 'koffi';
import { GuardError, joinStore, openStore, type StoreWriter } from '../../src/index.ts';
import { countHeld } from '../support/system.ts';
import { Chance } from './campaign.ts';
import { Account, CAPACITY, isSound, seal } from './account.ts';
import type { Plan } from './load.ts';

const [name = '', seed = '', planText = ''] = process.argv.slice(2);
const plan = JSON.parse(planText) as Plan;
const chance = new Chance(Number(seed));
const { gc } = globalThis as { gc?: () => void };
const ended = new AbortController();

const did = { updates: 0, reads: 0, watched: 0, joins: 0, contended: 0, timedOut: 0 };
const wrong: string[] = [];
const generations = new Float64Array(CAPACITY);

function note(what: string, record: ReturnType<typeof Account.zero>, generation?: number): void {
  if (!isSound(record))
    wrong.push(
      `${what}: a torn record ${JSON.stringify(record, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
    );
  if (generation === undefined) return;
  const last = generations[record.index]!;
  if (generation < last)
    wrong.push(`${what}: record ${record.index} went back from ${last} to ${generation}`);
  else generations[record.index] = generation;
}

/** Counts what the bounds of the library allow on a machine that is too busy. */
function tolerate(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    if (error.code === 'READ_CONTENDED') did.contended++;
    else if (error.code === 'LOCK_TIMEOUT') did.timedOut++;
    else throw error;
    return false;
  }
}

const join = (): StoreWriter<typeof Account> => {
  did.joins++;
  return chance.fraction() < 0.5
    ? joinStore({ name, layout: Account, capacity: CAPACITY, guard: plan.guard })
    : openStore(name, Account, { access: 'read-write' });
};

let store = join();
/** What two of the mistakes keep, well above what load.ts allows. */
const KEPT_BYTES = 64 * 2 ** 20;
/** How many stores the third leaves open: few of those that a segment has room for. */
const MOST_LEFT = 24;
const kept: Buffer[] = [];
let keptTimes = 0;
/** A mistake that keeps things makes a difference only behind the first count of them: true in the first thread from then on. */
let isCounted = false;
const makes = (mistake: Plan['mistake']): boolean => isCounted && plan.mistake === mistake;
const scratch = Account.zero();

/** A handful of changes of one record or of all, then no more. */
async function watchSome(): Promise<void> {
  const reader = openStore(name, Account);
  did.joins++;
  const index = chance.below(CAPACITY);
  const changes = chance.fraction() < 0.5 ? reader.watch(index) : reader.watch();
  let left = 1 + chance.below(20);
  const timer = setTimeout(() => reader.close(), 200);
  for await (const { record, generation } of changes) {
    note('watch', record, generation);
    did.watched++;
    if (--left === 0) break;
  }
  clearTimeout(timer);
  reader.close();
}

const actions: readonly (() => void | Promise<void>)[] = [
  () => note('read', store.read(chance.below(CAPACITY))),
  () => note('readInto', store.readInto(chance.below(CAPACITY), scratch)),
  () => {
    const index = chance.below(CAPACITY);
    // The generation may move on between the two, never back.
    const before = store.generation(index);
    note('generation', store.read(index), before);
  },
  () => store.readColumn('count').forEach((count) => void (count < 0n && wrong.push('a negative count'))),
  () => {
    const index = chance.below(CAPACITY);
    const text = '簡'.repeat(chance.below(8));
    const change = (draft: typeof scratch): void => {
      note('update', draft);
      draft.count += 1n;
      draft.text = text;
      if (plan.mistake !== 'forgets a checksum' || chance.fraction() < 0.9) seal(draft);
    };
    const update = (): void => {
      if (plan.mistake !== 'loses updates') return store.update(index, change);
      const copy = store.read(index);
      change(copy);
      store.write(index, copy);
    };
    if (tolerate(update)) did.updates++;
  },
];

/** `betweenRounds` is called where nothing but the store is open. */
async function work(betweenRounds: () => Promise<void> | undefined): Promise<void> {
  // The first watch of a thread makes what its later ones share.
  await watchSome();
  while (!ended.signal.aborted) {
    await betweenRounds();
    for (let i = 0; i < 200; i++) {
      did.reads++;
      tolerate(() => void chance.pick(actions)());
    }
    if (makes('keeps buffers') && keptTimes++ === 0) kept.push(Buffer.alloc(KEPT_BYTES, 1));
    if (makes('keeps native memory') && keptTimes++ === 0)
      new Uint8Array(koffi.view(koffi.alloc('uint8', KEPT_BYTES), KEPT_BYTES)).fill(1);
    const leaves = makes('leaves stores open') && keptTimes++ < MOST_LEFT;
    if (leaves || chance.fraction() < 0.05) {
      if (!leaves) store.close();
      store = join();
    }
    if (chance.fraction() < 0.05) await watchSome();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Bytes of this thread's heap and buffers, after garbage was collected. */
function heldByThread(): number {
  gc?.();
  gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What a thread tells the first one: bytes that it holds while it rests, or what it did in the end. */
type Told = { readonly resting: number } | { readonly did: typeof did; readonly wrong: readonly string[] };

/** The first such message of the worker from now on. */
async function hear<Key extends 'resting' | 'did'>(
  worker: Worker,
  key: Key,
): Promise<Extract<Told, Record<Key, unknown>>> {
  for await (const [told] of on(worker, 'message') as AsyncIterable<[Told]>)
    if (key in told) return told as Extract<Told, Record<Key, unknown>>;
  throw new Error('unreachable');
}

async function main(): Promise<void> {
  const workers = Array.from({ length: plan.threads }, (_, i) => {
    const argv = [name, String(Number(seed) + 1000 * (i + 1)), planText];
    return new Worker(new URL(import.meta.url), { argv });
  });
  const tell = (what: string): void => workers.forEach((worker) => worker.postMessage(what));
  /** Counts what the process holds while its threads rest: heaps, pages that it shares with nobody, descriptors and mappings. */
  const holdAll = async (): Promise<{ memory: number; resident: number; held: string }> => {
    const resting = workers.map((worker) => hear(worker, 'resting'));
    tell('rest');
    let memory = heldByThread();
    for (const thread of await Promise.all(resting)) memory += thread.resting;
    const rollup = readFileSync('/proc/self/smaps_rollup', 'latin1');
    const kibibytes = Number(/^Private_Dirty: +(\d+) kB$/m.exec(rollup)![1]);
    const held = JSON.stringify(countHeld());
    tell('go on');
    return { memory, resident: kibibytes * 1024, held };
  };
  let isOver = false;
  process.stdin.resume();
  process.stdin.once('end', () => (isOver = true));
  process.stdout.write('ready\n');
  const halfTime = performance.now() + plan.halfTimeMs;
  let before: Awaited<ReturnType<typeof holdAll>> | undefined;
  let after: Awaited<ReturnType<typeof holdAll>> | undefined;
  await work(async () => {
    if (before === undefined) {
      if (performance.now() > halfTime) before = await holdAll();
      isCounted = before !== undefined;
      // At least one round lies between the two counts.
      return;
    }
    if (!isOver) return;
    after = await holdAll();
    ended.abort();
  });
  const reports = workers.map((worker) => hear(worker, 'did'));
  tell('end');
  store.close();
  const report = { ...did, wrong: wrong.slice(0, 5) };
  for (const each of await Promise.all(reports)) {
    for (const key of Object.keys(did) as (keyof typeof did)[]) report[key] += each.did[key];
    report.wrong.push(...each.wrong);
  }
  if (before!.held !== after!.held)
    report.wrong.push(`held ${before!.held} at half time, ${after!.held} at the end`);
  process.stdin.destroy();
  const line = {
    ...report,
    wrong: report.wrong.slice(0, 5).join('; '),
    growth: after!.memory - before!.memory,
    residentGrowth: after!.resident - before!.resident,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

if (isMainThread) {
  await main();
} else {
  const say = (told: Told): void => parentPort!.postMessage(told);
  let rest: Promise<void> | undefined;
  let goOn = (): void => {};
  parentPort!.on('message', (message) => {
    if (message === 'rest') rest = new Promise((resolve) => (goOn = resolve));
    else if (message === 'go on') goOn();
    else ended.abort();
  });
  await work(async () => {
    if (rest === undefined) return;
    // Each thread has a heap of its own, whose garbage counts as the process's.
    say({ resting: heldByThread() });
    await rest;
    rest = undefined;
  });
  store.close();
  say({ did, wrong });
  parentPort!.close();
}
