// Tells whether a watch was woken by the doorbell or by the timer of its longest sleep: wraps `fs.watch`, the doorbell of
// Windows and `setTimeout` of this thread. A lost wake-up is a delivery after the timer with no ring on its way.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { EventDoorbell } from '../../src/platform/win32-doorbell.ts';

/** Length of the sleep in src/store/watch.ts. The test of a writer that dies before it rings proves that it is this one. */
const TIMED_SLEEP_MS = 1000;

/** Counts for one thread. Call it before the first watch. */
export function watchTimers(): { delivered: () => void; count: () => number } {
  let rings = 0;
  let ringsAtTimer = 0;
  let inTimer = false;
  let lost = 0;

  const realWatch = fs.watch;
  fs.watch = ((...args: Parameters<typeof realWatch>) => {
    const watcher = realWatch(...args);
    watcher.on('change', () => rings++);
    return watcher;
  }) as typeof realWatch;
  syncBuiltinESMExports();

  const realListen = EventDoorbell.prototype.listen;
  EventDoorbell.prototype.listen = function listen(onRing) {
    return realListen.call(this, () => {
      rings++;
      onRing();
    });
  };

  const realTimeout = globalThis.setTimeout;
  globalThis.setTimeout = ((call: () => void, milliseconds?: number) => {
    if (milliseconds !== TIMED_SLEEP_MS) return realTimeout(call, milliseconds);
    return realTimeout(() => {
      // What the timer brings is delivered by the promises that `call` settles, so before the next phase of the loop.
      inTimer = true;
      ringsAtTimer = rings;
      setImmediate(() => (inTimer = false));
      call();
    }, milliseconds);
  }) as typeof realTimeout;

  return {
    /** To be called for each state that a watch gives. */
    delivered() {
      if (!inTimer) return;
      const before = ringsAtTimer;
      // Timers run before the loop looks for events: a ring that was there as well is heard one turn later.
      setImmediate(() => setImmediate(() => (lost += rings === before ? 1 : 0)));
    },
    /** States that came with the timer alone. */
    count: () => lost,
  };
}
