// Files of memory that lack pages: who touches one when no memory is left is ended by the kernel. Linux only.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createMap,
  createStore,
  joinMap,
  joinStore,
  openMap,
  openSegment,
  openStore,
  struct,
  u32,
  utf8,
} from '../../src/index.ts';

const script = fileURLToPath(new URL('./holes-child.ts', import.meta.url));
const Row = struct('Row', { id: u32 });
const rows = { layout: Row, capacity: 1000 };
const entries = { ...rows, key: utf8(8) };
const TMPFS = 0x0102_1994;
const code = (expected: string, message = '') =>
  expect.objectContaining({ code: expected, message: expect.stringContaining(message) });
let serial = 0;

/** Gives the path of a copy of a segment's file whose zeros are holes, in a folder for segments or for other files. */
function copyWithHoles(make: (file: string) => { close(): void }, folder = '/dev/shm'): string {
  const path = join(folder, `sharecord-test-holes-${process.pid}-${serial++}`);
  onTestFinished(() => fs.rmSync(path, { force: true }));
  const whole = `${path}-whole`;
  const segment = make(whole);
  const { size } = fs.statSync(whole);
  const head = fs.readFileSync(whole).subarray(0, 4096);
  segment.close();
  fs.writeFileSync(path, head);
  fs.truncateSync(path, size);
  return path;
}
const nameOf = (path: string): string => path.slice('/dev/shm/'.length);

describe('a file of memory with holes', () => {
  test('is no store: opening and joining are SEGMENT_FORMAT, creating SEGMENT_EXISTS', () => {
    const path = copyWithHoles((file) => createStore({ file, ...rows }));
    const name = nameOf(path);
    for (const access of ['read', 'read-write'] as const) {
      expect(() => openStore(name, Row, { access })).toThrow(code('SEGMENT_FORMAT', 'holes'));
      expect(() => openStore({ file: path }, Row, { access })).toThrow(code('SEGMENT_FORMAT', 'holes'));
    }
    expect(() => joinStore({ name, ...rows })).toThrow(code('SEGMENT_FORMAT', 'holes'));
    expect(() => createStore({ name, ...rows })).toThrow(code('SEGMENT_EXISTS'));
    // What it holds is still there for who wants to look.
    const raw = openSegment(name);
    onTestFinished(() => raw.close());
    expect(() => openStore(raw.handle, Row)).toThrow(code('SEGMENT_FORMAT', 'holes'));
    expect(fs.existsSync(path)).toBe(true);
  });

  test('is a store again once its memory is allocated, as docs/errors.md says', () => {
    const path = copyWithHoles((file) => createStore({ file, ...rows }));
    execFileSync('fallocate', ['--length', String(fs.statSync(path).size), path]);
    const store = openStore(nameOf(path), Row);
    onTestFinished(() => store.close());
    expect(store.read(999)).toEqual({ id: 0 });
  });

  test('is no map', () => {
    const name = nameOf(copyWithHoles((file) => createMap({ file, ...entries })));
    expect(() => openMap(name, entries)).toThrow(code('SEGMENT_FORMAT', 'holes'));
    expect(() => joinMap({ name, ...entries })).toThrow(code('SEGMENT_FORMAT', 'holes'));
  });

  test('that another program made is SEGMENT_FOREIGN, as without holes', () => {
    const path = `/dev/shm/sharecord-test-holes-${process.pid}-${serial++}`;
    onTestFinished(() => fs.rmSync(path));
    fs.writeFileSync(path, '');
    fs.truncateSync(path, 1 << 20);
    expect(() => openStore(nameOf(path), Row)).toThrow(code('SEGMENT_FOREIGN'));
    expect(() => joinStore({ name: nameOf(path), ...rows })).toThrow(code('SEGMENT_FOREIGN'));
    expect(() => createStore({ name: nameOf(path), ...rows })).toThrow(code('SEGMENT_EXISTS'));
  });

  test('is a store on a disk, where holes read as zeros', (context) => {
    context.skip(fs.statfsSync(tmpdir()).type === TMPFS, 'the folder for temporary files is memory');
    const file = copyWithHoles((whole) => createStore({ file: whole, ...rows }), tmpdir());
    expect(fs.statSync(file).blocks * 512).toBeLessThan(fs.statSync(file).size);
    const store = openStore({ file }, Row);
    onTestFinished(() => store.close());
    expect(store.read(999)).toEqual({ id: 0 });
  });
});

/** Runs the child where memory for files is 4 MiB. */
const inNamespace = (command: string): ReturnType<typeof spawnSync> =>
  spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', `mount -t tmpfs -o size=4m tmpfs /dev/shm && exec ${command}`],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
const allowed = inNamespace('true').status === 0;
const read = (role: string): ReturnType<typeof spawnSync> =>
  inNamespace(`'${process.execPath}' --conditions=@sharecord/source '${script}' ${role}`);

describe.skipIf(!allowed)('where memory is full (left out where unshare and mount are not allowed)', () => {
  test('a reader of a store with holes gets an error', () => {
    expect(read('store')).toMatchObject({ status: 0, stdout: 'SEGMENT_FORMAT\n' });
  });

  test('a reader of a raw segment with holes is ended by the kernel, which is not promised otherwise', () => {
    expect(read('raw')).toMatchObject({ status: null, signal: 'SIGBUS', stdout: 'opened\n' });
  });
});
