// Segments and stores whose memory is a file of the user: what it holds, when it goes, and what is refused.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  createRecord,
  createSegment,
  createStore,
  joinSegment,
  joinStore,
  openRecord,
  openSegment,
  openStore,
  struct,
  u32,
  u64,
  unguarded,
  utf8,
  waitForStore,
} from '../../src/index.ts';
import { onWindows } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';

const Job = struct('Job', { id: u32, title: utf8(16), runs: u64 });
const child = new URL('./lifetime-child.ts', import.meta.url);
const joiner = fileURLToPath(new URL('./joiner-child.ts', import.meta.url));
// The real path, since that is what handles tell.
const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'sharecord-test-files-')));
let serial = 0;
const newFile = (): string => join(folder, `${serial++}.bin`);
const open: { close(): void }[] = [];
const children: ChildProcess[] = [];
const track = <T extends { close(): void }>(each: T): T => {
  open.push(each);
  return each;
};
afterEach(() => {
  for (const each of open.splice(0)) each.close();
  for (const each of children.splice(0)) each.kill('SIGKILL');
  for (const each of fs.readdirSync(folder)) fs.rmSync(join(folder, each), { recursive: true });
});
afterAll(() => fs.rmdirSync(folder));

async function start(role: 'create' | 'join' | 'read', file: string): Promise<ChildProcess> {
  const source = JSON.stringify({ file });
  const started = fork(child, [role, source], { execArgv: ['--conditions=@sharecord/source'] });
  children.push(started);
  await once(started, 'message');
  return started;
}
async function end(each: ChildProcess, signal: 'SIGKILL' | 'close'): Promise<void> {
  const exit = once(each, 'exit');
  if (signal === 'close') each.send('close');
  else each.kill(signal);
  await exit;
}

describe('a segment in a file', () => {
  test('is a file of exactly that many zeros, and goes with its last user', () => {
    const file = newFile();
    const segment = track(createSegment({ file, size: 10_001 }));
    expect(segment).toMatchObject({ size: 10_001, backing: 'file', name: undefined, created: true });
    expect(segment.handle).toMatchObject({ backing: 'file', file, size: 10_001 });
    expect(fs.readFileSync(file)).toEqual(Buffer.alloc(10_001));
    const joined = track(joinSegment({ file, size: 5000 }));
    expect([joined.created, joined.size]).toEqual([false, 10_001]);
    new Uint8Array(joined.buffer)[10_000] = 7;
    expect(new Uint8Array(segment.buffer)[10_000]).toBe(7);
    segment.close();
    expect(fs.existsSync(file)).toBe(true);
    joined.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('flush brings the changes of a read-write mapping into the file', () => {
    const file = newFile();
    const segment = track(createSegment({ file, size: 5000, lifetime: 'until-unlink' }));
    new Uint8Array(segment.buffer).fill(9);
    segment.flush();
    segment.close();
    expect(fs.readFileSync(file)).toEqual(Buffer.alloc(5000, 9));
    for (const access of ['read', 'copy-on-write', 'read-write'] as const) {
      const again = track(openSegment({ file }, { access }));
      expect([again.size, new Uint8Array(again.buffer)[4999]]).toEqual([5000, 9]);
      again.flush();
    }
  });

  test("with lifetime 'until-unlink' it stays until unlink(), which frees the path while others have it", () => {
    const file = newFile();
    track(createSegment({ file, size: 8, lifetime: 'until-unlink' })).close();
    expect(fs.existsSync(file)).toBe(true);
    const segment = track(openSegment({ file }, { access: 'read-write' }));
    const reader = track(openSegment(segment.handle));
    segment.unlink();
    expect(fs.existsSync(file)).toBe(false);
    new Uint8Array(segment.buffer)[0] = 3;
    expect(new Uint8Array(reader.buffer)[0]).toBe(3);
    const next = track(createSegment({ file, size: 8 }));
    expect(new Uint8Array(next.buffer)[0]).toBe(0);
    segment.unlink();
    expect(fs.existsSync(file)).toBe(true);
    segment.close();
    reader.close();
    next.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('a file that was there is taken as it is, never made longer, and kept', () => {
    const file = newFile();
    fs.writeFileSync(file, 'whose?');
    expect(() => createSegment({ file, size: 6 })).toThrow(
      expect.objectContaining(
        onWindows
          ? { code: 'SEGMENT_EXISTS', syscall: 'MoveFileExW', osCode: 183, segment: file }
          : { code: 'SEGMENT_EXISTS', syscall: 'linkat', osCode: 17, segment: file },
      ),
    );
    expect(() => joinSegment({ file, size: 7 })).toThrow(withCode('SEGMENT_TOO_SMALL'));
    const joined = track(joinSegment({ file, size: 6 }));
    expect([joined.created, Buffer.from(joined.buffer).toString()]).toEqual([false, 'whose?']);
    const second = track(joinSegment({ file, size: 1 }));
    joined.close();
    second.close();
    expect(fs.readFileSync(file, 'latin1')).toBe('whose?');
    expect(fs.readdirSync(folder)).toHaveLength(1);
  });

  test('an empty file is SEGMENT_TOO_SMALL, a folder SEGMENT_FOREIGN, nothing SEGMENT_NOT_FOUND', () => {
    const file = newFile();
    const at = (path: string) => ({ file: path });
    fs.writeFileSync(file, '');
    expect(() => openSegment(at(file))).toThrow(withCode('SEGMENT_TOO_SMALL'));
    expect(() => joinSegment({ file, size: 1 })).toThrow(withCode('SEGMENT_TOO_SMALL'));
    for (const access of ['read', 'read-write'] as const) {
      expect(() => openSegment(at(folder), { access })).toThrow(withCode('SEGMENT_FOREIGN'));
      expect(() => openSegment(at(newFile()), { access })).toThrow(withCode('SEGMENT_NOT_FOUND'));
    }
    expect(() => createSegment({ file: folder, size: 1 })).toThrow(withCode('SEGMENT_EXISTS'));
    expect(() => createSegment({ file: join(folder, 'no', 'x'), size: 1 })).toThrow(
      withCode('SEGMENT_NOT_FOUND'),
    );
    expect(() => openSegment(at(join(folder, 'no', 'x')))).toThrow(withCode('SEGMENT_NOT_FOUND'));
    expect(fs.readdirSync(folder)).toHaveLength(1);
  });

  test('a file that no disk has room for is SEGMENT_LIMIT, and nothing of it is left', () => {
    const file = newFile();
    expect(() => createSegment({ file, size: 2 ** 52 })).toThrow(withCode('SEGMENT_LIMIT'));
    expect(() => joinSegment({ file, size: 2 ** 52 })).toThrow(withCode('SEGMENT_LIMIT'));
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('options that contradict each other are refused before anything is made', () => {
    const file = newFile();
    const bad: [object, string][] = [
      [{ backing: 'file', size: 1 }, 'VALUE_TYPE'],
      [{ backing: 'named', file, name: 'x', size: 1 }, 'VALUE_RANGE'],
      [{ backing: 'file', file, name: 'x', size: 1 }, 'VALUE_RANGE'],
      [{ file, name: 'x', size: 1 }, 'VALUE_RANGE'],
      [{ backing: 'anonymous', file, size: 1 }, 'VALUE_RANGE'],
      [{ file: '', size: 1 }, 'SEGMENT_NAME'],
      [{ file: 'a\0b', size: 1 }, 'SEGMENT_NAME'],
      [{ file: 5, size: 1 }, 'SEGMENT_NAME'],
      [{ file, size: 0 }, 'VALUE_RANGE'],
      [{ file, size: 1, inheritable: 'yes' }, 'VALUE_TYPE'],
      [{ backing: 'process', size: 1, inheritable: true }, 'VALUE_RANGE'],
    ];
    for (const [options, expected] of bad)
      expect(() => createSegment(options as { size: number }), JSON.stringify(options)).toThrow(
        withCode(expected),
      );
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('a path may be long, and its last part as long as the system lets it be', () => {
    const deep = join(folder, 'd'.repeat(120), 'e'.repeat(120));
    fs.mkdirSync(deep, { recursive: true });
    const file = join(deep, 'f'.repeat(onWindows ? 240 : 255));
    const segment = track(createSegment({ file, size: 8 }));
    expect(track(joinSegment({ file, size: 8 })).created).toBe(false);
    expect(track(openSegment({ file })).size).toBe(8);
    segment.unlink();
    for (const each of open.splice(0)) each.close();
    expect(fs.readdirSync(deep)).toEqual([]);
    expect(() => createSegment({ file: join(folder, 'f'.repeat(300)), size: 8 })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^SEGMENT_(NAME|NOT_FOUND)$/) }),
    );
  });

  test.skipIf(onWindows)(
    'is for its owner alone, or for whom `mode` names (Windows: securityDescriptor)',
    () => {
      const [narrow, wide] = [newFile(), newFile()];
      track(createSegment({ file: narrow, size: 8 }));
      track(createSegment({ file: wide, size: 8, mode: 0o666 }));
      expect([narrow, wide].map((file) => fs.statSync(file).mode & 0o777)).toEqual([0o600, 0o666]);
    },
  );

  test('a relative path means the folder of that moment, in handles too', () => {
    const file = newFile();
    const segment = track(createSegment({ file: relative(process.cwd(), file), size: 8 }));
    expect(segment.handle).toMatchObject({ file });
    expect(track(openSegment(segment.handle)).size).toBe(8);
  });

  test('a handle of a file that another one replaced is SEGMENT_NOT_FOUND, or still opens the one it means', () => {
    const file = newFile();
    const old = track(createSegment({ file, size: 8 }));
    const { handle } = old;
    old.unlink();
    track(createSegment({ file, size: 16 }));
    if (onWindows) expect(() => openSegment(handle)).toThrow(withCode('SEGMENT_NOT_FOUND'));
    else expect(track(openSegment(handle)).size).toBe(8);
    old.close();
    expect(() => openSegment(handle)).toThrow(withCode('SEGMENT_NOT_FOUND'));
  });

  // Windows: a user without the right to make symbolic links cannot make the one of this test.
  test.skipIf(onWindows)('a symbolic link on the way is followed to its file', () => {
    const file = newFile();
    const link = newFile();
    fs.writeFileSync(file, 'linked');
    fs.symlinkSync(file, link);
    const segment = track(openSegment({ file: link }));
    expect(Buffer.from(segment.buffer).toString()).toBe('linked');
    expect(segment.handle).toMatchObject({ file });
    expect(() => createSegment({ file: link, size: 1 })).toThrow(withCode('SEGMENT_EXISTS'));
  });

  test('holds a record of another program, at an offset', () => {
    const file = newFile();
    fs.writeFileSync(file, Buffer.alloc(100, 0xee));
    const source = { file };
    const options = { guard: unguarded(), access: 'read-write', offset: 8 } as const;
    const record = track(openRecord(source, Job, options));
    record.write({ id: 1, title: 'one', runs: 2n });
    record.segment.flush();
    record.close();
    const content = fs.readFileSync(file);
    expect(Job.decode(content, 8)).toEqual({ id: 1, title: 'one', runs: 2n });
    expect([content[7], content[8 + Job.size]]).toEqual([0xee, 0xee]);
  });
});

describe('a store in a file', () => {
  const plan = () => ({ file: newFile(), layout: Job, capacity: 2 });
  const at = (file: string) => ({ file }) as const;

  test('crosses to another process by its path or handle, and goes with its last writer', async () => {
    const options = plan();
    const store = track(createStore(options));
    expect(store.segment.backing).toBe('file');
    expect(() => createStore(options)).toThrow(withCode('SEGMENT_EXISTS'));
    const reader = track(openStore(at(options.file), Job));
    const writer = await start('join', options.file);
    expect(reader.read(0)).toEqual({ id: 7, title: 'child', runs: 1n });
    store.close();
    expect(fs.existsSync(options.file)).toBe(true);
    expect(reader.read(0).id).toBe(7);
    await end(writer, 'close');
    expect(fs.existsSync(options.file)).toBe(false);
    expect(reader.read(0).id).toBe(7);
    expect(reader.orphaned).toBe(false);
    const next = track(createStore(options));
    expect(next.read(0).id).toBe(0);
    expect(reader.orphaned).toBe(true);
    next.close();
    reader.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test("with lifetime 'until-unlink' it is there again for the next process, with all it held", async () => {
    const options = { ...plan(), lifetime: 'until-unlink' } as const;
    const store = track(createStore(options));
    store.write(0, { id: 1, title: 'kept', runs: 5n });
    store.write(0, { id: 2, title: 'kept too', runs: 6n });
    store.segment.flush();
    store.close();
    expect(fs.readFileSync(options.file).subarray(0, 8).toString()).toBe('SHARECRD');
    const again = track(joinStore(options));
    expect([again.created, again.generation(0), again.read(0).title]).toEqual([false, 2, 'kept too']);
    again.close();
    expect(track(openStore(at(options.file), Job)).read(0).runs).toBe(6n);
    const last = track(openStore(at(options.file), Job, { access: 'read-write' }));
    last.segment.unlink();
    expect(fs.existsSync(options.file)).toBe(false);
  });

  test('what a killed writer left is joined with what it wrote, or replaced by a create', async () => {
    const options = plan();
    await end(await start('join', options.file), 'SIGKILL');
    expect(fs.existsSync(options.file)).toBe(true);
    const joined = track(joinStore(options));
    expect([joined.created, joined.read(0).title]).toEqual([false, 'child']);
    const writer = await start('join', options.file);
    joined.close();
    const reader = track(openStore(at(options.file), Job));
    expect(reader.read(0).runs).toBe(2n);
    expect(() => createStore(options)).toThrow(withCode('SEGMENT_EXISTS'));
    await end(writer, 'SIGKILL');
    const store = track(createStore(options));
    expect([store.created, store.read(0).id]).toEqual([true, 0]);
    expect(reader.read(0).runs).toBe(2n);
    expect(reader.orphaned).toBe(true);
  });

  test('a watch in another open of the file is woken by a write', async () => {
    const options = plan();
    const store = track(createStore(options));
    const reader = track(openStore(at(options.file), Job));
    const watch = reader.watch(0);
    for (let id = 1; id <= 20; id++) {
      const next = watch.next();
      await new Promise(setImmediate);
      store.write(0, { id, title: 'woken', runs: 0n });
      expect((await next).value).toMatchObject({ generation: id, record: { id } });
    }
    await watch.return?.();
  });

  test('comes and goes under four processes that join and leave it without a pause, and nothing is left', async () => {
    const { file } = plan();
    const rounds = onWindows ? 60 : 200;
    const joiners = Array.from({ length: 4 }, (_, i) => {
      const args = ['--conditions=@sharecord/source', joiner, file, String(i), String(rounds)];
      const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(started);
      return started;
    });
    const said = await Promise.all(
      joiners.map(async (each) => {
        let text = '';
        each.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        await once(each, 'close');
        return JSON.parse(text) as { made: number; wrong: number };
      }),
    );
    expect(said.map(({ wrong }) => wrong)).toEqual([0, 0, 0, 0]);
    expect(said.reduce((sum, { made }) => sum + made, 0)).toBeGreaterThanOrEqual(2);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('a file that is none of ours is SEGMENT_FOREIGN, and stays byte for byte', () => {
    for (const content of [Buffer.alloc(10), Buffer.alloc(20_000, 0x78)]) {
      const options = plan();
      fs.writeFileSync(options.file, content);
      expect(() => openStore(at(options.file), Job)).toThrow(withCode('SEGMENT_FOREIGN'));
      expect(() => joinStore(options)).toThrow(withCode('SEGMENT_FOREIGN'));
      expect(() => createStore(options)).toThrow(withCode('SEGMENT_EXISTS'));
      expect(fs.readFileSync(options.file)).toEqual(content);
    }
  });

  test('waitForStore and createRecord take files too', async () => {
    const options = plan();
    setTimeout(() => track(createStore(options)), 20);
    expect(track(await waitForStore(at(options.file), Job)).capacity).toBe(2);
    const file = newFile();
    const segment = track(createSegment({ file, size: 100 }));
    const record = track(createRecord(segment, Job, { guard: unguarded() }));
    record.write({ id: 9, title: 'nine', runs: 0n });
    expect(track(openRecord(segment.handle, Job, { guard: unguarded() })).read().id).toBe(9);
  });
});
