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
    expect(child.stdout).toBe('SEGMENT_LIMIT SEGMENT_LIMIT 7 0\n');
    expect(child.status).toBe(0);
  },
);

test('descriptors that run out are SEGMENT_LIMIT, and what is open stays usable', () => {
  const child = spawnSync(
    'sh',
    ['-c', `ulimit -n 64 && '${process.execPath}' --conditions=@sharecord/source '${script}' descriptors`],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  expect(child.stderr).toBe('');
  expect(child.stdout).toBe('SEGMENT_LIMIT 7\n');
  expect(child.status).toBe(0);
});
