// From ring to wake: round trips between two processes on one CPU, by watching stores, by a doorbell written by hand, and by
// a futex in C. In microseconds.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { createSegment, createStore, type StoreWriter } from '../../src/index.ts';
import { BELL_LENGTH, HandDoorbell } from '../doorbell.ts';
import { Numbers, numbers } from '../records.ts';
import { lineOf, type Row } from '../row.ts';
import { compare, median, type Sampler } from '../sampling.ts';
import type { WakeHandles } from '../wake-peer.ts';

const LIMIT = 1.3;
const NATIVE_LIMIT = 6;
const ROUND_TRIPS = 100;
const US_PER_MS = 1000;

/** Times round trips, one after the other. */
function sampler(roundTrip: () => Promise<unknown>): Sampler {
  return async () => {
    const times: number[] = [];
    for (let i = 0; i < ROUND_TRIPS; i++) {
      const start = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      await roundTrip();
      times.push((performance.now() - start) * US_PER_MS);
    }
    return median(times);
  };
}

/** Writes record 0 of `asked` and waits for record `at` of `answers` to change. */
function byWatching(asked: StoreWriter<typeof Numbers>, answers: StoreWriter<typeof Numbers>, at: number) {
  const changes = answers.watch(at)[Symbol.asyncIterator]();
  const record = numbers(1);
  return () => {
    asked.write(0, record);
    return changes.next();
  };
}

function byDoorbell(there: HandDoorbell, back: HandDoorbell) {
  let answered = (): void => {};
  const stop = back.listen(() => answered());
  const roundTrip = (): Promise<void> =>
    new Promise((resolve) => {
      answered = resolve;
      there.publish();
    });
  return { roundTrip, stop };
}

export const row: Row = {
  variants: ['one CPU'],
  async run({ sampling, native }) {
    // All threads of this process, and what it starts from now on. The C program runs already: it is moved too.
    for (const pid of [process.pid, ...(native === undefined ? [] : [native.pid])]) {
      execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', '0', String(pid)], { stdio: 'ignore' });
    }
    using there = createStore({ layout: Numbers, capacity: 1 });
    using back = createStore({ layout: Numbers, capacity: 1 });
    using both = createStore({ layout: Numbers, capacity: 2 });
    using bellThere = createSegment({ size: BELL_LENGTH });
    using bellBack = createSegment({ size: BELL_LENGTH });
    const peer = fork(new URL('../wake-peer.ts', import.meta.url));
    const handles: WakeHandles = {
      there: there.handle,
      back: back.handle,
      both: both.handle,
      bellThere: bellThere.handle,
      bellBack: bellBack.handle,
    };
    peer.send(handles);
    await once(peer, 'message');
    const { roundTrip, stop } = byDoorbell(new HandDoorbell(bellThere), new HandDoorbell(bellBack));
    const rounds = await compare(
      {
        'two stores': sampler(byWatching(there, back, 0)),
        'one store': sampler(byWatching(both, both, 1)),
        doorbell: sampler(roundTrip),
        ...(native === undefined ? {} : { futex: native.sampler('futex') }),
      },
      sampling,
      { alone: false },
    );
    stop();
    peer.disconnect();
    await once(peer, 'exit');
    const opponents = {
      unit: 'µs',
      script: { names: ['doorbell'], limit: LIMIT },
      native: { names: ['futex'], limit: NATIVE_LIMIT },
    } as const;
    return [
      lineOf('ring to wake and back, a store each way', rounds, 'two stores', opponents),
      lineOf('ring to wake and back, one store', rounds, 'one store', opponents),
    ];
  },
};
