// A process of record.test.ts: takes the mutex of a record and is killed, or exits, while it holds it.
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
if (how === 'exit') {
  await lockable.withLock(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    process.exit(7);
  });
} else {
  record.update(die);
}
