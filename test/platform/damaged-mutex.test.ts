// What is left of an open whose held mutex a peer has overwritten. Mutexes with a memory of their own are those of Linux.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openSegment } from '../../src/index.ts';
import { Bed } from '../support/bed.ts';
import { track } from '../support/track.ts';

const script = fileURLToPath(new URL('./damaged-mutex-child.ts', import.meta.url));

const runChild = (what: string) => {
  const name = new Bed().name('damaged');
  const args = ['--conditions=@sharecord/source', script, what, name];
  return { name, child: spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 }) };
};

test.each(['a record', 'the segment of a record', 'a record under a named mutex'])(
  'a close of %s that cannot give its mutex back says so once, and keeps nothing but the memory of the mutex',
  (what) => {
    const { child } = runChild(what);
    expect(child.stderr).toBe('');
    expect(child.signal).toBe(null);
    const said: unknown = JSON.parse(child.stdout);
    expect(said).toEqual({ codes: ['SEGMENT_OS', 'done'], left: [], descriptors: 0, mappings: 1, level: 2 });
  },
);

test('a peer that overwrites the links of a held mutex ends its owner: the C library follows them (docs/guarantees.md)', () => {
  const { name, child } = runChild('the links alone');
  for (const left of [name, `${name}-mutex`, `${name}-other`])
    track(openSegment(left, { access: 'read-write' })).unlink();
  expect(child.signal).toBe('SIGSEGV');
});
