// The records that the monitor shares: one per process, one that heads each sample, one tally per reader. Every side imports
// this file. Also the checksum that the writer puts into a record and a reader compares.
import { crc32 } from 'node:zlib';
import {
  bool,
  char16,
  enumOf,
  f32,
  f64,
  i32,
  struct,
  u32,
  u64,
  u8,
  unixMs,
  utf8,
  type Infer,
  type InferInput,
} from 'sharecord';

/** The values are the letters of proc_pid_stat(5), so the kernel's letter is stored as it comes and read back as a name. */
export const ProcessState = enumOf(
  u8,
  {
    Unknown: 0,
    Waiting: 68, // D: in an uninterruptible wait, mostly for a disk
    Idle: 73,
    Parked: 80,
    Running: 82,
    Sleeping: 83,
    Stopped: 84,
    Dead: 88,
    Zombie: 90,
    Traced: 116, // t
  },
  { open: true },
);

/** One process in one sample. */
export const ProcessRow = struct('ProcessRow', {
  /** `number` of the sample that this row belongs to. */
  sample: u32,
  pid: i32,
  parent: i32,
  threads: u32,
  command: utf8(120, { onOverflow: 'truncate' }),
  state: ProcessState,
  /** Of one CPU, over about the last second. */
  cpuPercent: f32,
  cpuSeconds: f64,
  residentBytes: u64,
  startTime: unixMs,
  checksum: u32,
});
export type ProcessRow = Infer<typeof ProcessRow>;

/** Heads the rows of one sample. Written after them: who has read it finds them complete. */
export const Sample = struct('Sample', {
  /** Counts from 1. */
  number: u32,
  /** Rows 0 to rows - 1 belong to this sample; what lies behind them is left over from earlier, longer ones. */
  rows: u32,
  /** Processes that were found, more than `rows` if the store is too small. */
  found: u32,
  cpus: u32,
  source: enumOf(u8, { proc: 0, os: 1 }),
  /** No sample follows: readers end. */
  last: bool,
  host: char16(64, { onOverflow: 'truncate' }),
  takenAt: unixMs,
  /** `sharedNow()` just before the write. */
  publishedAt: f64,
  checksum: u32,
});
export type Sample = Infer<typeof Sample>;

/** What one reader has done so far; each reader writes its own. */
export const Tally = struct('Tally', {
  /** Records read, each guarded on its own. */
  reads: u64,
  /** Reads given up because writers were too busy, and done again later. */
  retries: u64,
  /** Snapshots whose checksum did not match. */
  torn: u64,
  /** Sum of a column. */
  residentBytes: u64,
  wakeUps: u32,
  wakeP50Ms: f64,
  wakeP99Ms: f64,
});
export type Tally = Infer<typeof Tally>;

/** Index of each reader's tally. */
export const READERS = { table: 0, check: 1, sum: 2 } as const;

/** Milliseconds since 1970 with fractions, comparable between the threads and processes of one machine. */
export function sharedNow(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Completes a row with its checksum. It is computed over what readers will get: the command cut to its field, the state by name.
 */
export function sealRow(row: Omit<InferInput<typeof ProcessRow>, 'checksum'>): ProcessRow {
  const memory = new Uint8Array(ProcessRow.size);
  ProcessRow.encode(row, memory);
  const sealed = ProcessRow.decode(memory);
  sealed.checksum = rowChecksum(sealed);
  return sealed;
}

/** Completes the head of a sample in the same way. */
export function sealSample(sample: Omit<InferInput<typeof Sample>, 'checksum'>): Sample {
  const memory = new Uint8Array(Sample.size);
  Sample.encode(sample, memory);
  const sealed = Sample.decode(memory);
  sealed.checksum = sampleChecksum(sealed);
  return sealed;
}

// Numbers first, text behind them.
const summed = new Uint8Array(1024);
const numbers = new Float64Array(summed.buffer, 0, 8);
const text = summed.subarray(numbers.byteLength);
const encoder = new TextEncoder();

function sumUp(texts: string): number {
  const { written } = encoder.encodeInto(texts, text);
  return crc32(summed.subarray(0, numbers.byteLength + written));
}

/** Computes the checksum over every field of a row but its own, the command's bytes included. */
export function rowChecksum(row: ProcessRow): number {
  numbers[0] = row.sample;
  numbers[1] = row.pid;
  numbers[2] = row.parent;
  numbers[3] = row.threads;
  numbers[4] = row.cpuPercent;
  numbers[5] = row.cpuSeconds;
  numbers[6] = Number(row.residentBytes);
  numbers[7] = row.startTime.getTime();
  return sumUp(`${row.state} ${row.command}`);
}

/** Computes the checksum over every field of a sample's head but its own. */
export function sampleChecksum(sample: Sample): number {
  numbers[0] = sample.number;
  numbers[1] = sample.rows;
  numbers[2] = sample.found;
  numbers[3] = sample.cpus;
  numbers[4] = Number(sample.last);
  numbers[5] = sample.takenAt.getTime();
  numbers[6] = sample.publishedAt;
  numbers[7] = 0;
  return sumUp(`${sample.source} ${sample.host}`);
}
