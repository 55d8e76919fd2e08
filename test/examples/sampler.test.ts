import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OsSampler } from '../../examples/process-monitor/os-sampler.ts';
import { parseCommandLine, parseStat, ProcSampler } from '../../examples/process-monitor/proc-sampler.ts';
import { Rate } from '../../examples/process-monitor/rate.ts';
import { gone, HAS_PROC, makeFolder } from './program.ts';

// Fields 3 to 24 of proc_pid_stat(5): each is its own number, but for the state.
const REST = `S ${Array.from({ length: 21 }, (_, index) => index + 4).join(' ')}`;

describe('parseStat', () => {
  test.each(['node', 'Web Content', '(sd-pam)', ') R 1 (', ':-) :-(', 'two\nlines', ''])(
    'reads the fields behind the name %j',
    (name) => {
      expect(parseStat(`17 (${name}) ${REST}\n`)).toEqual({
        name,
        state: 'S',
        parent: 4,
        cpuTicks: 14 + 15,
        threads: 20,
        startTicks: 22,
        residentPages: 24,
      });
    },
  );
});

describe('parseCommandLine', () => {
  test.each([
    ['/usr/bin/node\0--flag\0/a/b.ts\0', 'node --flag /a/b.ts'],
    ['sleep\0today\0', 'sleep today'],
    ['sshd: root@pts/0\0\0\0', 'sshd: root@pts/0'],
    ['', '[kworker/0:1]'],
  ])('makes of %j the command %j', (text, command) => {
    expect(parseCommandLine(text, 'kworker/0:1')).toBe(command);
  });
});

describe('Rate', () => {
  test('gives the growth per second over its window', () => {
    const rate = new Rate(1000);
    expect(rate.next(0, 100)).toBe(0);
    expect(rate.next(500, 105)).toBe(10);
    expect(rate.next(1000, 120)).toBe(20);
    // From 500 ms on: what came before has left the window.
    expect(rate.next(1500, 120)).toBe(15);
    expect(rate.next(9000, 120)).toBe(0);
  });
});

// Without /proc there is nothing to sample it from.
describe.skipIf(!HAS_PROC)('ProcSampler', () => {
  test('finds this process, as Node itself describes it', () => {
    const own = new ProcSampler().take().find(({ pid }) => pid === process.pid);
    const { user, system } = process.cpuUsage();
    const rss = process.memoryUsage.rss();
    expect(own).toMatchObject({ parent: process.ppid, state: 'R'.charCodeAt(0) });
    expect(own!.cpuSeconds).toBeGreaterThan(0);
    // The kernel counts in ticks of 10 ms, and user and system time apart.
    expect(own!.cpuSeconds).toBeLessThanOrEqual((user + system) / 1e6 + 0.02);
    expect(own!.threads).toBeGreaterThan(1);
    expect(Number(own!.residentBytes)).toBeGreaterThan(rss / 2);
    expect(Number(own!.residentBytes)).toBeLessThan(rss * 2);
    expect(own!.startTime.getTime()).toBeLessThanOrEqual(Date.now());
  });

  test('finds a process with parentheses and spaces in its name for as long as it lives', async () => {
    const program = join(makeFolder(), ') R 1 (x');
    copyFileSync(process.execPath, program);
    const child = spawn(program, ['-e', 'console.log("up"); setInterval(() => {}, 1000)', '\x1b[31m']);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const sampler = new ProcSampler();
    const find = () => sampler.take().find(({ pid }) => pid === child.pid);
    expect(find()).toMatchObject({ parent: process.pid, command: expect.stringContaining('setInterval') });
    child.kill('SIGKILL');
    await gone(child.pid!);
    await once(child, 'exit');
    expect(find()).toBeUndefined();
  });

  test('measures the share of a CPU that a process takes', async () => {
    const sampler = new ProcSampler();
    const ownPercent = () => sampler.take().find(({ pid }) => pid === process.pid)!.cpuPercent;
    const look = () => {
      const { user, system } = process.cpuUsage();
      return { usedMs: (user + system) / 1000, atMs: performance.now() };
    };
    // Each sample lies between two looks at the clocks.
    const first = look();
    expect(ownPercent()).toBe(0);
    const start = look();
    while (look().usedMs < start.usedMs + 300);
    const end = look();
    const percent = ownPercent();
    const last = look();
    // Ticks of 10 ms, and user and system time apart.
    const toleranceMs = 40;
    const least = (end.usedMs - start.usedMs - toleranceMs) / (last.atMs - first.atMs);
    const most = (last.usedMs - first.usedMs + toleranceMs) / (end.atMs - start.atMs);
    expect(percent).toBeGreaterThan(100 * least);
    expect(percent).toBeLessThan(100 * most);
  });
});

describe('OsSampler', () => {
  test('gives this process and one row for each CPU', () => {
    const [own, ...cpus] = new OsSampler().take();
    expect(own).toMatchObject({ pid: process.pid, parent: process.ppid });
    expect(Number(own!.residentBytes)).toBeGreaterThan(0);
    expect(cpus.length).toBeGreaterThanOrEqual(availableParallelism());
    for (const cpu of cpus) expect(cpu.pid).toBeLessThan(0);
  });
});
