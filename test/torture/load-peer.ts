// One process of load.ts, and its worker threads: `load-peer.ts NAME SEED GUARD THREADS`, GUARD as JSON. Reads, writes, watches,
// leaves and joins the store at random until its input ends, checks what it sees, and prints what it did and what was wrong.
// Twice, after a while and before the end, all threads rest between two rounds, and what the process holds is counted.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { GuardError, joinStore, openStore, type StoreOptions, type StoreWriter } from '../../src/index.ts';
import { countHeld } from '../support/system.ts';
import { Chance } from './campaign.ts';
import { Account, CAPACITY, isSound, seal } from './account.ts';

const [name = '', seed = '', guard = '', threads = '0'] = process.argv.slice(2);
const chance = new Chance(Number(seed));
const { gc } = globalThis as { gc?: () => void };
const ended = new AbortController();

const did = { updates: 0, reads: 0, watched: 0, joins: 0, contended: 0, timedOut: 0 };
const wrong: string[] = [];
const generations = new Float64Array(CAPACITY);

function note(what: string, record: ReturnType<typeof Account.zero>, generation?: number): void {
  if (!isSound(record))
    wrong.push(`${what}: a torn record ${JSON.stringify(record, (_, value) => String(value))}`);
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
    ? joinStore({
        name,
        layout: Account,
        capacity: CAPACITY,
        guard: JSON.parse(guard) as NonNullable<StoreOptions<typeof Account>['guard']>,
      })
    : openStore(name, Account, { access: 'read-write' });
};

let store = join();
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
    if (
      tolerate(() =>
        store.update(index, (draft) => {
          note('update', draft);
          draft.count += 1n;
          draft.text = text;
          seal(draft);
        }),
      )
    )
      did.updates++;
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
    if (chance.fraction() < 0.05) {
      store.close();
      store = join();
    }
    if (chance.fraction() < 0.05) await watchSome();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function collect(): void {
  gc?.();
  gc?.();
}

/** What this process holds, after garbage was collected; the resident set without pages that it shares. */
function held(): { memory: number; resident: number; held: string } {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const rollup = readFileSync('/proc/self/smaps_rollup', 'latin1');
  const kibibytes = Number(/^Private_Dirty: +(\d+) kB$/m.exec(rollup)![1]);
  return { memory: heapUsed + external, resident: kibibytes * 1024, held: JSON.stringify(countHeld()) };
}

const WARM_UP_MS = 2000;
const isMessage = (worker: Worker, expected: string): Promise<void> =>
  new Promise((resolve) => {
    const listen = (message: unknown): void => {
      if (message !== expected) return;
      worker.off('message', listen);
      resolve();
    };
    worker.on('message', listen);
  });

async function main(): Promise<void> {
  const workers = Array.from(
    { length: Number(threads) },
    (_, i) =>
      new Worker(new URL(import.meta.url), { argv: [name, `${Number(seed) + 1000 * (i + 1)}`, guard] }),
  );
  const tell = (what: string): void => workers.forEach((worker) => worker.postMessage(what));
  /** Counts what the process holds while its threads rest. */
  const heldAtRest = async (): Promise<ReturnType<typeof held>> => {
    const resting = workers.map((worker) => isMessage(worker, 'resting'));
    tell('rest');
    await Promise.all(resting);
    const found = held();
    tell('go on');
    return found;
  };
  let isOver = false;
  process.stdin.resume();
  process.stdin.once('end', () => (isOver = true));
  process.stdout.write('ready\n');
  const warm = performance.now() + WARM_UP_MS;
  let before: ReturnType<typeof held> | undefined;
  let after: ReturnType<typeof held> | undefined;
  await work(async () => {
    if (before === undefined && performance.now() > warm) before = await heldAtRest();
    if (!isOver || before === undefined) return;
    after = await heldAtRest();
    ended.abort();
  });
  const reports = workers.map(async (worker) => {
    for (;;) {
      const [message] = (await once(worker, 'message')) as [typeof report | string];
      if (typeof message !== 'string') return message;
    }
  });
  tell('end');
  store.close();
  const report = { ...did, wrong: wrong.slice(0, 5) };
  for (const each of await Promise.all(reports)) {
    for (const key of Object.keys(did) as (keyof typeof did)[]) report[key] += each[key];
    report.wrong.push(...each.wrong);
  }
  let [growth, residentGrowth] = [0, 0];
  if (before !== undefined && after !== undefined) {
    if (before.held !== after.held)
      report.wrong.push(`held ${before.held} after a while, ${after.held} at the end`);
    growth = after.memory - before.memory;
    residentGrowth = after.resident - before.resident;
  }
  process.stdin.destroy();
  const line = { ...report, wrong: report.wrong.join('; '), growth, residentGrowth };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

if (isMainThread) {
  await main();
} else {
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
    collect();
    parentPort!.postMessage('resting');
    await rest;
    rest = undefined;
  });
  store.close();
  parentPort!.postMessage({ ...did, wrong });
  parentPort!.close();
}
