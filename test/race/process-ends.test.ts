// Ends and beginnings that could be mistaken for others: reused process numbers, namespaces, inherited descriptors, terminated
// threads, and exits in the middle of a wait.
//
//   a process has the number of a dead writer             the dead one's lock is stolen all the same
//   a writer in another pid namespace is stopped          LOCK_TIMEOUT: it lives, although nobody here knows its number
//   a program that a dead writer started lives            the lock is stolen: handed over descriptors hold no lock
//   a copy of a dead writer made by fork(2) lives         LOCK_TIMEOUT: it has all that the writer had
//   worker.terminate() inside a write                     as kill -9
//   process.exit() in a waiting state                     the process ends, others go on
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createMap, createRecord, createStore, type StoreOptions, unguarded } from '../../src/index.ts';
import { Bed, NODE, Peer, until } from '../support/bed.ts';
import { isStopped } from '../support/ending.ts';
import { isMutexNamed, isNamed, onWindows } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';
import { killMapAt, MAP_SCENARIOS } from '../torture/map-scenarios.ts';
import { killAt } from '../torture/deaths.ts';
import { setScene, startVictim, victimCommand } from '../torture/scenarios.ts';
import { terminateThere } from '../torture/victim-thread.ts';
import { Fields, FieldsByText, fieldsKind, lockOf, rawSlot } from './records.ts';

const addOne = (draft: ReturnType<typeof Fields.zero>): void => void fieldsKind.fill(draft, draft.a + 1);

const mayRun = (...command: string[]): boolean =>
  spawnSync('unshare', ['--pid', '--fork', '--mount-proc', ...command]).status === 0;
const mayUnshare = mayRun('true');
// PLATFORM: proc_sys_kernel(5), ns_last_pid: a kernel with checkpoints, and a process that may make them.
const mayChooseNumber = mayUnshare && mayRun('sh', '-c', 'echo 100 > /proc/sys/kernel/ns_last_pid');

/** Runs a command in a pid namespace of its own, not as its process 1, which no signal of its own stops. */
const inPidNamespace = (command: readonly string[]): [string, string[]] => [
  'unshare',
  ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', '"$@"; exit $?', 'sh', ...command],
];

describe.skipIf(!mayUnshare)('process numbers (skipped where unshare is not allowed)', () => {
  const title = 'a dead writer whose number a living process has is dead';
  test.skipIf(!mayChooseNumber)(`${title} (skipped where ns_last_pid is not writable)`, async () => {
    const bed = new Bed();
    const name = bed.name('pid-reuse');
    const { store } = await setScene(bed, 'write', name);
    const victim = victimCommand('write', name, 'kill', { scenario: 'write', step: 'write 4', pass: 1 });
    // The kernel gives the number after the last one; `sleep` gets that of the dead writer.
    const launcher = new Peer(
      ...inPidNamespace([
        'sh',
        '-c',
        `echo ready; "$@" & dead=$!; wait $dead; echo $((dead - 1)) > /proc/sys/kernel/ns_last_pid; sleep 60 & echo "{\\"dead\\":$dead,\\"living\\":$!}"; read line; kill $!`,
        'sh',
        ...victim,
      ]),
      'pid namespace',
    );
    bed.adopt(launcher);
    const { dead, living } = await launcher.report(({ dead }) => dead !== undefined);
    expect(living).toBe(dead);
    expect(lockOf(rawSlot(store!.segment.buffer, 0))).not.toBe(0);
    store!.update(0, addOne);
    expect(store!.read(0).a).toBe(2);
    launcher.child.stdin?.end();
    await launcher.exited;
  });

  test('a stopped writer of another pid namespace is alive, from both sides', async () => {
    const bed = new Bed();
    const name = bed.name('pid-namespace');
    const { store } = await setScene(bed, 'write', name);
    const point = { scenario: 'write', step: 'write 4', pass: 1 } as const;
    // Stopped inside, tried from outside.
    const inner = bed.adopt(
      new Peer(...inPidNamespace(victimCommand('write', name, 'stop', point)), 'inner writer'),
    );
    await inner.ready;
    const slot = rawSlot(store!.segment.buffer, 0);
    await until('a lock', () => lockOf(slot) !== 0);
    expect(() => store!.update(0, addOne)).toThrow(withCode('LOCK_TIMEOUT'));
    expect(store!.read(0).a).toBe(1);
    inner.kill('SIGKILL');
    await inner.exited;
    await until('its death', () => {
      try {
        store!.update(0, addOne);
        return true;
      } catch {
        return false;
      }
    });
    expect(store!.read(0).a).toBe(2);
    // Stopped outside, tried from inside.
    const outer = startVictim(bed, 'write', name, 'stop', point);
    await until('the stop', () => isStopped(outer));
    const put = [
      NODE,
      '--conditions=@sharecord/source',
      fileURLToPath(new URL('./node-peer.ts', import.meta.url)),
      'put',
      name,
      'fields',
      '8',
    ];
    const other = bed.adopt(new Peer(...inPidNamespace(put), 'inner put'));
    expect(await other.result()).toEqual({ status: 'LOCK_TIMEOUT', value: 2 });
    outer.kill('SIGKILL');
    await outer.exited;
    const next = bed.adopt(new Peer(...inPidNamespace(put), 'inner put'));
    expect(await next.result()).toEqual({ status: 'OK', value: 3 });
  });
});

// A handle of Windows that a child inherits has no lock either: nothing but a thread holds a mutex.
test.skipIf(onWindows)(
  'a program that got the descriptor of a dead writer keeps nothing of it alive',
  async () => {
    const bed = new Bed();
    const name = bed.name('heir');
    const { store } = await setScene(bed, 'write', name);
    const victim = startVictim(bed, 'write with an heir', name, 'kill', {
      scenario: 'write',
      step: 'write 4',
      pass: 1,
    });
    await victim.exited;
    const heir = Number((await victim.report())['heir']);
    expect(fs.readlinkSync(`/proc/${heir}/fd/3`)).toContain(name);
    store!.update(0, addOne);
    expect(store!.read(0).a).toBe(2);
    process.kill(heir);
  },
);

// Windows has no fork.
test.skipIf(onWindows)('a copy of a dead native writer, made by fork, is taken for it', async () => {
  const bed = new Bed();
  const name = bed.name('forked');
  const { store } = await setScene(bed, 'write', name);
  const writer = bed.native('fork', name, 0);
  const { pid } = await writer.report();
  try {
    expect(() => store!.update(0, addOne)).toThrow(withCode('LOCK_TIMEOUT'));
  } finally {
    process.kill(Number(pid), 'SIGKILL');
  }
  await writer.exited;
  store!.update(0, addOne);
  expect(store!.read(0).a).toBe(2);
});

/** A path that nothing has. */
function fileOfTest(): string {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'sharecord-test-ends-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  return path.join(folder, 'store');
}

describe('worker.terminate()', () => {
  const options = { layout: Fields, capacity: 2 };
  test.each<readonly [kind: string, make: (bed: Bed) => StoreOptions<typeof Fields>]>([
    // On Windows handles of a terminated worker, and with them names and files, stay until its process ends (docs/windows.md).
    ['a named store', (bed) => ({ ...options, name: bed.name('terminated') + (onWindows ? '-kept' : '') })],
    ...(onWindows ? [] : [['a store in a file', () => ({ ...options, file: fileOfTest() })] as const]),
    ['an anonymous store', () => options],
    ['a process store', () => ({ ...options, backing: 'process' })],
  ])('inside a write of %s leaves what was committed, and others go on', async (_kind, make) => {
    const bed = new Bed();
    const options = make(bed);
    const store = bed.keep(createStore(options));
    const slot = rawSlot(store.segment.buffer, 0);
    let committed = 1;
    store.write(0, fieldsKind.fill(Fields.zero(), committed));
    for (const step of onWindows ? ['write 4'] : ['write 3, next field', 'write 4', 'write 5']) {
      const command = victimCommand('write', '', 'block', { scenario: 'write', step, pass: 1 });
      await terminateThere(command, store.handle);
      expect(lockOf(slot)).not.toBe(0);
      if (step === 'write 5') committed++;
      expect(fieldsKind.valueOf(store.read(0)), step).toBe(committed);
      store.update(0, addOne);
      expect(store.generation(0), step).toBe(++committed);
      expect(lockOf(slot)).toBe(0);
    }
    store.close();
    if (options.file !== undefined) expect(fs.readdirSync(path.dirname(options.file))).toEqual([]);
  });

  // The verdicts of these two ask for names that are gone.
  test.skipIf(onWindows).each([
    ['write under a seqlock', 'seqlock write 3'],
    ['write under a seqlock', 'seqlock write 4'],
    ['write under a seqlock', 'seqlock write 6'],
    ['update under a mutex', 'write 3'],
    ['update under a mutex', 'write 5'],
  ] as const)('inside %s, at %s, is as kill -9', async (scenario, step) => {
    await killAt(new Bed(), { scenario, step, pass: 1 }, 'create', 'terminate()');
  });

  test.skipIf(onWindows).each([
    ['insert into a fresh slot', 'change 4'],
    ['insert into a fresh slot', 'insert 3'],
    ['insert into a slot used before', 'write 5'],
    ['delete of key 4 of eight', 'finish 3'],
    ['insert that makes the index anew', 'rebuild 3'],
  ])('inside a change of a map, %s, at %s, is as kill -9', async (title, step) => {
    const scenario = MAP_SCENARIOS.find((each) => each.title === title)!;
    await killMapAt(new Bed(), { scenario, step, pass: 1 }, 'terminate()');
  });
});

describe('process.exit()', () => {
  test.each([
    'a watch of one record',
    'a watch of all records by a reader',
    'a watch of one key of a map',
    'a watch of all keys of a map by a reader',
    'a watch of a foreign record',
    'waitForStore',
    'waitForMap',
    'a withLock that holds the mutex',
    'a withLock that waits for another',
    'a worker that waits for the lock of a record',
    'the callback of an update',
    'a store that it alone has open',
  ])('during %s ends the process, and others go on', async (state) => {
    const bed = new Bed();
    const name = bed.name('exit');
    const store = bed.keep(createStore({ name, layout: Fields, capacity: 2 }));
    store.write(0, fieldsKind.fill(Fields.zero(), 1));
    const map = bed.keep(createMap({ name: `${name}-map`, ...FieldsByText, capacity: 2 }));
    map.set('a', Fields.zero());
    const record = bed.keep(createRecord(`${name}-watched`, Fields, { guard: unguarded() }));
    const script = fileURLToPath(new URL('../torture/exit-child.ts', import.meta.url));
    const child = bed.adopt(new Peer(NODE, ['--conditions=@sharecord/source', script, state, name], state));
    expect(await child.exited).toEqual({ code: 7, signal: null });
    expect(child.reports).toEqual([{ left: 'yes' }]);
    expect(store.read(0).a).toBe(1);
    store.update(0, addOne);
    expect(store.generation(0)).toBe(2);
    const slot = rawSlot(store.segment.buffer, 1);
    if (state.startsWith('a worker')) Atomics.store(slot.words, slot.sequence + 1, 0);
    store.update(1, addOne);
    map.set('b', Fields.zero());
    expect([...map.keys()]).toEqual(['a', 'b']);
    record.write(fieldsKind.fill(Fields.zero(), 2));
    expect(record.read().a).toBe(2);
    for (const each of [store, map, record]) each.close();
    if (onWindows) {
      const ends = ['', '-map', '-watched', '-missing', '-record'];
      expect(ends.filter((end) => isNamed(name + end))).toEqual([]);
      expect(isMutexNamed(`${name}-mutex`)).toBe(false);
      return;
    }
    const left = fs.readdirSync('/dev/shm').filter((each) => each.startsWith(name));
    // Who dies with a mutex leaves its segment to the next owner, who is told of the death.
    expect(left.filter((each) => !/-(mutex|record|watched)$/.test(each))).toEqual([]);
    for (const each of left) fs.rmSync(`/dev/shm/${each}`);
  });
});
