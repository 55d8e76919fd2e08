// What the table shows, as lines of text: no terminal and no shared memory in here.
import { styleText } from 'node:util';
import cliTruncate from 'cli-truncate';
import type { ProcessRow, Sample, Tally } from './layout.ts';
import { bar, formatBytes, formatCount, formatSeconds, formatStart, printable } from './text.ts';

/** A CPU share from which a process stands out, in percent of one CPU. */
const BUSY_PERCENT = 50;

export interface TableContent {
  readonly sample: Sample;
  readonly processes: readonly ProcessRow[];
  readonly tallies: { readonly table: Tally; readonly check: Tally; readonly sum: Tally };
  readonly readsPerSecond: number;
  /** The highest so far: the bar's full length. */
  readonly peakPerSecond: number;
}

/** Draws everything for a terminal of that size: never a line wider, never more lines. */
export function tableLines(content: TableContent, columns: number, rows: number): string[] {
  const lines = [
    styleText('inverse', fit(titleLine(content.sample), columns).padEnd(columns)),
    readsLine(content, columns),
    tallyLine(content),
    '',
    ...processLines(content.processes, content.sample),
  ];
  return lines.slice(0, rows).map((line) => fit(line, columns));
}

/** The header and one line per process, the busiest first. The command stands last, so that its width may vary. */
export function processLines(processes: readonly ProcessRow[], sample: Sample): string[] {
  const busiestFirst = processes.toSorted(
    (a, b) => b.cpuPercent - a.cpuPercent || b.cpuSeconds - a.cpuSeconds || a.pid - b.pid,
  );
  const header = [
    '    PID',
    ' PARENT',
    'STATE   ',
    '  CPU%',
    '  CPU TIME',
    ' RESIDENT',
    'THR',
    'STARTED ',
    'COMMAND',
  ];
  return [styleText('bold', header.join(' ')), ...busiestFirst.map((row) => processLine(row, sample))];
}

function processLine(row: ProcessRow, sample: Sample): string {
  const state = String(row.state).padEnd(8);
  const cpuPercent = row.cpuPercent.toFixed(1).padStart(6);
  return [
    String(row.pid).padStart(7),
    String(row.parent).padStart(7),
    row.state === 'Running' ? styleText('green', state) : state,
    row.cpuPercent >= BUSY_PERCENT ? styleText('yellow', cpuPercent) : cpuPercent,
    formatSeconds(row.cpuSeconds).padStart(10),
    formatBytes(row.residentBytes).padStart(9),
    String(row.threads).padStart(3),
    formatStart(row.startTime, sample.takenAt).padEnd(8),
    printable(row.command),
  ].join(' ');
}

function titleLine(sample: Sample): string {
  const found = sample.found > sample.rows ? `${sample.rows} of ${sample.found}` : String(sample.found);
  const what = sample.source === 'proc' ? 'processes' : 'rows from os, no /proc here';
  return [
    ' process monitor',
    printable(sample.host),
    `${found} ${what}`,
    `${sample.cpus} CPUs`,
    sample.takenAt.toLocaleTimeString('en-GB'),
    'q quits',
  ].join('   ');
}

function readsLine({ readsPerSecond, peakPerSecond }: TableContent, columns: number): string {
  const amount = ` ${formatCount(readsPerSecond)} reads/s`.padStart(15);
  const peak = `, peak ${formatCount(peakPerSecond)} `.padEnd(13);
  const width = Math.max(0, columns - 1 - amount.length - peak.length);
  const filled = bar(peakPerSecond > 0 ? readsPerSecond / peakPerSecond : 0, width);
  const track = styleText('dim', '░'.repeat(width - filled.length));
  return ` ${styleText('cyan', filled)}${track}${styleText('bold', amount)}${peak}`;
}

function tallyLine({ tallies: { table, check, sum } }: TableContent): string {
  return [
    ` checked ${formatCount(check.reads)}`,
    `torn ${styleText(check.torn === 0n ? 'green' : 'red', String(check.torn))}`,
    `retries ${table.retries + check.retries + sum.retries}`,
    `wake-up p50 ${table.wakeP50Ms.toFixed(2)} ms, p99 ${table.wakeP99Ms.toFixed(2)} ms`,
    `resident ${formatBytes(sum.residentBytes)}`,
  ].join('   ');
}

/** Cuts a line to so many columns; escape sequences take none, wide characters two. */
export function fit(line: string, columns: number): string {
  return cliTruncate(line, columns);
}
