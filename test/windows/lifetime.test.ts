// Named memory of Windows: it has its name from its first moment until its last handle is closed, readers' handles too.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import {
  createSegment,
  createStore,
  joinSegment,
  joinStore,
  openSegment,
  openStore,
  struct,
  u32,
  u64,
  utf8,
} from '../../src/index.ts';
import { isNamed, putForeign } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';
import { killAfterwards, track } from '../support/track.ts';

const Job = struct('Job', { id: u32, title: utf8(16), runs: u64 });
const child = new URL('../platform/lifetime-child.ts', import.meta.url);

let serial = 0;
const uniqueName = (): string => `sharecord-test-winlife-${process.pid}-${serial++}`;

async function start(role: 'create' | 'join', name: string): Promise<ChildProcess> {
  const started = fork(child, [role, JSON.stringify(name)], { execArgv: ['--conditions=@sharecord/source'] });
  killAfterwards(started);
  await once(started, 'message');
  return started;
}

async function kill(each: ChildProcess): Promise<void> {
  const exit = once(each, 'exit');
  each.kill('SIGKILL');
  await exit;
}

test('memory that only a killed writer had is gone', async () => {
  const name = uniqueName();
  await kill(await start('create', name));
  expect(isNamed(name)).toBe(false);
  expect(() => openStore(name, Job)).toThrow(withCode('SEGMENT_NOT_FOUND'));
  const store = track(createStore({ name, layout: Job, capacity: 2 }));
  expect([store.created, store.read(0).id]).toEqual([true, 0]);
});

test('what a killed writer left stays with its readers: a join goes on with it, a create is refused', async () => {
  const name = uniqueName();
  const writer = await start('create', name);
  const reader = track(openStore(name, Job));
  await kill(writer);
  expect(reader.read(0)).toEqual({ id: 7, title: 'child', runs: 1n });
  expect(() => createStore({ name, layout: Job, capacity: 2 })).toThrow(withCode('SEGMENT_EXISTS'));
  const store = track(joinStore({ name, layout: Job, capacity: 2 }));
  expect(store.created).toBe(false);
  store.write(0, { id: 8, title: 'next', runs: 2n });
  expect(reader.read(0)).toEqual({ id: 8, title: 'next', runs: 2n });
  expect(reader.orphaned).toBe(false);
  reader.close();
  store.close();
  expect(isNamed(name)).toBe(false);
});

test('a lock that a killed writer held is free, and its slot too', async () => {
  const name = uniqueName();
  const first = track(joinStore({ name, layout: Job, capacity: 2 }));
  for (let i = 0; i < 3; i++) await kill(await start('join', name));
  // docs/segment-format.md: the epochs are at byte 320; the children took slot 1 one after the other.
  const epochs = new Uint32Array(first.segment.buffer, 320, 3);
  expect([...epochs]).toEqual([1, 3, 0]);
  expect(first.read(0).runs).toBe(3n);
});

test("lifetime 'until-unlink' is refused for named memory, and unlink does nothing", () => {
  const options = { name: uniqueName(), lifetime: 'until-unlink' as const };
  expect(() => createStore({ ...options, layout: Job, capacity: 2 })).toThrow(
    withCode('SEGMENT_UNSUPPORTED'),
  );
  expect(() => joinSegment({ ...options, size: 8 })).toThrow(withCode('SEGMENT_UNSUPPORTED'));
  const segment = track(createSegment({ name: options.name, size: 8 }));
  segment.unlink();
  expect(isNamed(options.name)).toBe(true);
  segment.close();
  expect(isNamed(options.name)).toBe(false);
});

test('a name with and without Local\\ is one, with Global\\ another; names differ by case', () => {
  const name = uniqueName();
  const local = track(createSegment({ name: `Local\\${name}`, size: 8 }));
  new Uint8Array(local.buffer)[0] = 5;
  expect(new Uint8Array(track(openSegment(name)).buffer)[0]).toBe(5);
  expect(() => openSegment(name.toUpperCase())).toThrow(withCode('SEGMENT_NOT_FOUND'));
  const global = track(createSegment({ name: `Global\\${name}`, size: 8 }));
  expect(new Uint8Array(global.buffer)[0]).toBe(0);
  const store = track(createStore({ name: `Local\\${name}-store`, layout: Job, capacity: 1 }));
  const other = track(openStore(`${name}-store`, Job, { access: 'read-write' }));
  other.write(0, { id: 1, title: 'x', runs: 0n });
  store.write(0, { id: 2, title: 'y', runs: 0n });
  expect(other.read(0).id).toBe(2);
});

test('a header that its maker left unfinished is refused by openers and finished by the next join', () => {
  const name = uniqueName();
  const blank = putForeign(name, new Uint8Array(65_536));
  try {
    expect(() => openStore(name, Job)).toThrow(withCode('SEGMENT_NOT_READY'));
    expect(() => joinStore({ name, layout: Job, capacity: 2 })).toThrow(withCode('SEGMENT_NOT_READY'));
    expect(blank.content().every((byte) => byte === 0)).toBe(true);
  } finally {
    blank.remove();
  }
  const magic = new Uint8Array(65_536);
  magic.set(new TextEncoder().encode('SHARECRD'));
  const halfMade = putForeign(name, magic);
  try {
    // Version 0: nothing but the magic was written.
    expect(() => openStore(name, Job)).toThrow(withCode('SEGMENT_FORMAT'));
    const store = track(joinStore({ name, layout: Job, capacity: 2 }));
    expect(store.created).toBe(true);
    store.write(1, { id: 1, title: 'healed', runs: 1n });
    expect(track(openStore(name, Job)).read(1).title).toBe('healed');
  } finally {
    halfMade.remove();
  }
});
