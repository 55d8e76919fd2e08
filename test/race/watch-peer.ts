// The Node side of the tests of watches: a writer in bursts, as in native/peer.c, and threads that watch (role.ts).
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { openStore } from '../../src/index.ts';
import { Chance } from '../torture/campaign.ts';
import { Fields, Seen } from './records.ts';
import { input, listenForEnd, runRole, say, sayReady } from './role.ts';
import { watchTimers } from './timer-count.ts';
import { openChanged, openWatched } from './watched.ts';

const bed = new Int32Array(new SharedArrayBuffer(4));

/** burst KIND NAME CONTROL LANE SEED: as the role of that name in native/peer.c. */
async function burst(kind: string, name: string, control: string, lane: string, seed: string): Promise<void> {
  const chance = new Chance(Number(seed));
  const changed = openChanged(kind, name);
  const rounds = openStore(control, Fields, { access: 'read-write' });
  listenForEnd();
  const watch = rounds.watch(0, { signal: input.signal });
  sayReady();
  let writes = 0;
  try {
    for await (const { record } of watch) {
      for (let left = 1 + chance.below(40); left > 0; left--, writes++) {
        changed.change(chance.below(4) === 0 ? 0 : chance.below(changed.capacity), chance);
        if (chance.below(4) === 0) Atomics.wait(bed, 0, 0, chance.fraction() * 0.1);
      }
      rounds.write(Number(lane), record);
    }
  } catch (error) {
    if (!input.signal.aborted) throw error;
  }
  rounds.close();
  changed.close();
  process.stdin.destroy();
  say({ writes });
}

/**
 * watch KIND NAME SEEN LANE THREADS WHAT: follows all items, and with WHAT `both` also item 0 by a watch of its own, and writes
 * what it saw to record LANE of the store SEEN; each further thread takes the next lane. Reports how many states a timer
 * brought, not the bell.
 */
async function watch(
  kind: string,
  name: string,
  seenName: string,
  lane: string,
  threads: string,
  what: string,
): Promise<void> {
  const timers = watchTimers();
  const workers = Array.from({ length: Number(threads) }, (_, i) => {
    return new Worker(new URL(import.meta.url), {
      argv: ['watch', kind, name, seenName, String(Number(lane) + 1 + i), '0', what],
    });
  });
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const results = workers.map(
    async (worker) => (await once(worker, 'message'))[0] as { delivered: number; byTimer: number },
  );
  // This thread watches through a writer, the others through readers, which map the armed word by themselves.
  const watched = openWatched(kind, name, isMainThread ? 'read-write' : 'read');
  const seen = openStore(seenName, Seen, { access: 'read-write' });
  let delivered = 0;
  const following = watched.follow(input.signal, what === 'both', (latest) => {
    timers.delivered();
    delivered++;
    seen.write(Number(lane), latest);
  });
  if (isMainThread) {
    listenForEnd();
    sayReady();
  } else {
    parentPort!.postMessage('ready');
    parentPort!.once('message', () => input.abort());
  }
  await Promise.all(following);
  for (const worker of workers) worker.postMessage('end');
  let byTimer = timers.count();
  for (const result of await Promise.all(results)) {
    delivered += result.delivered;
    byTimer += result.byTimer;
  }
  seen.close();
  watched.close();
  if (!isMainThread) return parentPort!.postMessage({ delivered, byTimer });
  process.stdin.destroy();
  say({ delivered, byTimer });
}

await runRole({ burst, watch });
