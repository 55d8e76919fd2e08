// native/sharecord.h as a peer: what it opens and refuses, and what it leaves behind. Outcomes are those of `openStore`.
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  array,
  createSegment,
  createStore,
  namedMutex,
  f32,
  openSegment,
  openStore,
  struct,
  u8,
} from '../../src/index.ts';
import { Bed, Peer } from '../support/bed.ts';
import { compileNative } from '../support/native.ts';
import { isNamed, keepMutex, onWindows, pathOf, putForeign } from '../support/system.ts';
import { arrayKind, arrayOf, Fields, fieldsKind, rawSlot } from './records.ts';

function makeStore(bed: Bed, label: string, lifetime: 'last-close' | 'until-unlink' = 'last-close') {
  const name = bed.name(label);
  const store = bed.keep(createStore({ name, layout: Fields, capacity: 3, lifetime }));
  store.write(0, fieldsKind.fill(Fields.zero(), 5));
  return { name, store };
}

/** What `openStore` throws, or OK. */
function outcomeOf(name: string): string {
  try {
    openStore(name, undefined as never, { access: 'read-write' }).close();
    return 'OK';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

async function nativeOutcomeOf(bed: Bed, name: string, access = 'write', digest = '-'): Promise<string> {
  const peer = bed.native('join', name, access, digest);
  await peer.ready.catch(() => {});
  const report = await peer.report();
  if (peer.running) peer.child.stdin!.end();
  await peer.exited;
  return (report['error'] as string | undefined) ?? 'OK';
}

describe('sharecord_open', () => {
  test('joins a store by name, and writes to it', async () => {
    const bed = new Bed();
    const { name, store } = makeStore(bed, 'join');
    const report = await bed
      .native('join', onWindows ? `Local\\${name}` : `/${name}`, 'write', Fields.digest)
      .end();
    expect(report).toEqual({ capacity: 3, recordSize: 64, generation: 1, value: 5, write: 'OK' });
    expect(store.read(0)).toEqual(fieldsKind.fill(Fields.zero(), 6));
    expect(store.generation(0)).toBe(2);
  });

  test('opens a store for reading, and refuses to write then', async () => {
    const bed = new Bed();
    const { name, store } = makeStore(bed, 'join-read');
    const report = await bed.native('join', name, 'read', Fields.digest).end();
    expect(report).toMatchObject({ value: 5, write: 'VALUE_TYPE' });
    expect(store.generation(0)).toBe(1);
  });

  // A bare handle of Windows does not say which locks its store has.
  test.runIf(onWindows)('opens the store behind an inherited handle, for reading', async () => {
    const bed = new Bed();
    const store = bed.keep(createStore({ layout: Fields, capacity: 3, inheritable: true }));
    store.write(0, fieldsKind.fill(Fields.zero(), 8));
    const { osHandle } = store.handle as { osHandle: number };
    const report = await bed.native('join', `number:${osHandle}`, 'read', Fields.digest).end();
    expect(report).toMatchObject({ generation: 1, value: 8, write: 'VALUE_TYPE' });
    expect(await nativeOutcomeOf(bed, `number:${osHandle}`)).toBe('SEGMENT_UNSUPPORTED');
  });

  test.skipIf(onWindows)('joins the store behind an inherited descriptor', async () => {
    const bed = new Bed();
    const store = bed.keep(createStore({ layout: Fields, capacity: 3 }));
    store.write(0, fieldsKind.fill(Fields.zero(), 8));
    const { osHandle } = store.handle as { osHandle: number };
    const stdio = ['pipe', 'pipe', 'pipe', osHandle] as const;
    const peer = bed.adopt(
      new Peer(compileNative('peer.c'), ['join', 'number:3', 'write', '-'], 'join', [...stdio]),
    );
    expect(await peer.end()).toMatchObject({ value: 8, write: 'OK' });
    expect(store.read(0).a).toBe(9);
  });

  test('refuses another layout', async () => {
    const bed = new Bed();
    const { name } = makeStore(bed, 'digest');
    expect(await nativeOutcomeOf(bed, name, 'write', arrayOf(8).digest)).toBe('LAYOUT_MISMATCH');
    expect(await nativeOutcomeOf(bed, name, 'write', Fields.digest.toUpperCase())).toBe('VALUE_TYPE');
    expect(await nativeOutcomeOf(bed, name, 'write', 'abc')).toBe('VALUE_TYPE');
  });

  const badHere = onWindows ? ['Local\\', 'local\\x', 'Global\\a\\b', '\\x'] : ['/', '.', '..', 'a/b'];
  test.each(['', 'a\\b', 'x'.repeat(201), ...badHere])('refuses the name "%s"', async (name) => {
    const bed = new Bed();
    expect(await nativeOutcomeOf(bed, name)).toBe('SEGMENT_NAME');
  });

  test('refuses what is not there and what is not ours', async () => {
    const bed = new Bed();
    expect(await nativeOutcomeOf(bed, bed.name('absent'))).toBe('SEGMENT_NOT_FOUND');
    expect(await nativeOutcomeOf(bed, 'number:4000', 'read')).toBe('SEGMENT_NOT_FOUND');
    for (const size of [1, 100, 100_000]) {
      const name = bed.name('raw');
      bed.keep(createSegment({ name, size }));
      // Where a name comes with its memory, zeroed memory may be on its way to become a store.
      expect(outcomeOf(name)).toBe(onWindows ? 'SEGMENT_NOT_READY' : 'SEGMENT_FOREIGN');
      expect(await nativeOutcomeOf(bed, name)).toBe(outcomeOf(name));
    }
    const text = bed.name('text');
    const foreign = putForeign(text, Buffer.alloc(5000, 'text'));
    expect(await nativeOutcomeOf(bed, text)).toBe('SEGMENT_FOREIGN');
    foreign.remove();
  });

  test.runIf(onWindows)('refuses the name of another kind of object', async () => {
    const bed = new Bed();
    const name = bed.name('mutex');
    bed.keep(keepMutex(name));
    expect(await nativeOutcomeOf(bed, name)).toBe('SEGMENT_FOREIGN');
  });

  test.skipIf(onWindows)('refuses a folder and a link of that name', async () => {
    const bed = new Bed();
    const folder = bed.name('folder');
    fs.mkdirSync(pathOf(folder));
    expect(await nativeOutcomeOf(bed, folder, 'read')).toBe('SEGMENT_FOREIGN');
    fs.rmdirSync(pathOf(folder));
    const link = bed.name('link');
    fs.symlinkSync(pathOf(makeStore(bed, 'target').name), pathOf(link));
    expect(await nativeOutcomeOf(bed, link)).toBe('SEGMENT_DENIED');
    fs.rmSync(pathOf(link));
  });

  test.each(['seqlock', 'namedMutex'] as const)('refuses a store guarded by a %s', async (kind) => {
    const bed = new Bed();
    const name = bed.name('other-guard');
    const guard = kind === 'seqlock' ? kind : namedMutex(bed.name('mutex'), { timeoutMs: 50 });
    bed.keep(createStore({ name, layout: Fields, capacity: 1, guard }));
    for (const access of ['read', 'write'] as const)
      expect(await nativeOutcomeOf(bed, name, access)).toBe('SEGMENT_FORMAT');
  });

  // Words of the header with values that no intact segment has.
  test.each([
    ['magic', 0, 0],
    ['format version', 2, 9],
    ['byte order mark', 3, 0x04030201],
    ['header length, not a multiple of 64', 4, 2433],
    ['header length, too small', 4, 64],
    ['header length, beyond the end', 4, 0x7fffffc0],
    ['state raw', 5, 0],
    ['state gone', 5, 2],
    ['kind', 6, 77],
    ['guard', 7, 77],
    ['capacity 0', 8, 0],
    ['capacity too high', 8, 1_000_000],
    ['capacity above 32 bits', 9, 1],
    ['size', 10, 64],
    ['size above 32 bits', 11, 1],
    ['record size 0', 12, 0],
    ['record size', 12, 72],
    ['record size near 2^32', 12, -1],
    ['cell length', 13, 56],
    ['stride', 14, 64],
    ['lifetime', 15, 2],
    ['participant slots', 19, 64],
    ['layout text offset', 34, 64],
    ['layout text length', 35, 100_000],
  ])('refuses a damaged header as openStore does: %s', async (_, word, value) => {
    const bed = new Bed();
    const { name } = makeStore(bed, 'damaged');
    const words = new Int32Array(bed.keep(openSegment(name, { access: 'read-write' })).buffer, 0, 64);
    const intact = words[word]!;
    words[word] = value;
    const outcomes = [outcomeOf(name), await nativeOutcomeOf(bed, name)];
    words[word] = intact;
    expect(outcomes[0]).not.toBe('OK');
    expect(outcomes[1]).toBe(outcomes[0]);
    expect(await nativeOutcomeOf(bed, name)).toBe('OK');
  });

  test('refuses a segment that was cut off', async () => {
    const bed = new Bed();
    const name = bed.name('cut');
    const whole = bed.keep(createStore({ name: bed.name('whole'), layout: Fields, capacity: 100 }));
    const bytes = new Uint8Array(whole.segment.buffer);
    // A whole page less, since memory of Windows has whole ones.
    const foreign = putForeign(name, bytes.subarray(0, onWindows ? -4096 : -64));
    expect([outcomeOf(name), await nativeOutcomeOf(bed, name)]).toEqual(['SEGMENT_FORMAT', 'SEGMENT_FORMAT']);
    foreign.remove();
  });

  test('refuses the 257th writer, and takes it once a slot is free', async () => {
    const bed = new Bed();
    const { name } = makeStore(bed, 'slots');
    const writers = Array.from({ length: 255 }, () =>
      bed.keep(openStore(name, Fields, { access: 'read-write' })),
    );
    expect(await nativeOutcomeOf(bed, name)).toBe('SEGMENT_LIMIT');
    expect(await nativeOutcomeOf(bed, name, 'read')).toBe('OK');
    writers[100]!.close();
    expect(await nativeOutcomeOf(bed, name)).toBe('OK');
  });
});

test('two opens in one thread are two participants', async () => {
  const bed = new Bed();
  const { name } = makeStore(bed, 'twice');
  const report = await bed.native('twice', name).result();
  expect(report).toEqual({ first: 256 + 1, second: 256 + 2, deadBefore: 0, deadAfter: 1 });
});

describe('sharecord_close', () => {
  test('keeps the name while others write, and removes it as the last', async () => {
    const bed = new Bed();
    const { name, store } = makeStore(bed, 'last');
    const [first, last] = [bed.native('join', name, 'write', '-'), bed.native('join', name, 'write', '-')];
    await Promise.all([first.ready, last.ready]);
    await first.end();
    expect(isNamed(name)).toBe(true);
    store.close();
    expect(isNamed(name)).toBe(true);
    await last.end();
    expect(isNamed(name)).toBe(false);
  });

  // The two below need names that outlive their users.
  test.skipIf(onWindows)('leaves the name of a store that lives until it is unlinked', async () => {
    const bed = new Bed();
    const { name, store } = makeStore(bed, 'kept', 'until-unlink');
    const peer = bed.native('join', name, 'write', '-');
    await peer.ready;
    store.close();
    await peer.end();
    expect(isNamed(name)).toBe(true);
    bed.keep(openSegment(name)).unlink();
  });

  test.skipIf(onWindows)('leaves a name that means another store by now', async () => {
    const bed = new Bed();
    const { name, store } = makeStore(bed, 'renamed');
    const peer = bed.native('join', name, 'write', '-');
    await peer.ready;
    store.segment.unlink();
    store.close();
    const second = bed.keep(createStore({ name, layout: Fields, capacity: 1 }));
    await peer.end();
    expect(isNamed(name)).toBe(true);
    expect(second.orphaned).toBe(false);
  });

  test('a native writer killed as the last one is no obstacle to the next store', async () => {
    const bed = new Bed();
    const { name, store } = makeStore(bed, 'killed-last');
    const peer = bed.native('join', name, 'write', '-');
    await peer.ready;
    store.close();
    peer.kill('SIGKILL');
    await peer.exited;
    expect(isNamed(name)).toBe(!onWindows);
    expect(bed.keep(createStore({ name, layout: arrayOf(4), capacity: 1 })).created).toBe(true);
  });
});

describe('sharecord_update', () => {
  test.each(['write', 'update'] as const)('counts on beyond 2^32, together with %s', async (call) => {
    const bed = new Bed();
    const { name, store } = makeStore(bed, 'wrap');
    const { words, sequence } = rawSlot(store.segment.buffer, 0);
    store.write(0, store.read(0));
    words[sequence] = -2; // both cells hold the same record
    const generations = [store.generation(0)];
    for (let turn = 0; turn < 4; turn++) {
      if (turn % 2 === 0) await bed.native('put', name, 0).end();
      else if (call === 'write') store.write(0, fieldsKind.fill(Fields.zero(), store.read(0).a + 1));
      else store.update(0, (draft) => void fieldsKind.fill(draft, draft.a + 1));
      generations.push(store.generation(0));
    }
    expect(generations).toEqual([-2, -1, 0, 1, 2].map((step) => 2 ** 32 + step));
    expect(store.read(0).a).toBe(9);
    const report = await bed.native('join', name, 'read', '-').end();
    expect(report).toMatchObject({ generation: 2 ** 32 + 2, value: 9 });
  });

  test('handles records whose size is not a multiple of 8', async () => {
    const Odd = struct('Odd', { x: f32, tail: array(u8, 7) }, { pack: 1 });
    const bed = new Bed();
    const name = bed.name('odd');
    const store = bed.keep(createStore({ name, layout: Odd, capacity: 2 }));
    const neighbour = { x: 1, tail: [1, 2, 3, 4, 5, 6, 7] };
    store.write(0, neighbour);
    store.write(1, neighbour);
    // The peer adds 1 to the double in the first 8 bytes and leaves the last 3.
    expect(await bed.native('put', name, 0).end()).toMatchObject({ status: 'OK' });
    expect(store.generation(0)).toBe(2);
    expect(store.read(0).tail.slice(4)).toEqual([5, 6, 7]);
    expect(store.read(1)).toEqual(neighbour);
  });
});

describe('sharecord_wait', () => {
  test('tells of writes from Node, also after the name is gone', async () => {
    const bed = new Bed();
    const name = bed.name('wait');
    const store = bed.keep(createStore({ name, layout: arrayOf(32), capacity: 2 }));
    const { zero, fill } = arrayKind(32);
    const watchers = [bed.native('watch', name, 1), bed.native('watch', name, 1)];
    await Promise.all(watchers.map((watcher) => watcher.ready));
    for (let value = 1; value <= 3; value++) {
      if (value === 3) store.segment.unlink(); // on Windows: nothing
      store.write(0, fill(zero(), 100));
      store.write(1, fill(zero(), value));
      for (const watcher of watchers) {
        expect(await watcher.report((report) => report['generation'] === value)).toEqual({
          generation: value,
          value,
        });
      }
    }
    const last = await Promise.all(watchers.map((watcher) => watcher.end()));
    expect(last).toEqual([{ byTimer: 0 }, { byTimer: 0 }]);
  });
});
