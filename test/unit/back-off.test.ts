// How often who waits looks again, by the pauses it asks for: no clock decides.
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { KernelLocks } from '../../src/platform/platform.ts';
import { BackOff } from '../../src/sync/back-off.ts';
import { LockWord } from '../../src/sync/lock-word.ts';
import { Participants } from '../../src/sync/participants.ts';

/** A fifth of the 100 ms in which others go on after a death. */
const MOST_MS = 20;
const LOOKS = 300;
const MINUTE_MS = 60_000;

/** Has every pause last no time; gives what was asked for, in milliseconds, and what else the test notes between. */
function recordPauses(): (number | 'look')[] {
  const events: (number | 'look')[] = [];
  vi.spyOn(Atomics, 'wait').mockImplementation((...[, , , milliseconds]) => {
    events.push(milliseconds ?? Infinity);
    return 'timed-out';
  });
  return events;
}

/** The milliseconds before each look. */
function pausesBefore(events: readonly (number | 'look')[]): number[] {
  const pauses = [0];
  for (const event of events) {
    if (event === 'look') pauses.push(0);
    else pauses[pauses.length - 1]! += event;
  }
  return pauses.slice(0, -1);
}

afterEach(() => void vi.restoreAllMocks());

describe('BackOff', () => {
  test(`never pauses for more than ${MOST_MS} ms, the first time or later`, () => {
    const pauses = recordPauses();
    const backOff = new BackOff(MINUTE_MS);
    while (pauses.length < LOOKS) expect(backOff.pause()).toBe(true);
    expect(Math.max(...(pauses as number[]))).toBeLessThanOrEqual(MOST_MS);
    expect(Math.min(...(pauses as number[]))).toBeGreaterThan(0);
  });

  test(`has paused for less than ${MOST_MS} ms when it is time to ask who holds the lock`, () => {
    const pauses = recordPauses();
    const backOff = new BackOff(MINUTE_MS);
    while (!backOff.patient) backOff.pause();
    expect((pauses as number[]).reduce((sum, pause) => sum + pause, 0)).toBeLessThan(MOST_MS);
  });
});

describe('LockWord', () => {
  test(`looks for a dead owner after pauses of less than ${MOST_MS} ms, then again and again, and steals at once`, () => {
    const events = recordPauses();
    const [lock, table] = [0, 1];
    const words = new Int32Array(new SharedArrayBuffer(4096));
    const [me, other] = [(1 << 8) | 0, (1 << 8) | 1];
    words.set([other, 1, 1]);
    let looks = 0;
    const locks: KernelLocks = {
      tryLock: () => false,
      unlock() {},
      isHeld() {
        events.push('look');
        return ++looks < LOOKS;
      },
    };
    new LockWord(words, new Participants(locks, words, table), me, 'Row').acquire(lock);
    expect(words[lock]).toBe(me);
    const pauses = pausesBefore(events);
    expect(pauses).toHaveLength(LOOKS);
    expect(Math.max(...pauses)).toBeLessThan(MOST_MS);
  });
});
