// What happens when the system has no room: in a mount namespace of its own with a small /dev/shm (needs root and unshare).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('./full-child.ts', import.meta.url));
const inNamespace = (command: string): ReturnType<typeof spawnSync> =>
  spawnSync('unshare', ['--mount', 'sh', '-c', `mount -t tmpfs -o size=256k tmpfs /dev/shm && ${command}`], {
    encoding: 'utf8',
    timeout: 60_000,
  });
const allowed = inNamespace('true').status === 0;

test.skipIf(!allowed)(
  'a full /dev/shm is SEGMENT_LIMIT and stays usable (skipped where unshare and mount are not allowed)',
  () => {
    const child = inNamespace(`'${process.execPath}' --conditions=@sharecord/source '${script}'`);
    expect(child.stderr).toBe('');
    expect(child.stdout).toBe('SEGMENT_LIMIT SEGMENT_LIMIT SEGMENT_LIMIT 7 0\n');
    expect(child.status).toBe(0);
  },
);

/** Runs the child with a limit of the shell. */
const limited = (limit: string, role: string): ReturnType<typeof spawnSync> =>
  spawnSync(
    'sh',
    ['-c', `${limit}; '${process.execPath}' --conditions=@sharecord/source '${script}' ${role}`],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  );

test.each([
  ['descriptors', 'ulimit -n 64', 'SEGMENT_LIMIT 7\n'],
  ['mappings', 'true', 'SEGMENT_LIMIT 7\n'],
  // 256 writers, then none, until one leaves; of a named store and of one of backing `process`.
  ['participants', 'true', 'SEGMENT_LIMIT 256 7 9\nSEGMENT_LIMIT 256 7 9\n'],
])('%s that run out are SEGMENT_LIMIT, and what is open stays usable', (role, limit, expected) => {
  const child = limited(limit, role);
  expect(child.stderr).toBe('');
  expect(child.stdout).toBe(expected);
  expect(child.status).toBe(0);
});
