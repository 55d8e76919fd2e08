// The named mutex of Windows, between opens of one thread, threads and native programs.
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { bytes, createRecord, namedMutex, openRecord, robustMutex, struct, u32 } from '../../src/index.ts';
import type { SystemMutex } from '../../src/platform/platform.ts';
import { win32 } from '../../src/platform/win32.ts';
import { PEER, WaitingPeer } from './native-peer.ts';

const open: SystemMutex[] = [];
const openMutex = (name: string): SystemMutex => {
  const mutex = win32.openMutex!(name);
  open.push(mutex);
  return mutex;
};
const uniqueName = (): string => `sharecord test mutex ${randomUUID()}`;
afterEach(() => {
  for (const mutex of open.splice(0)) mutex.close();
});

test('two opens of one thread exclude each other, and one does not take it twice', () => {
  const name = uniqueName();
  const [one, two] = [openMutex(name), openMutex(`Local\\${name}`)];
  expect(one.identity).toBe(two.identity);
  expect(one.tryLock()).toBe('taken');
  expect(one.tryLock()).toBe('busy');
  expect(two.tryLock()).toBe('busy');
  one.unlock();
  expect(two.tryLock()).toBe('taken');
  two.unlock();
  expect(() => two.unlock()).toThrow(expect.objectContaining({ code: 'SEGMENT_OS', osCode: 288 }));
  expect(openMutex(uniqueName()).tryLock()).toBe('taken');
  open.at(-1)?.unlock();
});

test('a mutex inside a record is refused', () => {
  const Shared = struct('Shared', { lock: bytes(40), n: u32 });
  const guard = robustMutex({ at: 'lock', timeoutMs: 10 });
  expect(() => createRecord(`sharecord-test-${randomUUID()}`, Shared, { guard })).toThrow(
    expect.objectContaining({ code: 'SEGMENT_UNSUPPORTED' }),
  );
});

test('a name of another kind of object is refused with a code that says so', () => {
  const name = uniqueName();
  const segment = win32.createUnpublished({ size: 8, mode: 0o600 }, name);
  expect(() => win32.openMutex!(name)).toThrow(
    expect.objectContaining({ code: 'SEGMENT_FOREIGN', osCode: 6 }),
  );
  segment?.close();
  openMutex(name);
  expect(() => win32.open(name, false)).toThrow(
    expect.objectContaining({ code: 'SEGMENT_FOREIGN', osCode: 6 }),
  );
  expect(() => win32.createUnpublished({ size: 8, mode: 0o600 }, name)).toThrow(
    expect.objectContaining({ code: 'SEGMENT_EXISTS', osCode: 6 }),
  );
});

describe.skipIf(PEER === undefined)('with a native program (left out where none was compiled)', () => {
  test('it is busy while the program holds it, abandoned once that was killed, and then usable', async () => {
    const name = uniqueName();
    const mutex = openMutex(name);
    const peer = new WaitingPeer('hold-mutex', name);
    await peer.line('ready');
    expect(peer.lines[0]).toBe('taken');
    expect(mutex.tryLock()).toBe('busy');
    await peer.kill();
    expect(mutex.tryLock()).toBe('abandoned');
    mutex.unlock();
    expect(mutex.tryLock()).toBe('taken');
    mutex.unlock();
  });

  test('it is free after an orderly end', async () => {
    const name = uniqueName();
    const mutex = openMutex(name);
    const peer = new WaitingPeer('hold-mutex', name);
    await peer.line('ready');
    await peer.end();
    expect(mutex.tryLock()).toBe('taken');
    mutex.unlock();
  });

  test('a record under namedMutex waits for the program, and learns of its death once', async () => {
    const Count = struct('Count', { n: u32 });
    const [name, mutex] = [`sharecord-test-winrecord-${randomUUID()}`, uniqueName()];
    const record = createRecord(name, Count, { guard: namedMutex(mutex, { timeoutMs: 20 }) });
    let abandoned = 0;
    const healing = openRecord(name, Count, {
      guard: namedMutex(mutex, { timeoutMs: 20, onAbandoned: () => void abandoned++ }),
      access: 'read-write',
    });
    try {
      record.write({ n: 1 });
      expect(healing.read()).toEqual({ n: 1 });
      const code = (expected: string) => expect.objectContaining({ code: expected });
      for (let round = 0; round < 2; round++) {
        const peer = new WaitingPeer('hold-mutex', mutex);
        await peer.line('ready');
        expect(() => record.write({ n: 2 })).toThrow(code('LOCK_TIMEOUT'));
        expect(() => record.read()).toThrow(code('LOCK_TIMEOUT'));
        await peer.kill();
        if (round === 0) expect(() => record.read()).toThrow(code('WRITER_DIED'));
        else expect(healing.read()).toEqual({ n: 3 });
        expect(abandoned).toBe(round);
        record.update((draft) => void (draft.n = 3));
        expect(healing.read()).toEqual({ n: 3 });
      }
    } finally {
      healing.close();
      record.close();
    }
  });
});
