// The Node side of the race tests: one script, one subcommand per role, the counterpart of native/peer.c. It runs on its own,
// so that a test can choose the Node version and its flags. Roles that break a rule on purpose are the negative controls.
import { parentPort, Worker, isMainThread } from 'node:worker_threads';
import { once } from 'node:events';
import { GuardError, openSegment, openStore, type StoreWriter } from '../../src/index.ts';
import { mixOneCell, mixUnchecked, mixWithPlainRecheck, overwriteInPlace } from './broken-latch.ts';
import { insist } from './insist.ts';
import { kindOf, layoutOf, LANES, rawSlot, type Spelling, Tally, valueOfArray, Fields } from './records.ts';
import { runRole, say, sayReady, untilEnd } from './role.ts';

const SLICE_MS = 5;

/** Runs `step` for some milliseconds. */
function slice(step: () => void): void {
  const end = performance.now() + SLICE_MS;
  do for (let i = 0; i < 20; i++) step();
  while (performance.now() < end);
}

/** What a reader has seen. `backwards` counts values smaller than the one before. */
class Sightings {
  reads = 0;
  torn = 0;
  backwards = 0;
  changes = 0;
  contended = 0;
  readonly #last: number[] = [];

  see(value: number, at = 0): void {
    this.reads++;
    const last = this.#last[at] ?? 0;
    if (value < last) this.backwards++;
    else if (value > last) this.changes++;
    if (Number.isNaN(value)) this.torn++;
    else this.#last[at] = value;
  }
}

type Look = (seen: Sightings) => void;

/** Counts READ_CONTENDED, which is allowed to readers, apart from whole reads. */
function tolerant(read: Look): Look {
  return (seen) => {
    try {
      read(seen);
    } catch (error) {
      if (!(error instanceof GuardError && error.code === 'READ_CONTENDED')) throw error;
      seen.contended++;
    }
  };
}

const READ_MS = 400;

/**
 * read NAME SPELLING ELEMENTS CALL CHANGES, where CALL is read, readInto, tryRead or readColumn; ends by itself after READ_MS
 * and so many changes.
 */
async function read(
  name: string,
  spelling: string,
  elements: string,
  call: string,
  changes: string,
): Promise<void> {
  const store = openStore(name, layoutOf(spelling as Spelling, Number(elements)));
  const { valueOf } = kindOf(spelling as Spelling, Number(elements));
  const scratch = store.layout.zero();
  const calls: Record<string, Look> = {
    read: (seen) => seen.see(valueOf(store.read(0))),
    readInto: (seen) => seen.see(valueOf(store.readInto(0, scratch))),
    tryRead(seen) {
      const record = store.tryRead(0);
      if (record === undefined) seen.contended++;
      else seen.see(valueOf(record));
    },
    readColumn(seen) {
      if (spelling === 'fields') {
        // One double each: whole in any case, but it must not go back.
        store.readColumn('h').forEach((value, at) => seen.see(value, at));
      } else {
        const column = store.readColumn('values' as 'a') as unknown as number[][];
        column.forEach((values, at) => seen.see(valueOfArray(values), at));
      }
    },
  };
  const look = tolerant(calls[call]!);
  const seen = new Sightings();
  const end = performance.now() + READ_MS;
  await untilEnd(() => {
    slice(() => look(seen));
    return seen.changes >= Number(changes) && performance.now() >= end;
  });
  store.close();
  say(seen);
}

/** read-broken NAME HOW TORN_LIMIT: a control, `unchecked`, `one-cell` or `plain-recheck`; ends by itself after so many torn reads. */
async function readBroken(name: string, how: string, limit: string): Promise<void> {
  const segment = openSegment(name);
  const look = { unchecked: mixUnchecked, 'one-cell': mixOneCell }[how] ?? mixWithPlainRecheck;
  const slot = rawSlot(segment.buffer, 0);
  const scratch = new Float64Array(slot.cellLength);
  let reads = 0;
  let torn = 0;
  await untilEnd(() => {
    slice(() => {
      reads += 1000;
      torn += look(slot, scratch, 1000);
    });
    return torn >= Number(limit);
  });
  segment.close();
  say({ reads, torn });
}

/** write NAME SPELLING ELEMENTS CALL: rising values, by write, assign, update or, as a control, in-place. */
async function write(name: string, spelling: string, elements: string, call: string): Promise<void> {
  const store = openStore(name, layoutOf(spelling as Spelling, Number(elements)), { access: 'read-write' });
  const { zero, fill } = kindOf(spelling as Spelling, Number(elements));
  const slot = rawSlot(store.segment.buffer, 0);
  const record = zero();
  let value = 0;
  const calls: Record<string, () => void> = {
    write: () => store.write(0, fill(record, value)),
    assign: () => store.assign(0, fill(record, value)),
    update: () => store.update(0, (draft) => void fill(draft, value)),
    'in-place': () => overwriteInPlace(slot, value),
  };
  const put = calls[call]!;
  await untilEnd(() =>
    slice(() => {
      value++;
      put();
    }),
  );
  store.close();
  say({ writes: value });
}

const bed = new Int32Array(new SharedArrayBuffer(4));

const START_WATCHDOG_MS = 60_000;

/** Blocks until record `index` was written. */
function awaitStart(store: StoreWriter<typeof Fields>, index: number): void {
  const deadline = performance.now() + START_WATCHDOG_MS;
  while (store.generation(index) === 0) {
    if (performance.now() > deadline) throw new Error('nobody started the additions');
    Atomics.wait(bed, 0, 0, 1);
  }
}

/** add NAME COUNT HOW START THREADS: updates record 0 COUNT times per thread, adding 1; HOW `plain` reads, then writes: a control. */
async function add(name: string, count: string, how: string, start: string, threads: string): Promise<void> {
  const workers = Array.from({ length: Number(threads) }, () => {
    return new Worker(new URL(import.meta.url), { argv: ['add', name, count, how, start, '0'] });
  });
  const done = workers.map((worker) => once(worker, 'exit'));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const store = openStore(name, Fields, { access: 'read-write' });
  const { fill } = kindOf('fields', 8);
  const step = (record: ReturnType<typeof Fields.zero>): void => void fill(record, record.a + 1);
  if (isMainThread) sayReady();
  else parentPort!.postMessage('ready');
  awaitStart(store, Number(start));
  for (let i = 0; i < Number(count); i++) {
    if (how === 'plain') {
      const record = store.read(0);
      step(record);
      store.write(0, record);
    } else {
      store.update(0, step);
    }
  }
  store.close();
  for (const [code] of await Promise.all(done))
    if (code !== 0) throw new Error(`a worker ended with ${code}`);
  if (isMainThread) say({ added: Number(count) * (1 + workers.length) });
}

/** tally NAME LANE: as the role of that name in native/peer.c. */
async function tally(name: string, lane: string): Promise<void> {
  const store = openStore(name, Tally, { access: 'read-write' });
  const at = Number(lane);
  const by = Array.from({ length: LANES }, () => 0);
  let acknowledged = store.read(at).total;
  await untilEnd(() =>
    slice(() => {
      insist(() =>
        store.update(0, (draft) => {
          draft.total++;
          draft.by[at - 1]!++;
        }),
      );
      acknowledged++;
      insist(() => store.write(at, { total: acknowledged, by: by.fill(acknowledged) }));
    }),
  );
  store.close();
  say({ acknowledged });
}

/** put NAME SPELLING ELEMENTS: one update, or the code of the error it ends with. */
function put(name: string, spelling: string, elements: string): void {
  const store = openStore(name, layoutOf(spelling as Spelling, Number(elements)), { access: 'read-write' });
  const { valueOf, fill } = kindOf(spelling as Spelling, Number(elements));
  sayReady();
  let status = 'OK';
  try {
    store.update(0, (draft) => void fill(draft, valueOf(draft) + 1));
  } catch (error) {
    status = (error as GuardError).code;
  }
  say({ status, value: valueOf(store.read(0)) });
  store.close();
}

await runRole({ read, 'read-broken': readBroken, write, add, tally, put });
