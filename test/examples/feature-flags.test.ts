import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startNode } from './program.ts';

test('feature flags: each server is told of each flag that changes, and ends with the operator', async () => {
  const name = `sharecord-test-flags-${randomBytes(6).toString('hex')}`;
  const { code, stdout, stderr } = await startNode('feature-flags/operator.ts', [name]).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const server of ['a', 'b']) {
    const lines = stdout.split('\n').filter((line) => line.startsWith(`${server}: `));
    expect(lines[0]).toMatch(/^.: dark-mode, new-search; dark mode for (10|50) of 100$/);
    // States in between may be skipped on a busy machine, the last of a key never.
    expect(lines).toContain(`${server}: dark-mode is gone`);
    expect(lines).toContain(`${server}: dark mode for 0 of 100`);
    expect(lines).toContain(`${server}: shutdown at 100 percent`);
    expect(lines.at(-1)).toBe(`${server}: new search for 100 of 100`);
  }
  expect(existsSync(`/dev/shm/${name}`)).toBe(false);
});
