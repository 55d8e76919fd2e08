// One process of load.ts, and its worker threads: `load-peer.ts NAME SEED THREADS`. Reads, writes, watches, leaves and joins the
// store at random until its input ends, checks what it sees, and prints what it did and what was wrong.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { GuardError, joinStore, openStore, type StoreWriter } from '../../src/index.ts';
import { countHeld } from '../support/system.ts';
import { Chance } from './campaign.ts';
import { Account, CAPACITY, isSound, seal } from './account.ts';

const [name = '', seed = '', threads = '0'] = process.argv.slice(2);
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
    ? joinStore({ name, layout: Account, capacity: CAPACITY })
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

async function work(betweenRounds: () => void): Promise<void> {
  // The first watch of a thread makes what its later ones share.
  await watchSome();
  while (!ended.signal.aborted) {
    betweenRounds();
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

/** What this process holds, after garbage was collected. */
function held(): { memory: number; held: string } {
  gc?.();
  gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return { memory: heapUsed + external, held: JSON.stringify(countHeld()) };
}

const WARM_UP_MS = 2000;

async function main(): Promise<void> {
  const workers = Array.from(
    { length: Number(threads) },
    (_, i) => new Worker(new URL(import.meta.url), { argv: [name, `${Number(seed) + 1000 * (i + 1)}`] }),
  );
  const reports = workers.map(async (worker) => (await once(worker, 'message'))[0] as typeof report);
  process.stdin.resume();
  const end = (): void => {
    ended.abort();
    for (const worker of workers) worker.postMessage('end');
  };
  process.stdin.once('end', end);
  process.stdout.write('ready\n');
  const warm = performance.now() + WARM_UP_MS;
  let before: ReturnType<typeof held> | undefined;
  await work(() => {
    // Between two rounds nothing but the store is open.
    if (before === undefined && performance.now() > warm) before = held();
  });
  const after = held();
  store.close();
  const report = { ...did, wrong: wrong.slice(0, 5) };
  for (const each of await Promise.all(reports)) {
    for (const key of Object.keys(did) as (keyof typeof did)[]) report[key] += each[key];
    report.wrong.push(...each.wrong);
  }
  // Threads share the process's heap and descriptors; only a process without them can tell what is its own.
  if (workers.length === 0 && before !== undefined && before.held !== after.held)
    report.wrong.push(`held ${before.held} after a while, ${after.held} at the end`);
  const growth = before === undefined ? 0 : after.memory - before.memory;
  process.stdin.destroy();
  process.stdout.write(`${JSON.stringify({ ...report, wrong: report.wrong.join('; '), growth })}\n`);
}

if (isMainThread) {
  await main();
} else {
  parentPort!.once('message', () => ended.abort());
  await work(() => {});
  store.close();
  parentPort!.postMessage({ ...did, wrong });
}
