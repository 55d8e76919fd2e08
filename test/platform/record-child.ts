// A process of record.test.ts: takes the mutex of a record and is killed while it holds it.
import { bytes, char, i32, joinRecord, namedMutex, robustMutex, struct } from 'sharecord';

const [name, kind, mutex] = process.argv.slice(2) as [string, string, string];
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('still alive');
};

if (kind === 'robustMutex') {
  const Shared = struct('Shared', { lock: bytes(40), level: i32, label: char(8) });
  joinRecord(name, Shared, { guard: robustMutex({ at: 'lock', timeoutMs: 1000 }) }).update(die);
} else {
  const Plain = struct('Plain', { level: i32, label: char(8) });
  joinRecord(name, Plain, { guard: namedMutex(mutex, { timeoutMs: 1000 }) }).update(die);
}
