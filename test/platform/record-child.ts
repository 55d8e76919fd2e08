// A process or worker of record.test.ts: takes the mutex of a record and is killed, exits, or is terminated while it holds it.
import { parentPort } from 'node:worker_threads';
import { bytes, char, i32, joinRecord, namedMutex, robustMutex, struct } from 'sharecord';

const [name, kind, mutex, how] = process.argv.slice(2) as [string, string, string, string | undefined];
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('still alive');
};
const timeoutMs = 1000;
const Shared = struct('Shared', { lock: bytes(40), level: i32, label: char(8) });
const Plain = struct('Plain', { level: i32, label: char(8) }) as unknown as typeof Shared;
const record =
  kind === 'robustMutex'
    ? joinRecord(name, Shared, { guard: robustMutex({ at: 'lock', timeoutMs }) })
    : joinRecord(name, Plain, { guard: namedMutex(mutex, { timeoutMs }) as never });
const lockable = record as typeof record & { withLock(work: () => Promise<void>): Promise<void> };
if (how === 'stay') {
  await lockable.withLock(() => {
    parentPort?.postMessage('locked');
    process.send?.('locked');
    return new Promise((resolve) => setTimeout(resolve, 2 ** 30));
  });
} else if (how === 'exit') {
  await lockable.withLock(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    process.exit(7);
  });
} else {
  record.update(die);
}
