// Memory without a name, end to end: from our maker to native programs and ours, and from a native maker to ours.
import { fstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRecord, createSegment, unguarded } from '../../src/index.ts';
import { Baton } from '../../examples/hand-over/baton.ts';
import { onWindows } from '../support/system.ts';
import { startExample, startProgram } from './line-peer.ts';
import { nativePeer } from './native-peer.ts';
import { NODE, ROOT } from './program.ts';

const NATIVE = nativePeer('hand-over', 'baton');
const RUNNER = join(ROOT, 'examples', 'hand-over', 'runner.ts');

test('our children and processes that run already count in turn, and go on when the maker has closed it', async () => {
  const maker = startExample('hand-over/maker.ts', []);
  const code = await maker.end();
  expect({ code, errors: maker.errors, lines: maker.lines }).toEqual({
    code: 0,
    errors: [],
    lines: [
      'made 65536 bytes without a name',
      'our child: hits 1',
      'our running process: hits 2',
      'the maker sees hits 2, the last by runner …',
      'our child: hits 3',
      'our running process: hits 4',
      expect.stringMatching(/^the maker, 4295037300 bytes into ….large\.bin: hits 1$/),
      'our running process: hits 2',
    ],
  });
});

test.skipIf(onWindows)(
  'our child lets go of what it inherited when it closes it (on Linux, where the system shows what a process has)',
  async () => {
    const segment = createSegment({ size: 65_536, inheritable: true });
    const other = createSegment({ size: 100 });
    try {
      // The end of a link in /proc/PID/fd, the same for all who have the memory.
      const { osHandle } = segment.handle as { osHandle: number };
      const { ino } = fstatSync(osHandle);
      const child = startProgram(process.execPath, ['--conditions=@sharecord/source', RUNNER], 'utf8', {
        HANDED_OVER: JSON.stringify(segment.handle),
      });
      const held = (): string[] => [
        ...readdirSync(`/proc/${child.pid}/fd`).filter((fd) => {
          const found = statSync(`/proc/${child.pid}/fd/${fd}`, { throwIfNoEntry: false });
          return found?.ino === ino && found.dev === fstatSync(osHandle).dev;
        }),
        ...readFileSync(`/proc/${child.pid}/maps`, 'latin1')
          .split('\n')
          .filter((line) => line.includes('memfd:') && line.includes(` ${ino} `)),
      ];
      await child.prints('hits 1');
      expect(held().length).toBeGreaterThan(0);
      child.type(JSON.stringify({ source: other.handle }));
      await child.until((lines) => lines.length === 2);
      expect(held()).toEqual([]);
      expect(await child.end()).toBe(0);
    } finally {
      segment.close();
      other.close();
    }
  },
);

describe.skipIf(NATIVE === undefined)('with a native program (left out where none was compiled)', () => {
  const native = NATIVE as string;

  test('it counts as a child, as a process that runs already, and beyond 4 GiB', async () => {
    const maker = startExample('hand-over/maker.ts', [native]);
    const code = await maker.end();
    expect({ code, errors: maker.errors, lines: maker.lines }).toEqual({
      code: 0,
      errors: [],
      lines: [
        'made 65536 bytes without a name',
        'our child: hits 1',
        'native child: hits 2',
        'our running process: hits 3',
        'native running process: hits 4',
        'the maker sees hits 4, the last by native process …',
        'our child: hits 5',
        'native child: hits 6',
        'our running process: hits 7',
        'native running process: hits 8',
        expect.stringMatching(/^the maker, 4295037300 bytes into ….large\.bin: hits 1$/),
        'our running process: hits 2',
        'native running process: hits 3',
      ],
    });
  });

  test('a native parent makes it, our child inherits it, and the parent sees what it wrote', async () => {
    const parent = startProgram(native, ['parent', NODE, '--conditions=@sharecord/source', RUNNER]);
    const code = await parent.end();
    expect({ code, errors: parent.errors, lines: parent.lines }).toEqual({
      code: 0,
      errors: [],
      lines: ['hits 1', 'hits 2', expect.stringMatching(/^hits 2, the last by runner \d+$/)],
    });
  });

  test('it keeps the memory that it inherited when its maker is gone', async () => {
    const segment = createSegment({ size: 100, inheritable: true });
    const { osHandle } = segment.handle as { osHandle: number };
    const baton = createRecord(segment, Baton, { guard: unguarded() });
    baton.write({ hits: 41, note: 'here' });
    const child = startProgram(native, ['child', String(osHandle)]);
    await child.prints('hits 42');
    expect(baton.read()).toEqual({ hits: 42, note: expect.stringMatching(/^native child \d+$/) });
    baton.close();
    segment.close();
    child.type('again');
    await child.prints('hits 43');
    expect(await child.end()).toBe(0);
  });

  test('the number of a segment that is not inheritable means nothing in a child', async () => {
    const segment = createSegment({ size: 100 });
    const { osHandle } = segment.handle as { osHandle: number };
    const child = startProgram(native, ['child', String(osHandle)]);
    expect(await child.end()).toBe(1);
    expect(child.errors.join()).toMatch(onWindows ? /MapViewOfFile: error 6/ : /mmap: Bad file descriptor/);
    segment.close();
  });
});
