// What a mapping may be used for, windows beyond 4 GiB, memory that is handed over without a name, names that mean something
// else, and that everything is given back: one suite for every system.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createRecord,
  createSegment,
  createStore,
  type ForeignHandle,
  type Handle,
  joinRecord,
  joinSegment,
  joinStore,
  openRecord,
  openSegment,
  openStore,
  type Segment,
  seqlock,
  struct,
  u32,
  unguarded,
} from '../../src/index.ts';
import { countHeld, heldMore, isNamed, onWindows, pathOf, wholeSize } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';

const Pair = struct('Pair', { sequence: u32, value: u32 });
const child = fileURLToPath(new URL('./hand-over-child.ts', import.meta.url));
let serial = 0;
const uniqueName = (): string => `sharecord-test-modes-${process.pid}-${serial++}`;
const open: { close(): void }[] = [];
const children: ChildProcess[] = [];
const folders: string[] = [];
const track = <T extends { close(): void }>(each: T): T => {
  open.push(each);
  return each;
};
const newFile = (): string => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'sharecord-test-modes-'));
  folders.push(folder);
  return join(folder, 'data.bin');
};
afterEach(async () => {
  for (const each of open.splice(0)) each.close();
  for (const each of children.splice(0)) {
    if (each.exitCode !== null || each.signalCode !== null) continue;
    each.kill('SIGKILL');
    await once(each, 'exit');
  }
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true });
});

const places = [
  { backing: 'named', place: () => ({ name: uniqueName() }) },
  { backing: 'file', place: () => ({ file: newFile() }) },
  { backing: 'anonymous', place: () => ({}) },
] as const;
// A SharedArrayBuffer has no copy-on-write view, and no number to inherit.
const allPlaces = [
  ...places,
  { backing: 'process', place: () => ({ backing: 'process' as const }) },
] as const;

describe.each(allPlaces)('a $backing segment', ({ place }) => {
  test('that is open for reading refuses every write of the library with VALUE_RANGE, and keeps its bytes', () => {
    const segment = track(createSegment({ ...place(), size: 64 }));
    const reader = track(openSegment(segment.handle));
    for (const attach of [
      () => openRecord(reader, Pair, { guard: unguarded(), access: 'read-write' }),
      () => openRecord(reader, Pair, { guard: seqlock({ sequence: 'sequence' }), access: 'read-write' }),
      () => openRecord(reader, Pair, { guard: unguarded(), access: 'copy-on-write' }),
      () => createRecord(reader, Pair, { guard: unguarded() }),
      () => joinRecord(reader, Pair, { guard: unguarded() }),
    ]) {
      expect(attach).toThrow(withCode('VALUE_RANGE'));
    }
    const record = track(openRecord(reader, Pair, { guard: unguarded() }));
    expect('write' in record).toBe(false);
    reader.flush();
    expect(new Uint8Array(segment.buffer).every((byte) => byte === 0)).toBe(true);
  });

  test('tells truthfully who made it', () => {
    const options = { ...place(), size: 64 };
    const first = track(createSegment(options));
    expect(first.created).toBe(true);
    expect(track(openSegment(first.handle)).created).toBe(false);
    // A segment without a place cannot be met twice.
    expect(track(joinSegment(options)).created).toBe(first.name === undefined && !('file' in options));
  });
});

describe.each(places)('a $backing segment', ({ place }) => {
  test('that is open copy-on-write keeps its changes to itself, whatever makes them', () => {
    const segment = track(createSegment({ ...place(), size: 64 }));
    const original = track(createRecord(segment, Pair, { guard: unguarded() }));
    original.write({ sequence: 0, value: 1 });
    const own = track(openSegment(segment.handle, { access: 'copy-on-write' }));
    const records = [
      track(openRecord(own, Pair, { guard: unguarded(), access: 'copy-on-write' })),
      track(createRecord(own, Pair, { guard: unguarded() })),
      track(openRecord(segment.handle, Pair, { guard: unguarded(), access: 'copy-on-write' })),
    ];
    for (const [i, record] of records.entries()) {
      expect(record.read().value).toBe(i === 1 ? 100 : 1);
      record.write({ sequence: 0, value: 100 + i });
      record.assign({ sequence: 9 });
      expect(record.read()).toEqual({ sequence: 9, value: 100 + i });
    }
    own.flush();
    expect(original.read()).toEqual({ sequence: 0, value: 1 });
  });

  test('that is open copy-on-write takes no guard that would tell others of its changes', () => {
    const segment = track(createSegment({ ...place(), size: 64 }));
    const own = track(openSegment(segment.handle, { access: 'copy-on-write' }));
    const guard = seqlock({ sequence: 'sequence' });
    expect(() => openRecord(own, Pair, { guard, access: 'read-write' })).toThrow(withCode('VALUE_RANGE'));
    expect(() => openRecord(segment, Pair, { guard, access: 'copy-on-write' })).toThrow(
      withCode('VALUE_RANGE'),
    );
    const whole = { guard: unguarded(), access: 'copy-on-write' } as const;
    expect(() => openRecord(segment, Pair, whole)).toThrow(withCode('VALUE_RANGE'));
    expect(() => openStore(segment.handle, Pair, { access: 'copy-on-write' as unknown as 'read' })).toThrow(
      withCode('VALUE_RANGE'),
    );
  });
});

test('a process segment is one buffer: windows and copy-on-write are SEGMENT_UNSUPPORTED', () => {
  const segment = track(createSegment({ backing: 'process', size: 64 }));
  for (const options of [{ access: 'copy-on-write' }, { offset: 8 }, { length: 8 }] as const)
    expect(() => openSegment(segment.handle, options)).toThrow(withCode('SEGMENT_UNSUPPORTED'));
  const whole = { guard: unguarded(), access: 'copy-on-write' } as const;
  expect(() => openRecord(segment.handle, Pair, whole)).toThrow(withCode('SEGMENT_UNSUPPORTED'));
});

describe('a window at a 64-bit offset', () => {
  const at = 2 ** 32 + 2 ** 16 + 4097;
  const size = 2 ** 32 + 2 ** 20;

  test('of a sparse file shows and changes the bytes there, whatever the alignment', () => {
    const file = newFile();
    fs.writeFileSync(file, '');
    fs.truncateSync(file, size);
    const segment = track(openSegment({ file }, { access: 'read-write', offset: at, length: 10 }));
    expect([segment.size, segment.buffer.byteLength]).toEqual([10, 10]);
    new Uint8Array(segment.buffer).set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    segment.flush();
    const fd = fs.openSync(file, 'r');
    const bytes = new Uint8Array(14);
    try {
      fs.readSync(fd, bytes, 0, 14, at - 2);
      expect([...bytes]).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0]);
      // What 32 bits would have made of the offset.
      fs.readSync(fd, bytes, 0, 14, (at % 2 ** 32) - 2);
      expect(bytes.every((byte) => byte === 0)).toBe(true);
    } finally {
      fs.closeSync(fd);
    }
    const again = track(openSegment({ file }, { offset: at + 9 }));
    expect([again.size, new Uint8Array(again.buffer)[0]]).toEqual([size - at - 9, 10]);
    expect(() => openSegment({ file }, { offset: size })).toThrow(withCode('SEGMENT_TOO_SMALL'));
    expect(() => openSegment({ file }, { offset: at, length: size })).toThrow(withCode('SEGMENT_TOO_SMALL'));
  });

  test('of a file that was made here shows its own bytes, or the disk is too small for it', () => {
    const file = newFile();
    let segment: Segment;
    try {
      segment = track(createSegment({ file, size }));
    } catch (error) {
      expect(error).toMatchObject({ code: 'SEGMENT_LIMIT' });
      expect(fs.existsSync(file)).toBe(false);
      return;
    }
    const { bavail, bsize } = fs.statfsSync(file);
    expect(bavail * bsize).toBeGreaterThan(0);
    const window = track(openSegment(segment.handle, { access: 'read-write', offset: at, length: 1 }));
    new Uint8Array(window.buffer)[0] = 77;
    expect(new Uint8Array(segment.buffer)[at]).toBe(77);
    expect(new Uint8Array(segment.buffer)[at % 2 ** 32]).toBe(0);
    const last = track(openRecord(segment.handle, Pair, { guard: unguarded(), offset: at - Pair.size + 1 }));
    expect(last.read()).toEqual({ sequence: 0, value: 77 * 2 ** 24 });
  });
});

/** True if every user may look into the folders on the way to a file. */
function isOpenToOthers(file: string): boolean {
  const folder = dirname(file);
  return (fs.statSync(folder).mode & 0o5) === 0o5 && (folder === dirname(folder) || isOpenToOthers(folder));
}

interface Heir {
  /** Tells the child to open what it was handed, one after the other, and gives what it says of each. */
  opens(): Promise<string[]>;
}

/** Starts a child that has sources in its environment. */
function hand(
  sources: readonly (Handle | ForeignHandle)[],
  options: { uid?: number; descriptor?: number } = {},
): Heir {
  const { uid, descriptor } = options;
  const started = spawn(process.execPath, ['--conditions=@sharecord/source', child, 'count'], {
    stdio: ['pipe', 'pipe', 'inherit', ...(descriptor === undefined ? [] : [descriptor])],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      HANDED_OVER: JSON.stringify(sources),
      ANY_OWNER: uid === undefined ? '' : 'yes',
    },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  children.push(started);
  let said = '';
  started.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text));
  return {
    async opens() {
      started.stdin!.write('now\n');
      await once(started, 'close');
      return said.trim().split(/\r?\n/);
    },
  };
}

describe.each(places)('an inheritable $backing segment', ({ place }) => {
  const make = (inheritable: boolean) => {
    const segment = track(createSegment({ ...place(), size: 8192, inheritable }));
    const words = new Int32Array(segment.buffer, 0, 1);
    words[0] = 41;
    return { segment, words, osHandle: (segment.handle as { osHandle: number }).osHandle };
  };

  test('is opened by a child through its handle, or through the number of its osHandle alone', async () => {
    const { segment, words, osHandle } = make(true);
    const sources = [
      segment.handle,
      { osHandle },
      { osHandle, size: 100 },
      { osHandle, size: 10_000 },
      { osHandle, adopt: true },
      { osHandle },
    ];
    expect(await hand(sources).opens()).toEqual([
      'found 41 in 8192 bytes',
      'found 42 in 8192 bytes',
      'found 43 in 100 bytes',
      'SEGMENT_TOO_SMALL',
      'found 44 in 8192 bytes',
      // The child has closed what it inherited.
      'SEGMENT_NOT_FOUND',
    ]);
    expect(words[0]).toBe(45);
  });

  test('outlives its maker with the child that inherited it', async () => {
    const { segment, osHandle } = make(true);
    const heir = hand([{ osHandle, pid: process.pid }, { osHandle }]);
    segment.close();
    expect(await heir.opens()).toEqual(['SEGMENT_NOT_FOUND', 'found 41 in 8192 bytes']);
  });

  test('is one because it was asked for: the number of another one means nothing in a child', async () => {
    const { segment, words, osHandle } = make(false);
    const copy = segment.duplicateFor(process.pid) as { osHandle: number };
    // Its handle, and its number with that of this process, need no inheritance.
    const sources = [{ osHandle }, segment.handle, { osHandle, pid: process.pid }, copy];
    const said = await hand(sources).opens();
    expect(said[0]).toMatch(/^SEGMENT_(NOT_FOUND|FOREIGN)$/);
    expect(said.slice(1)).toEqual([41, 42, 43].map((count) => `found ${count} in 8192 bytes`));
    expect(words[0]).toBe(44);
    if (onWindows) openSegment({ osHandle: copy.osHandle, adopt: true }).close();
  });

  // Windows has no descriptors in the table of a child's standard handles.
  test.skipIf(onWindows)('or any other is a descriptor in the stdio of a child', async () => {
    const { words, osHandle } = make(false);
    const heir = hand([{ osHandle: 3 }], { descriptor: osHandle });
    expect(await heir.opens()).toEqual(['found 41 in 8192 bytes']);
    expect(words[0]).toBe(42);
  });
});

// An inherited descriptor of Linux could be opened again by its path or not at all; Windows has one kind of handle.
test.skipIf(onWindows || process.getuid?.() !== 0 || !isOpenToOthers(child))(
  'a descriptor of a file that the child could not open itself is used as it was inherited (left out without root, or in a folder of its own)',
  async () => {
    const segment = track(createSegment({ name: uniqueName(), size: 4096, inheritable: true }));
    const { osHandle } = segment.handle as { osHandle: number };
    new Int32Array(segment.buffer, 0, 1)[0] = 7;
    const heir = hand([{ osHandle, pid: process.pid }, { osHandle }], { uid: 65_534 });
    expect(await heir.opens()).toEqual(['SEGMENT_DENIED', 'found 7 in 4096 bytes']);
  },
);

test('a handle with numbers that cannot be is refused before anything is opened', () => {
  const { osHandle } = track(createSegment({ size: 8 })).handle as { osHandle: number };
  for (const bad of [{ size: 0 }, { size: 1.5 }, { adopt: 1 }, { adopt: true, pid: process.pid }, { pid: 0 }])
    expect(() => openSegment({ osHandle, ...bad } as ForeignHandle), JSON.stringify(bad)).toThrow(
      withCode('VALUE_RANGE'),
    );
  expect(() => openSegment({} as ForeignHandle)).toThrow(withCode('VALUE_RANGE'));
  expect(() => openSegment({ osHandle: 999_999 })).toThrow(withCode('SEGMENT_NOT_FOUND'));
  expect(() => openSegment({ osHandle, pid: 4_000_000 })).toThrow(withCode('SEGMENT_NOT_FOUND'));
});

test('adopt closes the original, without it the original stays the caller’s', () => {
  const maker = track(createSegment({ size: 4096 }));
  const source = maker.duplicateFor(process.pid) as { osHandle: number };
  // On POSIX that is the maker's own number; a copy of it is what a native program would have handed over.
  const osHandle = onWindows ? source.osHandle : fs.openSync(`/proc/self/fd/${source.osHandle}`, 'r+');
  openSegment({ osHandle }).close();
  openSegment({ osHandle, adopt: true }).close();
  expect(() => openSegment({ osHandle })).toThrow(withCode('SEGMENT_NOT_FOUND'));
});

test('adopt leaves the original open when the open throws, whatever was to be opened', () => {
  const maker = track(createSegment({ size: 4096 }));
  const source = maker.duplicateFor(process.pid) as { osHandle: number };
  const osHandle = onWindows ? source.osHandle : fs.openSync(`/proc/self/fd/${source.osHandle}`, 'r+');
  const handle = { osHandle, adopt: true };
  const guard = unguarded();
  for (const [open, expected] of [
    [() => openSegment(handle, { offset: 1e9 }), 'SEGMENT_TOO_SMALL'],
    [() => openRecord(handle, Pair, { guard, offset: 1e9 }), 'SEGMENT_TOO_SMALL'],
    [() => openRecord(handle, Pair, { guard: seqlock({ sequence: 'zz' as 'sequence' }) }), 'VALUE_TYPE'],
    [() => openStore(handle, Pair), 'SEGMENT_FOREIGN'],
  ] as const) {
    expect(open).toThrow(withCode(expected));
    openSegment({ osHandle }).close();
  }
  openRecord(handle, Pair, { guard }).close();
  expect(() => openSegment({ osHandle })).toThrow(withCode('SEGMENT_NOT_FOUND'));
  const store = track(createStore({ layout: Pair, capacity: 1 }));
  const again = store.segment.duplicateFor(process.pid) as { osHandle: number };
  const number = onWindows ? again.osHandle : fs.openSync(`/proc/self/fd/${again.osHandle}`, 'r+');
  openStore({ osHandle: number, adopt: true }, Pair).close();
  expect(() => openSegment({ osHandle: number })).toThrow(withCode('SEGMENT_NOT_FOUND'));
});

// PLATFORM: a section of Windows stays with its heirs, name and all; its locks are named mutexes, which nobody inherits.
test('a store that a killed process left to a child is no writer’s: its name can be used again', async () => {
  const name = uniqueName();
  const maker = spawn(process.execPath, ['--conditions=@sharecord/source', child, 'leave', name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(maker);
  const [line] = (await once(maker.stdout, 'data')) as [Buffer];
  const heir = Number(/heir (\d+)/.exec(line.toString())![1]);
  try {
    const Row = struct('Row', { id: u32 });
    expect(() => createStore({ name, layout: Row, capacity: 1 })).toThrow(withCode('SEGMENT_EXISTS'));
    maker.kill('SIGKILL');
    await once(maker, 'exit');
    expect(process.kill(heir, 0)).toBe(true);
    const joined = track(joinStore({ name, layout: Row, capacity: 1 }));
    expect([joined.created, joined.read(0).id]).toEqual([false, 5]);
    joined.write(0, { id: 6 });
    joined.close();
    if (onWindows) expect(isNamed(name)).toBe(true);
    else expect(track(createStore({ name, layout: Row, capacity: 1 })).read(0).id).toBe(0);
  } finally {
    process.kill(heir, 'SIGKILL');
  }
});

// Windows: test/windows/errors.test.ts.
describe.skipIf(onWindows)('a name or path that means something else than memory', () => {
  const kinds = [
    ['a folder', (path: string) => fs.mkdirSync(path)],
    ['a pipe', (path: string) => void execFileSync('mkfifo', [path])],
    ['a socket', async (path: string) => void (await once(createServer().listen(path).unref(), 'listening'))],
  ] as const;

  test.each(kinds)(
    '%s: create is SEGMENT_EXISTS and says so, join and open are SEGMENT_FOREIGN',
    async (kind, make) => {
      const name = uniqueName();
      const file = newFile();
      await make(pathOf(name));
      await make(file);
      try {
        for (const where of [{ name }, { file }] as { name?: string; file?: string }[]) {
          const told = expect.objectContaining({
            code: 'SEGMENT_EXISTS',
            osCode: 17,
            message: expect.stringContaining(kind),
          });
          expect(() => createSegment({ ...where, size: 8 })).toThrow(told);
          expect(() => joinSegment({ ...where, size: 8 })).toThrow(withCode('SEGMENT_FOREIGN'));
          for (const access of ['read', 'read-write'] as const)
            expect(() => openSegment(where.name ?? { file }, { access })).toThrow(
              withCode('SEGMENT_FOREIGN'),
            );
        }
        expect(fs.lstatSync(pathOf(name)).isFile()).toBe(false);
      } finally {
        fs.rmSync(pathOf(name), { recursive: true });
      }
    },
  );

  test('a symbolic link of the name is SEGMENT_DENIED, whatever it leads to', () => {
    const name = uniqueName();
    const file = newFile();
    fs.writeFileSync(file, 'secret');
    fs.symlinkSync(file, pathOf(name));
    try {
      expect(() => openSegment(name)).toThrow(withCode('SEGMENT_DENIED'));
      expect(() => joinSegment({ name, size: 1 })).toThrow(withCode('SEGMENT_DENIED'));
      expect(() => createSegment({ name, size: 1 })).toThrow(withCode('SEGMENT_EXISTS'));
      expect(fs.readFileSync(file, 'latin1')).toBe('secret');
    } finally {
      fs.unlinkSync(pathOf(name));
    }
  });
});

describe('opening and closing 10 000 times', () => {
  // Windows: a few handles of the runtime come and go meanwhile.
  const LEAK = onWindows ? 25 : 1;
  const ways = [
    { what: 'a name', make: () => ({ name: uniqueName() }), source: (made: Segment) => made.name! },
    { what: 'a file', make: () => ({ file: newFile() }), source: (made: Segment) => made.handle },
    { what: 'a handle', make: () => ({}), source: (made: Segment) => made.handle },
    {
      what: 'a bare osHandle',
      make: () => ({ inheritable: true }),
      source: (made: Segment) => ({ osHandle: (made.handle as { osHandle: number }).osHandle }),
    },
  ];
  const accesses = ['read', 'read-write', 'copy-on-write'] as const;

  test.each(ways)(
    '$what gives back every mapping, descriptor and handle',
    ({ make, source }) => {
      const made = track(createSegment({ ...make(), size: 200_000 }));
      const from = source(made);
      const openOnce = (i: number): Segment =>
        openSegment(from, {
          access: accesses[i % 3]!,
          offset: (i * 4099) % 100_000,
          length: 1 + (i % 70_000),
        });
      openOnce(0).close();
      const before = countHeld();
      // The control: those that are not closed are counted.
      const kept = Array.from({ length: 50 }, (_, i) => track(openOnce(i)));
      expect(heldMore(before)).toBeGreaterThan(LEAK);
      for (const each of kept) each.close();
      for (let i = 0; i < 10_000; i++) {
        const segment = openOnce(i);
        segment.close();
        if (i % 100 === 0) segment.close();
      }
      expect(heldMore(before)).toBeLessThan(LEAK);
    },
    300_000,
  );

  test('making and removing segments of every backing gives back everything', () => {
    const file = newFile();
    const name = uniqueName();
    const all = [{ name }, { file }, {}, { inheritable: true }];
    for (const each of all) createSegment({ ...each, size: 4096 }).close();
    const before = countHeld();
    // Under Wine each of these needs tens of times as long as on Linux.
    const times = onWindows ? 500 : 10_000;
    for (let i = 0; i < times; i++)
      for (const each of all) createSegment({ ...each, size: wholeSize(1) }).close();
    expect(heldMore(before)).toBeLessThan(LEAK);
    expect(fs.existsSync(file)).toBe(false);
  }, 300_000);
});

test('nothing of these tests is left in shared memory', () => {
  for (let i = 0; i < serial; i++) expect(isNamed(`sharecord-test-modes-${process.pid}-${i}`)).toBe(false);
});
