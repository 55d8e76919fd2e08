// A worker: sums one column of all processes after each sample.
import { workerData } from 'node:worker_threads';
import { GuardError } from 'sharecord';
import { READERS, type Sample, Tally } from './layout.ts';
import { openStores } from './stores.ts';
import { WakeUps } from './wake-ups.ts';

const { rows, samples, tallies, close } = openStores(workerData);
const wakeUps = new WakeUps();
const column = new BigUint64Array(rows.capacity);
const tally = Tally.zero();

function sum(sample: Sample): void {
  try {
    rows.readColumn('residentBytes', column);
    tally.reads += BigInt(rows.capacity);
    tally.residentBytes = column.subarray(0, sample.rows).reduce((total, bytes) => total + bytes, 0n);
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    tally.retries++; // with the next sample
  }
}

try {
  for await (const { record: sample } of samples.watch(0)) {
    wakeUps.record(sample);
    tally.reads++;
    sum(sample);
    tallies.write(READERS.sum, { ...tally, ...wakeUps.summary() });
    if (sample.last) break;
  }
} finally {
  close();
}
