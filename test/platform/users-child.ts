// A process of users.test.ts: becomes the user whose id it is given, then does what its parent asks and answers with a value or
// the code of the error.
import * as fs from 'node:fs';
import koffi from 'koffi';
import {
  createMap,
  createRecord,
  createSegment,
  createStore,
  joinMap,
  joinRecord,
  joinSegment,
  joinStore,
  listSegments,
  namedMutex,
  openMap,
  openRecord,
  openSegment,
  openStore,
  struct,
  u32,
  unguarded,
  utf8,
} from 'sharecord';
import { EPOCHS_WORD, readHeader } from '../../src/store/segment-header.ts';
import { SLOT_LOCK_WORD } from '../../src/sync/cells.ts';

const PR_SET_DUMPABLE = 4;
const user = Number(process.argv[2]);
// Loads what the library needs of the system, which the other user may not be able to read.
createSegment({ size: 1 }).close();
process.setgroups!([]);
process.setgid!(user);
process.setuid!(user);
// PLATFORM: a process that changed its user has /proc/self closed to itself until it allows it again (proc(5), prctl(2)).
koffi.load('libc.so.6').func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)')(
  PR_SET_DUMPABLE,
  1,
  0,
  0,
  0,
);

const layout = struct('Row', { n: u32 });
const capacity = 2;
const key = utf8(8);
const guard = unguarded();
const kept: { close(): void }[] = [];
const keep = <T extends { close(): void }>(thing: T): T => {
  kept.push(thing);
  return thing;
};

/** An owner word of epoch 1; slot 0 is this process, slot 9 nobody. */
const EPOCH_1 = 1 << 8;
const NOBODY = 9;

/** Leaves record 0 of a seqlock store as a writer has it that is inside, or that died there. */
function enterWrite(name: string, dead: boolean): void {
  const { segment } = keep(openStore(name, layout, { access: 'read-write' }));
  const words = new Int32Array(segment.buffer);
  const slot = readHeader(new Uint8Array(segment.buffer), name, 'store', layout).headerLength / 4;
  if (dead) words[EPOCHS_WORD + NOBODY] = 1;
  Atomics.store(words, slot + SLOT_LOCK_WORD, dead ? EPOCH_1 | NOBODY : EPOCH_1);
  Atomics.store(words, slot, Atomics.load(words, slot) | 1);
}

type Options = Record<string, unknown> & { name: string };
/** What may be asked; each gives something that can be told. */
const acts: Record<string, (options: Options) => unknown> = {
  createSegment: (options) => keep(createSegment({ ...options, size: 64 })).created,
  joinSegment: (options) => keep(joinSegment({ ...options, size: 64 })).created,
  openSegment: ({ name, ...rest }) => keep(openSegment(name, rest)).size,
  createStore: (options) => keep(createStore({ ...options, layout, capacity })).created,
  joinStore: (options) => keep(joinStore({ ...options, layout, capacity })).created,
  openStore: ({ name, ...rest }) => keep(openStore(name, layout, rest)).read(0),
  writeStore: ({ name, n, ...rest }) =>
    keep(openStore(name, layout, { ...rest, access: 'read-write' })).write(0, { n: n as number }),
  createSeqlock: (options) => keep(createStore({ ...options, layout, capacity, guard: 'seqlock' })).created,
  enterWrite: ({ name, dead }) => enterWrite(name, dead as boolean),
  createMap: (options) => keep(createMap({ ...options, key, layout, capacity })).created,
  joinMap: (options) => keep(joinMap({ ...options, key, layout, capacity })).created,
  openMap: ({ name, ...rest }) => keep(openMap(name, { key, layout }, rest)).size,
  createRecord: ({ name, ...rest }) => keep(createRecord(name, layout, { ...rest, guard })).created,
  joinRecord: ({ name, ...rest }) => keep(joinRecord(name, layout, { ...rest, guard })).created,
  openRecord: ({ name, ...rest }) => keep(openRecord(name, layout, { ...rest, guard })).read(),
  lockRecord: ({ name, ...rest }) => {
    const segment = keep(createSegment({ size: 64 }));
    const mutex = namedMutex(name, { timeoutMs: 50 });
    return keep(createRecord(segment, layout, { ...rest, guard: mutex })).read();
  },
  openHandle: ({ handle }) => keep(openSegment(handle as never)).size,
  handle: ({ name }) => keep(openSegment(name)).handle,
  list: ({ name }) => listSegments().some((each) => each.name === name),
  mode: ({ name }) => (fs.statSync(`/dev/shm/${name}`).mode & 0o7777).toString(8),
  readFile: ({ name }) => fs.readFileSync(`/dev/shm/${name}`).length,
  writeFile: ({ name }) => fs.writeFileSync(`/dev/shm/${name}`, 'x'),
  removeFile: ({ name }) => fs.unlinkSync(`/dev/shm/${name}`),
  close() {
    for (const thing of kept.splice(0)) thing.close();
  },
};

process.on('message', ({ act, options }: { act: string; options: Options }) => {
  try {
    process.send!({ value: acts[act]!(options) });
  } catch (error) {
    process.send!({ value: (error as { code?: string }).code ?? String(error) });
  }
});
process.on('disconnect', () => process.exit());
process.send!({ value: process.getuid!() });
