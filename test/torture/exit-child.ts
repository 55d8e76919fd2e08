// A process of process-ends.test.ts: enters a waiting state, says so, and ends with process.exit(7) while it waits.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import {
  createStore,
  joinRecord,
  namedMutex,
  openMap,
  openRecord,
  openStore,
  struct,
  u64,
  unguarded,
  waitForMap,
  waitForStore,
} from '../../src/index.ts';
import { insist } from '../race/insist.ts';
import { Fields, FieldsByText, fieldsKind, rawSlot } from '../race/records.ts';
import { FIRST_OWNER } from './scenarios.ts';

const [state = '', name = ''] = process.argv.slice(2);
const Counter = struct('Counter', { count: u64 });
const missing = `${name}-missing`;
const joinCounter = () =>
  joinRecord(`${name}-record`, Counter, {
    guard: namedMutex(`${name}-mutex`, { timeoutMs: 60_000 }),
  });
const openFields = () => openStore(name, Fields, { access: 'read-write' });
const drop = (promise: Promise<unknown>): void => void promise.catch(() => {});

/** Each leaves something pending. */
const states: Record<string, () => Promise<void> | void> = {
  'a watch of one record'() {
    const changes = openFields().watch(0);
    drop(changes.next().then(() => changes.next()));
  },
  'a watch of all records by a reader'() {
    drop(openStore(name, Fields).watch().next());
  },
  'a watch of one key of a map'() {
    const changes = openMap(`${name}-map`, FieldsByText, { access: 'read-write' }).watch('a');
    drop(changes.next().then(() => changes.next()));
  },
  'a watch of all keys of a map by a reader'() {
    drop(openMap(`${name}-map`, FieldsByText).watch().next());
  },
  'a watch of a foreign record'() {
    const changes = openRecord(`${name}-watched`, Fields, { guard: unguarded() }).watch();
    drop(changes.next().then(() => changes.next()));
  },
  waitForStore: () => drop(waitForStore(missing, Fields)),
  waitForMap: () => drop(waitForMap(missing, FieldsByText)),
  'a withLock that holds the mutex': () => drop(joinCounter().withLock(() => new Promise(() => {}))),
  'a withLock that waits for another'() {
    const record = joinCounter();
    drop(record.withLock(() => new Promise(() => {})));
    drop(record.withLock(() => {}));
  },
  async 'a worker that waits for the lock of a record'() {
    const store = openFields();
    const { words, sequence } = rawSlot(store.segment.buffer, 1);
    Atomics.store(words, sequence + 1, FIRST_OWNER); // the parent's, which lives
    const worker = new Worker(new URL(import.meta.url), { argv: ['worker', name], workerData: store.handle });
    await once(worker, 'message');
  },
  'the callback of an update'() {
    openFields().update(0, () => leave());
  },
  'a store that it alone has open'() {
    createStore({ name: missing, layout: Fields, capacity: 1 }).write(0, fieldsKind.fill(Fields.zero(), 1));
  },
};

function leave(): never {
  process.stdout.write('{"left":"yes"}\n');
  process.exit(7);
}

if (isMainThread) {
  await states[state]!();
  process.stdout.write('ready\n');
  // Long enough for what is pending to be asleep.
  setTimeout(leave, 50);
} else {
  const store = openStore(workerData, Fields, { access: 'read-write' });
  parentPort!.postMessage('waiting');
  // Again after each LOCK_TIMEOUT, so that it waits whenever the process ends.
  insist(() => store.update(1, (draft) => void (draft.a = 1)));
}
