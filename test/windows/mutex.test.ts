// The named mutex of Windows, between opens of one thread, threads and native programs.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import {
  bytes,
  char,
  createRecord,
  i32,
  namedMutex,
  openRecord,
  robustMutex,
  struct,
  u32,
  unguarded,
} from '../../src/index.ts';
import type { SystemMutex } from '../../src/platform/platform.ts';
import { win32 } from '../../src/platform/win32.ts';
import { PEER, WaitingPeer } from './native-peer.ts';
import { withCode } from '../support/with-code.ts';

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
    withCode('SEGMENT_UNSUPPORTED'),
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
  expect(() => win32.open(name, 'read')).toThrow(
    expect.objectContaining({ code: 'SEGMENT_FOREIGN', osCode: 6 }),
  );
  expect(() => win32.createUnpublished({ size: 8, mode: 0o600 }, name)).toThrow(
    expect.objectContaining({ code: 'SEGMENT_EXISTS', osCode: 6 }),
  );
});

test('a thread that is terminated inside withLock counts as dead', async () => {
  const Plain = struct('Plain', { level: i32, label: char(8) });
  const [name, mutex] = [`sharecord-test-winthread-${randomUUID()}`, uniqueName()];
  const record = createRecord(name, Plain, { guard: namedMutex(mutex, { timeoutMs: 20 }) });
  try {
    record.write({ level: 1, label: 'x' });
    const worker = new Worker(new URL('../platform/record-child.ts', import.meta.url), {
      argv: [name, 'namedMutex', mutex, 'stay'],
      execArgv: ['--conditions=@sharecord/source'],
    });
    await once(worker, 'message');
    expect(() => record.read()).toThrow(withCode('LOCK_TIMEOUT'));
    await worker.terminate();
    expect(() => record.read()).toThrow(withCode('WRITER_DIED'));
    expect(record.read()).toEqual({ level: 1, label: 'x' });
  } finally {
    record.close();
  }
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

  test('a counter under the mutex loses nothing between two programs and this one; without it some', async () => {
    const Count = struct('Count', { n: u32 });
    const additions = 3000;
    for (const guarded of [true, false]) {
      const [name, mutex] = [`sharecord-test-winadd-${randomUUID()}`, uniqueName()];
      const guard = guarded ? namedMutex(mutex, { timeoutMs: 60_000 }) : unguarded();
      const record = createRecord(name, Count, { guard: guard as ReturnType<typeof unguarded> });
      try {
        // Without the mutex an addition takes nanoseconds: more of them, so that the programs meet.
        const each = guarded ? additions : 50_000_000;
        const peers = [1, 2].map(() => new WaitingPeer('add', name, guarded ? mutex : '-', each));
        await Promise.all(peers.map((peer) => peer.line('ready')));
        const ended = peers.map((peer) => peer.end());
        if (guarded) for (let i = 0; i < additions; i++) record.update((draft) => void draft.n++);
        await Promise.all(ended);
        for (const peer of peers) expect(peer.lines).toContain('added');
        if (guarded) expect(record.read().n).toBe(3 * additions);
        else expect(record.read().n, 'control lost nothing').toBeLessThan(2 * each);
      } finally {
        record.close();
      }
    }
  });

  test('a mutex that withLock holds is this thread’s: the program waits, and gets it in order', async () => {
    const Count = struct('Count', { n: u32 });
    const [name, mutex] = [`sharecord-test-winlock-${randomUUID()}`, uniqueName()];
    const record = createRecord(name, Count, { guard: namedMutex(mutex, { timeoutMs: 20 }) });
    try {
      let peer: WaitingPeer | undefined;
      let ticks = 0;
      const ticking = setInterval(() => ticks++, 1);
      await record.withLock(async (locked) => {
        peer = new WaitingPeer('hold-mutex', mutex);
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 10));
        expect(peer.lines).toEqual([]);
        locked.write({ n: 7 });
      });
      clearInterval(ticking);
      expect(ticks).toBeGreaterThan(5);
      await peer!.line('ready');
      expect(peer!.lines[0]).toBe('taken');
      expect(() => record.read()).toThrow(withCode('LOCK_TIMEOUT'));
      const waiting = record.withLock((locked) => locked.read().n, { timeoutMs: 60_000 });
      await peer!.end();
      expect(await waiting).toBe(7);
    } finally {
      record.close();
    }
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
      for (let round = 0; round < 2; round++) {
        const peer = new WaitingPeer('hold-mutex', mutex);
        await peer.line('ready');
        expect(() => record.write({ n: 2 })).toThrow(withCode('LOCK_TIMEOUT'));
        expect(() => record.read()).toThrow(withCode('LOCK_TIMEOUT'));
        await peer.kill();
        if (round === 0) expect(() => record.read()).toThrow(withCode('WRITER_DIED'));
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
