// Who makes, joins and removes named stores, and what crashes leave: each child is a real process.
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import {
  createStore,
  type Handle,
  joinStore,
  listSegments,
  openStore,
  struct,
  u32,
  u64,
  utf8,
  waitForStore,
} from '../../src/index.ts';
import { BAD_NAMES, countHeld, heldMore, isNamed, onWindows, pathOf, putForeign } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';
import { killAfterwards, track } from '../support/track.ts';

const Job = struct('Job', { id: u32, title: utf8(16), runs: u64 });
const child = new URL('./lifetime-child.ts', import.meta.url);
const conditions = ['--conditions=@sharecord/source'];

let serial = 0;
const uniqueName = (): string => `sharecord-test-life-${process.pid}-${serial++}`;

/** Starts a child that makes, joins or opens a store and says so. */
async function start(role: 'create' | 'join' | 'read', source: string | Handle): Promise<ChildProcess> {
  const started = fork(child, [role, JSON.stringify(source)], { execArgv: conditions });
  killAfterwards(started);
  const [message] = await once(started, 'message');
  expect(message).toBe('ready');
  return started;
}

async function end(each: ChildProcess, signal: 'SIGKILL' | 'SIGTERM' | 'close'): Promise<void> {
  const exit = once(each, 'exit');
  if (signal === 'close') each.send('close');
  else each.kill(signal);
  await exit;
}

describe('createStore', () => {
  test('takes the name, and the last close gives it up', () => {
    const name = uniqueName();
    const store = track(createStore({ name, layout: Job, capacity: 2 }));
    expect(isNamed(name)).toBe(true);
    expect(store.segment.name).toBe(name);
    store.close();
    expect(isNamed(name)).toBe(false);
  });

  test('rejects a name in use, by a store, another segment or a foreign file, and leaves it alone', () => {
    const name = uniqueName();
    const store = track(createStore({ name, layout: Job, capacity: 2 }));
    store.write(0, { id: 1, title: 'one', runs: 0n });
    expect(() => createStore({ name, layout: Job, capacity: 2 })).toThrow(withCode('SEGMENT_EXISTS'));
    expect(store.read(0).id).toBe(1);
    // Windows has no memory of no bytes.
    for (const size of onWindows ? [1, 10_000] : [0, 1, 10_000]) {
      const foreign = uniqueName();
      const memory = putForeign(foreign, new Uint8Array(size).fill(0x78));
      try {
        expect(() => createStore({ name: foreign, layout: Job, capacity: 2 })).toThrow(
          withCode('SEGMENT_EXISTS'),
        );
        expect(() => openStore(foreign, Job)).toThrow(withCode('SEGMENT_FOREIGN'));
        expect(() => joinStore({ name: foreign, layout: Job, capacity: 2 })).toThrow(
          withCode('SEGMENT_FOREIGN'),
        );
        expect(isNamed(foreign)).toBe(true);
      } finally {
        memory.remove();
      }
    }
  });

  // Windows keeps a name for its readers: test/windows/lifetime.test.ts has what replaces this.
  test.skipIf(onWindows)('replaces what a killed writer left', async () => {
    const name = uniqueName();
    const writer = await start('create', name);
    expect(() => createStore({ name, layout: Job, capacity: 2 })).toThrow(withCode('SEGMENT_EXISTS'));
    const reader = track(openStore(name, Job));
    await end(writer, 'SIGKILL');
    expect(isNamed(name)).toBe(true);
    expect(reader.read(0)).toEqual({ id: 7, title: 'child', runs: 1n });
    expect(reader.orphaned).toBe(false);
    const store = track(createStore({ name, layout: Job, capacity: 2 }));
    expect(store.created).toBe(true);
    expect(store.read(0).id).toBe(0);
    expect(reader.read(0).id).toBe(7);
    expect(reader.orphaned).toBe(true);
  });

  // Named memory of Windows ends with its last handle: test/windows/lifetime.test.ts.
  test.skipIf(onWindows)('keeps a store with lifetime until-unlink, also after a crash', async () => {
    const name = uniqueName();
    const store = track(createStore({ name, layout: Job, capacity: 2, lifetime: 'until-unlink' }));
    store.write(0, { id: 3, title: 'kept', runs: 0n });
    store.close();
    expect(() => createStore({ name, layout: Job, capacity: 2 })).toThrow(withCode('SEGMENT_EXISTS'));
    const again = track(joinStore({ name, layout: Job, capacity: 2 }));
    expect(again.created).toBe(false);
    expect(again.read(0).title).toBe('kept');
    again.segment.unlink();
    expect(isNamed(name)).toBe(false);
    expect(again.read(0).title).toBe('kept');
  });

  test('refuses bad options before anything is made', () => {
    const good = { name: uniqueName(), layout: Job, capacity: 2 };
    const bad: [object, string][] = [
      [{ ...good, capacity: 0 }, 'VALUE_RANGE'],
      [{ ...good, capacity: 1.5 }, 'VALUE_RANGE'],
      [{ ...good, capacity: '2' }, 'VALUE_TYPE'],
      [{ ...good, layout: {} }, 'VALUE_RANGE'],
      [{ ...good, layout: 'Job' }, 'VALUE_TYPE'],
      [{ ...good, mode: 0o1000 }, 'VALUE_RANGE'],
      [{ ...good, lifetime: 'forever' }, 'VALUE_RANGE'],
      [{ ...good, guard: 'hope' }, 'VALUE_RANGE'],
      [{ ...good, backing: 'paper' }, 'VALUE_RANGE'],
      [{ ...good, backing: 'process' }, 'VALUE_RANGE'],
      [{ layout: Job, capacity: 2, backing: 'named' }, 'VALUE_TYPE'],
      [{ ...good, capacity: 2 ** 32 - 1 }, 'SEGMENT_LIMIT'],
    ];
    for (const [options, expected] of bad) {
      expect(() => createStore(options as typeof good), JSON.stringify(options)).toThrow(withCode(expected));
    }
    expect(() => createStore(undefined as unknown as typeof good)).toThrow(withCode('VALUE_TYPE'));
    for (const name of BAD_NAMES) {
      expect(() => createStore({ ...good, name: name as string })).toThrow(withCode('SEGMENT_NAME'));
      if (typeof name === 'string') expect(() => openStore(name, Job)).toThrow(withCode('SEGMENT_NAME'));
    }
    expect(isNamed(good.name)).toBe(false);
  });

  test('takes 200 bytes of UTF-8, and one leading slash where names are files', () => {
    const name = `${uniqueName()}-`.padEnd(197, 'x') + '簡';
    const store = track(createStore({ name: onWindows ? name : `/${name}`, layout: Job, capacity: 1 }));
    expect(store.segment.name).toBe(name);
    expect(track(openStore(name, Job)).capacity).toBe(1);
  });
});

describe('joinStore', () => {
  test('creates, then joins; data stays until the last writer closes', async () => {
    const name = uniqueName();
    const first = track(joinStore({ name, layout: Job, capacity: 2 }));
    expect(first.created).toBe(true);
    const other = await start('join', name);
    first.close();
    expect(isNamed(name)).toBe(true);
    const second = track(joinStore({ name, layout: Job, capacity: 2 }));
    expect(second.created).toBe(false);
    expect(second.read(0).id).toBe(7);
    second.close();
    expect(isNamed(name)).toBe(true);
    await end(other, 'close');
    expect(isNamed(name)).toBe(false);
  });

  // Windows: memory that nobody has open is gone (test/windows/lifetime.test.ts).
  test.skipIf(onWindows)('goes on with what killed writers left', async () => {
    const name = uniqueName();
    await end(await start('join', name), 'SIGKILL');
    const store = track(joinStore({ name, layout: Job, capacity: 2 }));
    expect(store.created).toBe(false);
    expect(store.read(0)).toEqual({ id: 7, title: 'child', runs: 1n });
    store.close();
    expect(isNamed(name)).toBe(false);
  });

  test('rejects another layout while a writer lives, and replaces it when none does', async () => {
    const name = uniqueName();
    const Other = struct('Job', { id: u64 });
    const writer = await start('create', name);
    expect(() => joinStore({ name, layout: Other, capacity: 2 })).toThrow(withCode('LAYOUT_MISMATCH'));
    expect(() => joinStore({ name, layout: Job, capacity: 3 })).toThrow(withCode('SEGMENT_TOO_SMALL'));
    await end(writer, 'SIGKILL');
    const store = track(joinStore({ name, layout: Other, capacity: 2 }));
    expect(store.created).toBe(true);
    expect(store.read(0)).toEqual({ id: 0n });
  });

  test('eight processes that join at once share one store', async () => {
    const name = uniqueName();
    const all = await Promise.all(Array.from({ length: 8 }, () => start('join', name)));
    const store = track(joinStore({ name, layout: Job, capacity: 2 }));
    expect(store.created).toBe(false);
    expect(store.read(0).runs).toBe(8n);
    await Promise.all(all.map((each) => end(each, 'close')));
    store.close();
    expect(isNamed(name)).toBe(false);
  });
});

describe('openStore', () => {
  test('reports a missing name', () => {
    expect(() => openStore(uniqueName(), Job)).toThrow(withCode('SEGMENT_NOT_FOUND'));
  });

  // Only files can be links, and be cut short.
  test.skipIf(onWindows)('reports a symbolic link and a damaged segment', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sharecord-test-'));
    const link = uniqueName();
    symlinkSync(folder, pathOf(link));
    try {
      expect(() => openStore(link, Job)).toThrow(withCode('SEGMENT_DENIED'));
    } finally {
      unlinkSync(pathOf(link));
      rmSync(folder, { recursive: true });
    }
    const name = uniqueName();
    const store = track(createStore({ name, layout: Job, capacity: 100 }));
    truncateSync(pathOf(name), store.segment.size - 64);
    expect(() => openStore(name, Job)).toThrow(withCode('SEGMENT_FORMAT'));
    truncateSync(pathOf(name), store.segment.size);
    expect(track(openStore(name, Job)).capacity).toBe(100);
  });

  test('opens a handle from another process, by name or through its descriptor', async () => {
    const store = track(createStore({ layout: Job, capacity: 2 }));
    store.write(0, { id: 1, title: 'anonymous', runs: 0n });
    await start('read', store.handle);
    const named = track(createStore({ name: uniqueName(), layout: Job, capacity: 2 }));
    named.segment.unlink();
    await start('read', named.handle);
    const { handle } = store;
    store.close();
    expect(() => openStore(handle, Job)).toThrow(withCode('SEGMENT_NOT_FOUND'));
  });

  test('a handle never opens another segment of the same name', () => {
    const name = uniqueName();
    const first = createStore({ name, layout: Job, capacity: 2 });
    const { handle } = first;
    first.close();
    track(createStore({ name, layout: Job, capacity: 2 }));
    expect(() => openStore(handle, Job)).toThrow(withCode('SEGMENT_NOT_FOUND'));
  });

  test('refuses what is no name or handle', () => {
    for (const source of [undefined, null, 5]) {
      expect(() => openStore(source as unknown as string, Job)).toThrow(withCode('VALUE_TYPE'));
    }
    const lies = [
      { backing: 'anonymous', osHandle: 7, pid: 'self/root/tmp' },
      { backing: 'anonymous', osHandle: 7, pid: 0 },
      { backing: 'named', name: 5 },
      { backing: 'named', name: 'x', identity: {} },
    ];
    for (const source of [
      {},
      { backing: 'paper' },
      { osHandle: -1 },
      { backing: 'named', osHandle: 1.5 },
      ...lies,
    ]) {
      expect(() => openStore(source as unknown as string, Job)).toThrow(withCode('VALUE_RANGE'));
    }
    expect(() => openStore('x', Job, null as unknown as object)).toThrow(withCode('VALUE_TYPE'));
    expect(() => openStore('x', {} as typeof Job)).toThrow(withCode('VALUE_RANGE'));
    expect(() => openStore('x', Job, { access: 'write' as 'read' })).toThrow(withCode('VALUE_RANGE'));
  });
});

// The three that follow make files where Linux keeps segments; a name of another kind on Windows: test/windows/mutex.test.ts.
test.skipIf(onWindows)('a descriptor or name that is no memory object is SEGMENT_FOREIGN, at once', () => {
  const pipe = spawnSync(
    process.execPath,
    [
      ...conditions,
      '--input-type=module',
      '--eval',
      "import { openStore } from 'sharecord'; try { openStore({ osHandle: 0 }); } catch (error) { console.log(error.code); }",
    ],
    {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: 60_000,
    },
  );
  expect(pipe.stdout).toBe('SEGMENT_FOREIGN\n');
  const name = uniqueName();
  mkdirSync(pathOf(name));
  try {
    expect(() => openStore(name, Job)).toThrow(withCode('SEGMENT_FOREIGN'));
    expect(() => joinStore({ name, layout: Job, capacity: 1 })).toThrow(withCode('SEGMENT_FOREIGN'));
    expect(() => createStore({ name, layout: Job, capacity: 1 })).toThrow(withCode('SEGMENT_EXISTS'));
  } finally {
    rmdirSync(pathOf(name));
  }
});

test.skipIf(onWindows)('a store of another format version is left alone', () => {
  const name = uniqueName();
  const store = track(createStore({ name, layout: Job, capacity: 1, lifetime: 'until-unlink' }));
  const bytes = new DataView(store.segment.buffer);
  bytes.setUint32(8, 2, true);
  bytes.setUint32(60, 0, true);
  store.close();
  expect(() => joinStore({ name, layout: Job, capacity: 1 })).toThrow(withCode('SEGMENT_FORMAT'));
  expect(() => createStore({ name, layout: Job, capacity: 1 })).toThrow(withCode('SEGMENT_EXISTS'));
  expect(isNamed(name)).toBe(true);
  unlinkSync(pathOf(name));
});

test.skipIf(onWindows)('listSegments reads what others truncate meanwhile without mapping it', async () => {
  const name = uniqueName();
  writeFileSync(pathOf(name), Buffer.concat([Buffer.from('SHARECRD'), Buffer.alloc(100_000)]));
  const truncater = new Worker(
    `const fs = require('node:fs'); const { path } = require('node:worker_threads').workerData;
     const content = Buffer.concat([Buffer.from('SHARECRD'), Buffer.alloc(100_000, 1)]);
     for (let i = 0; i < 20_000; i++) { fs.truncateSync(path, 0); fs.writeFileSync(path, content); }`,
    { eval: true, workerData: { path: pathOf(name) } },
  );
  let looks = 0;
  const exit = once(truncater, 'exit');
  const state = { ended: false };
  void exit.then(() => (state.ended = true));
  try {
    while (!state.ended) {
      for (let i = 0; i < 50; i++) expect(listSegments().some((each) => each.name === name)).toBe(false);
      looks += 50;
      await new Promise(setImmediate);
    }
  } finally {
    await exit;
    unlinkSync(pathOf(name));
  }
  expect(looks).toBeGreaterThan(0);
});

// PLATFORM: handles of Windows belong to the process: what a terminated worker had open stays open until the process ends.
const keptByWorker = new Set<string>();

/** Collects what nothing holds any more, weak references too. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    // What a turn of the event loop has seen of a weak reference stays for that turn.
    await new Promise(setImmediate);
    collect();
  }
}

describe('a store in worker threads', () => {
  test('a process store is opened for writing again and again: each close frees its slot', () => {
    const store = track(createStore({ backing: 'process', layout: Job, capacity: 2 }));
    for (let i = 0; i < 600; i++) openStore(store.handle, Job, { access: 'read-write' }).close();
    const last = track(openStore(store.handle, Job, { access: 'read-write' }));
    last.write(0, { id: 1, title: 'last', runs: 0n });
    expect(store.read(0).title).toBe('last');
  });

  test.each(['by message, to workers that were there first', 'as workerData'])(
    'a terminated worker of a process store handed over %s frees its lock after the creator has closed and forgotten it',
    async (way) => {
      const start = (file: string, workerData?: unknown): Worker =>
        new Worker(new URL(file, import.meta.url), { workerData, execArgv: conditions });
      const files = ['./lifetime-worker.ts', './survivor-worker.ts'] as const;
      const early = way === 'as workerData' ? [] : files.map((file) => start(file));
      await Promise.all(early.map((worker) => once(worker, 'online')));
      const handOver = async (): Promise<readonly Worker[]> => {
        const store = createStore({ backing: 'process', layout: Job, capacity: 2 });
        const workers: Worker[] = [];
        // One after the other: the first takes slot 1.
        for (const [i, file] of files.entries()) {
          const worker = early[i] ?? start(file, store.handle);
          const answer = once(worker, 'message');
          if (early.length > 0) worker.postMessage(store.handle);
          await answer;
          workers.push(worker);
        }
        store.close();
        return workers;
      };
      const [dying, survivor] = (await handOver()) as [Worker, Worker];
      await collectGarbage();
      await dying.terminate();
      survivor.postMessage('write');
      const [answer] = await once(survivor, 'message');
      expect(answer).toBe('after');
      await survivor.terminate();
    },
  );

  test('crosses as workerData and postMessage, and a terminated worker frees its slot and its lock', async () => {
    for (const options of [{ name: uniqueName() }, {}, { backing: 'process' as const }] as {
      name?: string;
      backing?: 'process';
    }[]) {
      const store = track(createStore({ ...options, layout: Job, capacity: 2 }));
      const worker = new Worker(new URL('./lifetime-worker.ts', import.meta.url), {
        workerData: store.handle,
        execArgv: conditions,
      });
      const [message] = await once(worker, 'message');
      expect(message).toBe('locked');
      await worker.terminate();
      if (onWindows && options.name !== undefined) keptByWorker.add(options.name);
      // The worker died inside its write, holding the lock of record 0.
      store.write(0, { id: 2, title: 'after', runs: 0n });
      expect(store.read(0).title).toBe('after');
      expect(store.read(1)).toEqual({ id: 9, title: 'worker', runs: 0n });
    }
  });
});

test('a process that ends without close() leaves no name', async () => {
  const name = uniqueName();
  const writer = await start('create', name);
  const exit = once(writer, 'exit');
  writer.send('exit');
  await exit;
  expect(isNamed(name)).toBe(false);
});

test('waitForStore resolves once the store exists, and gives up after timeoutMs or an abort', async () => {
  const name = uniqueName();
  setTimeout(() => track(createStore({ name, layout: Job, capacity: 2 })), 30);
  const reader = track(await waitForStore(name, Job, { timeoutMs: 20_000 }));
  expect(reader.capacity).toBe(2);
  await expect(waitForStore(uniqueName(), Job, { timeoutMs: 5 })).rejects.toMatchObject({
    code: 'SEGMENT_NOT_FOUND',
  });
  const reason = new Error('enough');
  const waiting = waitForStore(uniqueName(), Job, { signal: AbortSignal.abort(reason) });
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError', cause: reason });
  const noSignal = {} as AbortSignal;
  await expect(waitForStore(name, Job, { signal: noSignal })).rejects.toMatchObject({ code: 'VALUE_TYPE' });
  await expect(waitForStore(name, struct('X', { x: u32 }))).rejects.toMatchObject({
    code: 'LAYOUT_MISMATCH',
  });
  await expect(waitForStore(name, Job, { timeoutMs: -1 })).rejects.toMatchObject({ code: 'VALUE_RANGE' });
});

test('listSegments names managed segments only', () => {
  const name = uniqueName();
  const store = track(createStore({ name, layout: Job, capacity: 5 }));
  const foreign = uniqueName();
  const memory = putForeign(foreign, new Uint8Array(5000).fill(0x78));
  try {
    const listed = listSegments();
    expect(listed).toContainEqual({
      name,
      kind: 'store',
      layout: 'Job',
      capacity: 5,
      size: store.segment.size,
    });
    expect(listed.map((each) => each.name)).not.toContain(foreign);
  } finally {
    memory.remove();
  }
});

test('opening and closing 2 000 times leaks neither descriptors, handles nor mappings', () => {
  const name = uniqueName();
  track(createStore({ name, layout: Job, capacity: 2 }));
  const openOnce = (access: 'read' | 'read-write'): void => openStore(name, Job, { access }).close();
  // The first open loads what stays loaded.
  openOnce('read-write');
  const before = countHeld();
  for (let i = 0; i < 2000; i++) {
    openOnce(i % 2 === 0 ? 'read' : 'read-write');
  }
  // Windows: a few handles of the runtime come and go meanwhile.
  expect(heldMore(before)).toBeLessThan(onWindows ? 25 : 1);
});

test('nothing of these tests is left in shared memory', () => {
  for (let i = 0; i < serial; i++) {
    const name = `sharecord-test-life-${process.pid}-${i}`;
    expect(isNamed(name), name).toBe(keptByWorker.has(name));
  }
});
