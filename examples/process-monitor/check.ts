// A worker: reads rows as fast as it can and compares every snapshot with its checksum. A row of which half were new and half
// old would not match.
import { setImmediate as turn } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { READERS, rowChecksum, sampleChecksum, Tally } from './layout.ts';
import { openStores } from './stores.ts';

/** How long the event loop may wait for this worker. */
const SLICE_MS = 5;

const { rows, samples, tallies, close } = openStores(workerData);
let reads = 0;
let retries = 0;
let torn = 0;

/** Checks the present sample's head and rows once; true if no sample follows. */
function checkOnce(): boolean {
  const sample = samples.tryRead(0);
  if (sample === undefined) {
    retries++;
    return false;
  }
  reads++;
  if (sample.number === 0) return false; // not written yet
  if (sampleChecksum(sample) !== sample.checksum) torn++;
  for (let index = 0; index < sample.rows; index++) {
    const row = rows.tryRead(index);
    if (row === undefined) {
      retries++;
      continue;
    }
    reads++;
    if (rowChecksum(row) !== row.checksum) torn++;
  }
  return sample.last;
}

try {
  for (let done = false; !done; await turn()) {
    const sliceEnd = performance.now() + SLICE_MS;
    while (!done && performance.now() < sliceEnd) done = checkOnce();
    tallies.write(READERS.check, {
      ...Tally.zero(),
      reads: BigInt(reads),
      retries: BigInt(retries),
      torn: BigInt(torn),
    });
  }
} finally {
  close();
}
