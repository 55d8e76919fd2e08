import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { gone, HAS_PROC, pause, type Program, startNode } from './program.ts';

const MONITOR = 'process-monitor/monitor.ts';
const STORES = 3;
const LONGEST_SECONDS = 48;
const preload = (source: string): string[] => [
  '--import',
  `data:text/javascript,${encodeURIComponent(source)}`,
];

/** The number behind `label:` in a report. */
function numberOf(report: string, label: string): number {
  const found = new RegExp(`^${label}: (?:p50 )?([\\d.]+)`, 'm').exec(report)?.[1];
  if (found === undefined) throw new Error(`no "${label}" in ${report}`);
  return Number(found);
}

/** Inodes of the memory without a name that a process has mapped: see proc_pid_maps(5). */
function memoriesOf(pid: number): Set<string> {
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
  return new Set(Array.from(maps.matchAll(/ (\d+) +\/memfd:/g), ([, inode]) => inode!));
}

/** Starts the monitor and waits until its table process has opened the stores. */
async function startRunning(): Promise<{ monitor: Program; table: number }> {
  const monitor = startNode(MONITOR, ['--seconds', '1000']);
  const table = await monitor.descendant('table.ts');
  while (memoriesOf(table).size < STORES) await pause();
  return { monitor, table };
}

describe('process monitor without a terminal', () => {
  test('runs a few seconds, prints one report and exits with 0', async () => {
    const { code, stdout, stderr } = await startNode(MONITOR).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/^process monitor: /gm)).toHaveLength(1);
    const records = numberOf(stdout, 'records');
    expect(records).toBeGreaterThan(0);
    // One sample or more, each with a head and its rows. The last one is read whole.
    expect(numberOf(stdout, 'writes')).toBeGreaterThan(records);
    expect(numberOf(stdout, 'reads')).toBeGreaterThan(records);
    expect(numberOf(stdout, 'reads per second')).toBeGreaterThan(0);
    expect(numberOf(stdout, 'retries')).toBeGreaterThanOrEqual(0);
    expect(stdout).toMatch(/^torn: 0$/m);
    const latencies = [...stdout.matchAll(/^wake-up latency: p50 ([\d.]+) ms, p99 ([\d.]+) ms/gm)];
    expect(latencies).toHaveLength(2);
    for (const [, p50, p99] of latencies) {
      expect(Number(p50)).toBeGreaterThan(0);
      expect(Number(p99)).toBeGreaterThanOrEqual(Number(p50));
    }
  });

  test('has readers that outrun the writer, many samples long', async () => {
    for (let seconds = 3; ; seconds *= 2) {
      const { stdout } = await startNode(MONITOR, ['--seconds', String(seconds)]).ended;
      expect(stdout).toMatch(/^torn: 0$/m);
      const [records, writes] = [numberOf(stdout, 'records'), numberOf(stdout, 'writes')];
      if (writes > 10 * records && numberOf(stdout, 'reads') > writes) break;
      // A machine that is busy with others needs longer.
      expect(seconds, stdout).toBeLessThan(LONGEST_SECONDS);
    }
  });

  test("samples what Node's os module gives when asked to", async () => {
    const { code, stdout } = await startNode(MONITOR, ['--source', 'os', '--seconds', '0.5']).ended;
    expect(code).toBe(0);
    expect(numberOf(stdout, 'records')).toBeGreaterThan(1);
    // The busiest rows: which CPUs they are depends on the machine.
    expect(stdout).toMatch(/cpu \d+:/);
    expect(stdout).toMatch(/^torn: 0$/m);
  });

  test.each([
    ['--nothing', 'Unknown option'],
    ['--seconds=never', 'expected a number above 0'],
    ['--source=elsewhere', "expected 'proc' or 'os'"],
  ])('refuses %s with the usage and exit code 1', async (option, message) => {
    const { code, stdout, stderr } = await startNode(MONITOR, [option]).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('Usage:');
  });
});

// The tests find the table process, and see it end, through /proc.
describe.skipIf(!HAS_PROC)('the end of the process monitor', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'comes with a report and exit code 0 on %s',
    async (signal) => {
      const monitor = startNode(MONITOR, ['--seconds', '1000']);
      const table = await monitor.descendant('table.ts');
      monitor.child.kill(signal);
      const { code, stdout, stderr } = await monitor.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^torn: 0$/m);
      await gone(table);
    },
  );

  test('takes the table process along when the monitor is killed', async () => {
    const { monitor, table } = await startRunning();
    monitor.child.kill('SIGKILL');
    const { signal } = await monitor.ended;
    expect(signal).toBe('SIGKILL');
    await gone(table);
  });

  test('comes with exit code 1 and a message when the table process is killed', async () => {
    const { monitor, table } = await startRunning();
    process.kill(table, 'SIGKILL');
    const { code, stderr } = await monitor.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('the table process ended with SIGKILL');
  });

  test('comes with exit code 1 and its error when the table process fails', async () => {
    const broken = "if (process.argv[1].endsWith('table.ts')) throw new Error('the table is broken');";
    const { code, stderr } = await startNode(MONITOR, ['--seconds', '1000'], preload(broken)).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('the table is broken');
  });

  test('comes with exit code 1 and its error when a worker fails', async () => {
    const broken = `
      import { isMainThread } from 'node:worker_threads';
      if (!isMainThread) throw new Error('the worker is broken');`;
    const monitor = startNode(MONITOR, ['--seconds', '1000'], preload(broken));
    const table = await monitor.descendant('table.ts');
    const { code, stderr } = await monitor.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('the worker is broken');
    await gone(table);
  });

  test('comes with exit code 1 and the count when snapshots do not match their checksum', async () => {
    const wrong = `
      import { syncBuiltinESMExports } from 'node:module';
      import { isMainThread } from 'node:worker_threads';
      import zlib from 'node:zlib';
      const { crc32 } = zlib;
      if (isMainThread) zlib.crc32 = (bytes) => (crc32(bytes) ^ 1) >>> 0;
      syncBuiltinESMExports();`;
    const { code, stdout, stderr } = await startNode(MONITOR, ['--seconds', '0.5'], preload(wrong)).ended;
    expect(code).toBe(1);
    expect(numberOf(stdout, 'torn')).toBeGreaterThan(0);
    expect(stderr).toContain('did not match their checksum');
  });

  test('leaves no name behind, because the memory never has one', async () => {
    const { monitor, table } = await startRunning();
    for (const pid of [monitor.pid, table]) {
      expect(memoriesOf(pid).size).toBe(STORES);
      expect(readFileSync(`/proc/${pid}/maps`, 'utf8')).not.toContain('/dev/shm/');
    }
    monitor.child.kill('SIGTERM');
    expect((await monitor.ended).code).toBe(0);
  });
});
