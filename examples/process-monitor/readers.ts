// Starts those who read and sees how they end: a process for the table, two workers.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LEAVE_SCREEN } from './screen.ts';
import type { MonitorHandles } from './stores.ts';

/** The message that tells the table process what to show. */
export interface StartTable {
  readonly handles: MonitorHandles;
  /** There is a terminal to draw on. */
  readonly live: boolean;
}

export interface Readers {
  /** Settles as soon as one reader has ended, well or not. */
  readonly firstEnd: Promise<void>;
  /** Waits until all have ended, at most `patienceMs` before it ends them. @throws what the first one failed with */
  allEnded(patienceMs: number): Promise<void>;
}

/** Starts them; they inherit this process's options for Node. */
export function startReaders(handles: MonitorHandles, live: boolean): Readers {
  const table = fork(new URL('./table.ts', import.meta.url));
  const check = new Worker(new URL('./check.ts', import.meta.url), { workerData: handles });
  const sum = new Worker(new URL('./sum.ts', import.meta.url), { workerData: handles });
  // Whether the message arrived shows in how the process ends.
  table.send({ handles, live } satisfies StartTable, () => {});
  // A killed one could not do it itself. The mode of the keys is Node's own to restore.
  table.once('exit', (_code, signal) => {
    if (live && signal !== null) process.stdout.write(LEAVE_SCREEN);
  });

  const ends = [ended('table process', table), ended('check worker', check), ended('sum worker', sum)];
  return {
    firstEnd: Promise.race(ends),
    async allEnded(patienceMs) {
      const overdue = setTimeout(() => {
        table.kill('SIGKILL');
        void check.terminate();
        void sum.terminate();
      }, patienceMs);
      const outcomes = await Promise.allSettled(ends);
      clearTimeout(overdue);
      const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
      if (failures.length > 0) throw failures[0]!.reason;
    },
  };
}

async function ended(name: string, reader: ChildProcess | Worker): Promise<void> {
  // A worker's own error rejects here.
  const [code, signal] = await once(reader, 'exit');
  if (code !== 0) throw new Error(`the ${name} ended with ${signal ?? `exit code ${code}`}`);
}
