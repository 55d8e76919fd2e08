// A victim as a thread of this process, which worker.terminate() ends where it blocks.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Handle } from '../../src/index.ts';

/** Runs the command of a victim that blocks at a point (`victim.ts`, `map-victim.ts`) in a worker, and terminates it there. */
export async function terminateThere(
  [, ...args]: readonly [string, ...string[]],
  handle?: Handle,
): Promise<void> {
  const script = args.findIndex((argument) => argument.endsWith('victim.ts'));
  const worker = new Worker(args[script]!, {
    execArgv: args.slice(0, script),
    argv: args.slice(script + 1),
    workerData: handle,
    stdout: true,
  });
  const ended = once(worker, 'exit').then(() => Promise.reject(new Error('the thread came to its end')));
  ended.catch(() => {});
  await Promise.race([once(worker, 'message'), ended]);
  await worker.terminate();
}
