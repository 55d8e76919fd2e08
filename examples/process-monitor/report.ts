// The text that a run leaves behind.
import { READERS, type Sample, type Tally } from './layout.ts';
import type { WriterStores } from './stores.ts';
import { formatBytes, printable } from './text.ts';

export interface Run {
  readonly seconds: number;
  /** Records written: rows and heads of samples. */
  readonly writes: number;
  readonly sample: Sample;
}

export interface Outcome {
  readonly text: string;
  readonly torn: bigint;
}

/** Adds up what all readers have written down. */
export function report({ seconds, writes, sample }: Run, { tallies }: WriterStores): Outcome {
  const table = tallies.read(READERS.table);
  const check = tallies.read(READERS.check);
  const sum = tallies.read(READERS.sum);
  const reads = table.reads + check.reads + sum.reads;
  const { torn } = check;
  const lines = [
    `process monitor: ${seconds.toFixed(1)} s on ${printable(sample.host)}, ${sample.number} samples from ${sample.source}`,
    `records: ${sample.rows}${sample.found > sample.rows ? ` of ${sample.found}` : ''}`,
    `writes: ${writes}`,
    `reads: ${reads} (table ${table.reads}, check ${check.reads}, sum ${sum.reads})`,
    `reads per second: ${Math.round(Number(reads) / seconds)}`,
    `retries: ${table.retries + check.retries + sum.retries}`,
    `torn: ${torn}`,
    `resident: ${formatBytes(sum.residentBytes)}`,
    `wake-up latency: ${latency(table)} in another process`,
    `wake-up latency: ${latency(sum)} in a worker`,
  ];
  return { text: lines.join('\n'), torn };
}

function latency({ wakeUps, wakeP50Ms, wakeP99Ms }: Tally): string {
  if (wakeUps === 0) return 'never asleep';
  return `p50 ${wakeP50Ms.toFixed(3)} ms, p99 ${wakeP99Ms.toFixed(3)} ms, ${wakeUps} times`;
}
