import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { gone, HAS_PROC, hasCommand, NODE, Program } from './program.ts';

const ALTERNATE_ON = '\x1b[?1049h';
const ALTERNATE_OFF = '\x1b[?1049l';
const CURSOR_OFF = '\x1b[?25l';
const CURSOR_ON = '\x1b[?25h';
const FRAME_START = '\x1b[?2026h';
const FRAME_END = '\x1b[?2026l';

/** Runs the monitor under a pseudo-terminal of that size, between two looks at the terminal's modes; `next` runs before the second. */
function startInTerminal({ columns = 100, rows = 30, next = 'true' } = {}): Program {
  const script = [
    `stty cols ${columns} rows ${rows}`,
    'echo "modes $(stty -g)"',
    `"${NODE}" --conditions=@sharecord/source examples/process-monitor/monitor.ts`,
    'echo "exit $?"',
    next,
    'echo "modes $(stty -g)"',
  ];
  return new Program('script', ['-qec', script.join('; '), '/dev/null'], { TERM: 'xterm-256color' });
}

function modesOf(output: string): string[] {
  return [...output.matchAll(/^modes (\S+)/gm)].map(([, modes]) => modes!);
}

/** Fails unless the terminal's modes, screen and cursor are as they were. */
function expectTerminalRestored(output: string): void {
  const [before, after, ...more] = modesOf(output);
  expect(before).toMatch(/^[\da-f:]+$/);
  expect(after).toBe(before);
  expect(more).toEqual([]);
  expect(output.split(ALTERNATE_ON)).toHaveLength(2);
  expect(output.split(ALTERNATE_OFF)).toHaveLength(2);
  expect(output.indexOf(ALTERNATE_OFF)).toBeGreaterThan(output.indexOf(ALTERNATE_ON));
  expect(output.lastIndexOf(CURSOR_ON)).toBeGreaterThan(output.lastIndexOf(CURSOR_OFF));
}

// A pseudo-terminal is made by util-linux's `script`; another program of that name has no --version.
describe.skipIf(!HAS_PROC || !hasCommand('script'))('process monitor in a terminal', () => {
  test.each([
    ['q', 'q'],
    ['Ctrl-C', '\x03'],
  ])('is live until %s, then leaves the terminal as it was and prints its report', async (_name, key) => {
    const terminal = startInTerminal();
    await terminal.prints('reads/s');
    terminal.child.stdin!.write(key);
    const { stdout } = await terminal.ended;
    expect(stdout).toMatch(/^exit 0\r?$/m);
    expect(stdout.slice(stdout.indexOf(ALTERNATE_OFF))).toMatch(/^torn: 0\r?$/m);
    expectTerminalRestored(stdout);
  });

  test.each(['monitor.ts', 'table.ts'])(
    'leaves the terminal as it was when %s gets a SIGTERM',
    async (file) => {
      const terminal = startInTerminal();
      await terminal.prints('reads/s');
      process.kill(await terminal.descendant(file), 'SIGTERM');
      const { stdout } = await terminal.ended;
      expect(stdout).toMatch(/^exit 0\r?$/m);
      expectTerminalRestored(stdout);
    },
  );

  test('leaves the terminal as it was when the table process is killed', async () => {
    const terminal = startInTerminal();
    await terminal.prints('reads/s');
    process.kill(await terminal.descendant('table.ts'), 'SIGKILL');
    const { stdout } = await terminal.ended;
    expect(stdout).toMatch(/^exit 1\r?$/m);
    expectTerminalRestored(stdout);
    // The message is on the screen that the user comes back to.
    expect(stdout.slice(stdout.indexOf(ALTERNATE_OFF))).toContain('the table process ended with SIGKILL');
  });

  test('leaves the terminal as it was when the monitor itself is killed', async () => {
    const terminal = startInTerminal({ next: 'read line' });
    await terminal.prints('reads/s');
    const table = await terminal.descendant('table.ts');
    process.kill(await terminal.descendant('monitor.ts'), 'SIGKILL');
    // The table process outlives its parent by a moment and cleans up.
    await gone(table);
    terminal.child.stdin!.write('\n');
    const { stdout } = await terminal.ended;
    expect(stdout).toMatch(/^exit 137\r?$/m);
    expectTerminalRestored(stdout);
  });

  test.each([
    [40, 8],
    [12, 3],
  ])('draws no wider and no longer than a terminal of %i columns and %i rows', async (columns, rows) => {
    const terminal = startInTerminal({ columns, rows });
    await terminal.prints(FRAME_END);
    terminal.child.stdin!.write('q');
    const { stdout } = await terminal.ended;
    const frames = stdout
      .split(FRAME_START)
      .slice(1)
      .map((frame) => frame.slice(0, frame.indexOf(FRAME_END)));
    expect(frames.length).toBeGreaterThan(0);
    for (const frame of frames) {
      const lines = stripVTControlCharacters(frame).split(/\r*\n/);
      expect(lines).toHaveLength(rows);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    }
  });
});
