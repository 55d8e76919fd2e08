// The second process: shows the busiest processes and how fast everybody reads. Ends after the last sample, when the user quits,
// and when its parent is gone.
import { once } from 'node:events';
import { type ProcessRow, READERS, type Sample, Tally } from './layout.ts';
import { Rate } from './rate.ts';
import { Screen } from './screen.ts';
import type { StartTable } from './readers.ts';
import { openStores } from './stores.ts';
import { fit, processLines, tableLines, type TableContent } from './table-lines.ts';
import { WakeUps } from './wake-ups.ts';

/** Size of the table that stays in a log. */
const LOGGED_ROWS = 5;
const LOGGED_COLUMNS = 100;

const [start] = await once(process, 'message');
const { handles, live }: StartTable = start;
const { rows, samples, tallies, close } = openStores(handles);
const wakeUps = new WakeUps();
const rate = new Rate();
const tally = Tally.zero();
let peakPerSecond = 0;
let content: TableContent | undefined;

// Closing the store ends the loop that watches it.
const stop = (): void => samples.close();
process.once('disconnect', stop);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
const screen = live ? new Screen(stop, draw) : undefined;

function draw(): void {
  if (content !== undefined) screen?.draw(tableLines(content, screen.columns, screen.rows));
}

/** All rows of one sample; undefined while the writer is replacing them: the next sample comes soon. */
function readRows(sample: Sample): ProcessRow[] | undefined {
  const table: ProcessRow[] = [];
  for (let index = 0; index < sample.rows; index++) {
    const row = rows.tryRead(index);
    if (row === undefined) {
      tally.retries++;
      return undefined;
    }
    tally.reads++;
    // A row is never torn; that all rows are of one sample is for the reader of many to check.
    if (row.sample !== sample.number) return undefined;
    table.push(row);
  }
  return table;
}

function readTallies(): TableContent['tallies'] {
  tally.reads += 2n;
  return { table: { ...tally }, check: tallies.read(READERS.check), sum: tallies.read(READERS.sum) };
}

function show(sample: Sample, processes: ProcessRow[]): void {
  const latest = readTallies();
  const reads = latest.table.reads + latest.check.reads + latest.sum.reads;
  const readsPerSecond = rate.next(performance.now(), Number(reads));
  peakPerSecond = Math.max(peakPerSecond, readsPerSecond);
  content = { sample, processes, tallies: latest, readsPerSecond, peakPerSecond };
  draw();
}

try {
  for await (const { record: sample } of samples.watch(0)) {
    wakeUps.record(sample);
    tally.reads++;
    const processes = readRows(sample);
    Object.assign(tally, wakeUps.summary());
    if (processes !== undefined) show(sample, processes);
    tallies.write(READERS.table, tally);
    if (sample.last) break;
  }
} finally {
  screen?.leave();
  close();
  if (process.connected) process.disconnect();
}
if (!live && content !== undefined) {
  const { processes, sample } = content;
  const lines = processLines(processes, sample).slice(0, 1 + LOGGED_ROWS);
  console.log([...lines.map((line) => fit(line, LOGGED_COLUMNS)), ''].join('\n'));
}
