// What a test opens and starts and must not leave behind.
import type { ChildProcess } from 'node:child_process';
import { onTestFinished } from 'vitest';

/** Closes it when the running test is over, whatever the outcome; what was opened last is closed first. */
export function track<T extends { close(): void }>(each: T): T {
  onTestFinished(() => each.close());
  return each;
}

/** Kills a child process when the running test is over. */
export function killAfterwards(child: ChildProcess): void {
  onTestFinished(() => void child.kill('SIGKILL'));
}
