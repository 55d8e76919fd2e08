// The Node side of the tests with native/record-peer.c: the same roles on the same record, through the library. Prints
// "ready", works until its standard input ends or its count is reached, then prints one line of JSON.
import { array, bytes, f64, GuardError, openRecord, struct, u32 } from '../../src/index.ts';
import { namedMutex, robustMutex, seqlock, unguarded, versionPair } from '../../src/index.ts';

/** As in native/record-peer.c: the protocol words lie in the middle. */
export const Shared = struct('Shared', {
  first: array(f64, 3),
  begin: u32,
  sequence: u32,
  lock: bytes(40),
  second: array(f64, 61),
  end: u32,
  tail: u32,
});
type Guard = ReturnType<typeof unguarded>;

/** The guard of that name, typed as one that any role can use. */
export function guardOf(name: string, options: { onAbandoned?: () => void; timeoutMs?: number } = {}): Guard {
  const timed = { timeoutMs: 60_000, ...options };
  const guards: Record<string, () => unknown> = {
    sequence: () => seqlock({ sequence: 'sequence' }),
    pair: () => versionPair({ begin: 'begin', end: 'end' }),
    none: () => unguarded(),
    agree: () => unguarded({ agree: 3 }),
    robust: () => robustMutex({ at: 'lock', ...timed }),
  };
  const make = guards[name] ?? (() => namedMutex(name.replace('named:', ''), timed));
  return make() as Guard;
}

interface Values {
  first: number[];
  second: number[];
}

/** The value in all elements; NaN for a torn record. */
export function valueOf({ first, second }: Values): number {
  const [value] = first as [number];
  for (const each of first) if (each !== value) return Number.NaN;
  for (const each of second) if (each !== value) return Number.NaN;
  return value;
}

export function valuesOf(value: number): Values {
  return { first: [value, value, value], second: Array.from({ length: 61 }, () => value) };
}

const READ_MS = 400;
const SLICE_MS = 5;
/** Aborted with the end of the input. */
const input = new AbortController();

async function untilEnd(work: () => boolean | void): Promise<void> {
  process.stdin.resume();
  process.stdin.once('end', () => input.abort());
  process.stdout.write('ready\n');
  while (!input.signal.aborted && work() !== true) await new Promise((resolve) => setImmediate(resolve));
  process.stdin.destroy();
}

function slice(step: () => void): void {
  const end = performance.now() + SLICE_MS;
  do for (let i = 0; i < 20; i++) step();
  while (performance.now() < end);
}

/** read NAME GUARD TORN CHANGES: as in native/record-peer.c. */
async function read(name: string, guard: string, torn: string, changes: string): Promise<object> {
  const record = openRecord(name, Shared, { guard: guardOf(guard) });
  const seen = { reads: 0, torn: 0, backwards: 0, changes: 0, contended: 0 };
  const target = Shared.zero();
  let last = 0;
  const end = performance.now() + READ_MS;
  await untilEnd(() => {
    slice(() => {
      let value: number;
      try {
        value = valueOf(seen.reads % 2 === 0 ? record.readInto(target) : record.read());
      } catch (error) {
        if (!(error instanceof GuardError && error.code === 'READ_CONTENDED')) throw error;
        seen.contended++;
        return;
      }
      seen.reads++;
      if (Number.isNaN(value)) seen.torn++;
      if (value < last) seen.backwards++;
      if (value > last) seen.changes++;
      if (!Number.isNaN(value)) last = value;
    });
    if (Number(torn) > 0) return seen.torn >= Number(torn);
    return Number(changes) > 0 && seen.changes >= Number(changes) && performance.now() >= end;
  });
  record.close();
  return seen;
}

/** write NAME GUARD CALL: rising values by write, assign or update. */
async function write(name: string, guard: string, call: string): Promise<object> {
  const record = openRecord(name, Shared, { guard: guardOf(guard), access: 'read-write' });
  let value = record.read().first[0]!;
  const words = { begin: 0, sequence: 0, lock: new Uint8Array(40), end: 0, tail: 0 };
  const calls: Record<string, () => void> = {
    write: () => record.write({ ...words, ...valuesOf(value) }),
    assign: () => record.assign(valuesOf(value)),
    update: () => record.update((draft) => void Object.assign(draft, valuesOf(value))),
  };
  const put = calls[call]!;
  const start = value;
  await untilEnd(() =>
    slice(() => {
      value++;
      put();
    }),
  );
  record.close();
  return { writes: value - start };
}

/** add NAME GUARD COUNT: once its input ends, adds 1, COUNT times. */
async function add(name: string, guard: string, count: string): Promise<object> {
  const record = openRecord(name, Shared, { guard: guardOf(guard), access: 'read-write' });
  await untilEnd(() => false);
  for (let i = 0; i < Number(count); i++) {
    record.update((draft) => void Object.assign(draft, valuesOf(draft.first[0]! + 1)));
  }
  record.close();
  return { added: Number(count) };
}

/** hold NAME GUARD: takes the mutex by `withLock`, begins a write, and stays with it until the input ends. */
async function hold(name: string, guard: string): Promise<object> {
  const record = openRecord(name, Shared, { guard: guardOf(guard), access: 'read-write' });
  const lockable = record as unknown as {
    withLock(work: (locked: { assign(patch: object): void }) => Promise<void>): Promise<void>;
  };
  await lockable.withLock(async (locked) => {
    locked.assign({ first: [-1, -1, -1] });
    await untilEnd(() => false);
  });
  record.close();
  return {};
}

const roles: Record<string, (...args: string[]) => Promise<object>> = { read, write, add, hold };
const [role = '', ...args] = process.argv.slice(2);
const run = roles[role];
// Imported for its layout, this module has no role.
if (run !== undefined) process.stdout.write(`${JSON.stringify(await run(...args))}\n`);
