import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ProcessRow, Sample, Tally } from '../../examples/process-monitor/layout.ts';
import { processLines, tableLines, type TableContent } from '../../examples/process-monitor/table-lines.ts';
import { bar, formatBytes, formatSeconds, printable } from '../../examples/process-monitor/text.ts';

const sample: Sample = {
  ...Sample.zero(),
  number: 1,
  rows: 3,
  found: 3,
  cpus: 2,
  host: 'here',
  takenAt: new Date(),
};
const row = (pid: number, cpuPercent: number, command: string): ProcessRow => {
  return { ...ProcessRow.zero(), pid, cpuPercent, command, state: 'Running', startTime: sample.takenAt };
};
const processes = [row(1, 3, 'calm'), row(2, 99, '漢字漢字漢字漢字漢字漢字'), row(3, 50, 'busy')];
const tally = Tally.zero();
const content: TableContent = {
  sample,
  processes,
  tallies: { table: tally, check: tally, sum: tally },
  readsPerSecond: 500_000,
  peakPerSecond: 1_000_000,
};

/** Columns that a line takes: these texts have no wide characters but Chinese ones, which take two. */
function widthOf(line: string): number {
  const text = stripVTControlCharacters(line);
  return [...text].length + (text.match(/\p{Script=Han}/gu) ?? []).length;
}

describe('tableLines', () => {
  test('gives no line wider than the terminal, and no more lines than it has', () => {
    for (let columns = 1; columns <= 130; columns++) {
      for (const rows of [1, 4, 50]) {
        const lines = tableLines(content, columns, rows);
        expect(lines.length).toBeLessThanOrEqual(rows);
        expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns);
      }
    }
  });
});

describe('processLines', () => {
  test('lists the busiest process first', () => {
    const pids = processLines(processes, sample)
      .slice(1)
      .map((line) => Number.parseInt(stripVTControlCharacters(line), 10));
    expect(pids).toEqual([2, 3, 1]);
  });

  test('prints no control character of a command', () => {
    const hostile = row(4, 0, 'x\x1b[2J\x07\u202egnp\r\n');
    expect(processLines([hostile], sample)[1]).toContain('x?[2J??gnp??');
  });
});

describe('the wording of the monitor', () => {
  test.each([
    [0n, '0 B'],
    [999n, '999 B'],
    [1000n, '1.0 KiB'],
    [1_048_576n, '1.0 MiB'],
    [123_456_789n, '118 MiB'],
    [5_000_000_000_000_000n, '4547 TiB'],
  ])('%s bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test.each([
    [0, '0:00.0'],
    [65.49, '1:05.4'],
    [3599.99, '59:59.9'],
    [3725.4, '1:02:05'],
  ])('%s seconds are %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  test('a bar has eighths of a column', () => {
    expect([bar(0, 4), bar(0.5, 4), bar(9 / 32, 4), bar(2, 4), bar(-1, 4)]).toEqual([
      '',
      '██',
      '█▏',
      '████',
      '',
    ]);
  });

  test('printable keeps letters of every script', () => {
    expect(printable('naïve 漢字 😀')).toBe('naïve 漢字 😀');
  });
});
