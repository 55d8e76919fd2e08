// What is left of an open whose held mutex a peer has overwritten. Mutexes with a memory of their own are those of Linux.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Bed } from '../support/bed.ts';

const script = fileURLToPath(new URL('./damaged-mutex-child.ts', import.meta.url));

test.each(['a record', 'the segment of a record', 'a record under a named mutex'])(
  'a close of %s that cannot give its mutex back says so once, and keeps nothing but the memory of the mutex',
  (what) => {
    const name = new Bed().name('damaged');
    const child = spawnSync(process.execPath, ['--conditions=@sharecord/source', script, what, name], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(child.stderr).toBe('');
    expect(child.signal).toBe(null);
    const said: unknown = JSON.parse(child.stdout);
    expect(said).toEqual({ codes: ['SEGMENT_OS', 'done'], left: [], descriptors: 0, mappings: 1, level: 2 });
  },
);
