// Every call of the library into the system fails in its turn for want of descriptors, mappings, locks or memory.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compileNative } from '../support/native.ts';

const EINTR = 4;

interface Line {
  readonly operation: string;
  readonly call: string;
  readonly errno: number;
  readonly outcome: string;
  readonly left: boolean;
  readonly works: boolean;
  /** What was said names the segment. */
  readonly names: boolean;
}

function runChild(): Line[] {
  const child = spawnSync(
    process.execPath,
    ['--conditions=@sharecord/source', fileURLToPath(new URL('./failing-child.ts', import.meta.url))],
    {
      encoding: 'utf8',
      env: { ...process.env, LD_PRELOAD: compileNative('failing-calls.c', ['-shared', '-fPIC', '-ldl']) },
      timeout: 60_000,
    },
  );
  expect(child.stderr).toBe('');
  expect(child.status).toBe(0);
  return child.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}
const all = runChild();

test('a flush reaches the system: one that fails is told with its number, the next goes through', () => {
  expect(all.filter(({ call }) => call === 'msync')).toEqual(
    ['file', 'record in a file', 'store in a file', 'map in a file'].map((what) => {
      return { operation: `flush of a ${what}`, call: 'msync', outcome: 'SEGMENT_OS msync 5, done' };
    }),
  );
});

test('whichever call fails, opening says SEGMENT_LIMIT, leaves nothing open, and works afterwards', () => {
  const lines = all.filter(({ call }) => call !== 'msync');
  expect(lines.filter(({ left, works }) => left || !works)).toEqual([]);
  // Calls that Node makes for itself may fail unnoticed; of those of the library each is told.
  const told = lines.filter(({ outcome }) => outcome !== 'done');
  expect(told.filter(({ outcome }) => outcome !== 'SEGMENT_LIMIT')).toEqual([]);
  expect(told.filter(({ names }) => !names)).toEqual([]);
  for (const operation of new Set(lines.map((line) => line.operation))) {
    const calls = new Set(told.filter((line) => line.operation === operation).map(({ call }) => call));
    expect([...calls], operation).toEqual(expect.arrayContaining(['open', 'mmap']));
  }
  expect(new Set(told.map(({ call }) => call))).toEqual(
    new Set(['open', 'mmap', 'fcntl', 'posix_fallocate', 'memfd_create', 'linkat', 'fstat', 'fchmod']),
  );
  // What is there behind a handle can be opened in another way.
  const again = (line: Line): boolean => line.call === 'fstat' && line.operation === 'openStore for writing';
  expect(
    lines.filter(
      (line) => line.outcome === 'done' && line.call !== 'open' && !again(line) && line.errno !== EINTR,
    ),
  ).toEqual([]);
});

test('a call that a signal interrupted is made again', () => {
  const interrupted = all.filter(({ errno }) => errno === EINTR);
  expect(interrupted.map(({ operation }) => operation)).toContain('createStore');
  for (const { outcome } of interrupted) expect(outcome).toBe('done');
});
