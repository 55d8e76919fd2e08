// A process of failing-calls.test.ts, preloaded with native/failing-calls.c: lets each call of each operation fail in its turn and
// prints one line of JSON per fault: what the operation said, whether that names its segment, and whether it left anything behind.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import {
  createMap,
  createSegment,
  createStore,
  joinSegment,
  joinStore,
  namedMutex,
  openRecord,
  openSegment,
  openStore,
  type Segment,
  type SegmentError,
  struct,
  u32,
  unguarded,
  utf8,
} from 'sharecord';
import { countHeld, isNamed } from '../support/system.ts';

const libc = koffi.load(null);
const failNext = libc.func('void fail_next(const char *, int, int)');
const callsUntilFailure = libc.func('int calls_until_failure()');

const FAULTS: readonly (readonly [call: string, errno: number])[] = [
  ['open', 24], // EMFILE
  ['open', 23], // ENFILE
  ['mmap', 12], // ENOMEM: the limit of mappings too
  ['fcntl', 37], // ENOLCK
  ['posix_fallocate', 28], // ENOSPC
  ['posix_fallocate', 4], // EINTR
  ['memfd_create', 24],
  ['linkat', 28],
  ['fstat', 12],
  ['fchmod', 12],
];

const Row = struct('Row', { id: u32, text: utf8(100) });
const name = `sharecord-test-failing-${process.pid}`;
const other = `${name}-other`;
const store = createStore({ name, layout: Row, capacity: 4 });
const options = { name: other, layout: Row, capacity: 4 };
const key = utf8(8);

const operations: Record<string, () => { close(): void }> = {
  createStore: () => createStore(options),
  'createStore without a name': () => createStore({ layout: Row, capacity: 4 }),
  'createStore with a named mutex': () =>
    createStore({ ...options, guard: namedMutex(`${other}-mutex`, { timeoutMs: 100 }) }),
  'joinStore of nothing': () => joinStore(options),
  'joinStore of a store': () => joinStore({ ...options, name }),
  'openStore for reading': () => openStore(name, Row),
  'openStore for writing': () => openStore(store.handle, Row, { access: 'read-write' }),
  createMap: () => createMap({ ...options, key }),
  createSegment: () => createSegment({ name: other, size: 5000 }),
  joinSegment: () => joinSegment({ name: other, size: 5000 }),
  openSegment: () => openSegment(name, { offset: 100, length: 10, access: 'copy-on-write' }),
};

for (const [operation, open] of Object.entries(operations)) {
  open().close(); // loads what stays loaded
  for (const [call, errno] of FAULTS) {
    for (let turn = 1, reached = true; reached; turn++) {
      const before = JSON.stringify(countHeld());
      let [outcome, told] = ['done', name];
      let opened: { close(): void } | undefined;
      failNext(call, errno, turn);
      try {
        opened = open();
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        outcome = code ?? message;
        told = message;
      }
      reached = callsUntilFailure() === 0;
      failNext('', 0, 0);
      opened?.close();
      const left = JSON.stringify(countHeld()) !== before || isNamed(other) || isNamed(`${other}-mutex`);
      store.write(3, { id: turn, text: operation });
      const works = store.read(3).id === turn;
      const names = told.includes(name) || operation.includes('without a name');
      if (reached) console.log(JSON.stringify({ operation, call, errno, turn, outcome, names, left, works }));
    }
  }
  open().close();
}
store.close();

// A flush must reach msync: with EIO there it is told, and the next one goes through.
const folder = mkdtempSync(join(tmpdir(), 'sharecord-test-failing-'));
const flushed: Record<string, () => { readonly segment: Segment; close(): void }> = {
  'flush of a file': () => {
    const segment = createSegment({ file: join(folder, 'segment'), size: 5000 });
    return { segment, close: () => segment.close() };
  },
  'flush of a record in a file': () =>
    openRecord(createSegment({ file: join(folder, 'record'), size: 200 }), Row, {
      guard: unguarded(),
      access: 'read-write',
    }),
  'flush of a store in a file': () => createStore({ file: join(folder, 'store'), layout: Row, capacity: 4 }),
  'flush of a map in a file': () => createMap({ file: join(folder, 'map'), layout: Row, capacity: 4, key }),
};
for (const [operation, open] of Object.entries(flushed)) {
  const opened = open();
  const { segment } = opened;
  const outcomes = [5, 0].map((errno) => {
    failNext('msync', errno, errno === 0 ? 0 : 1);
    try {
      segment.flush();
      return 'done';
    } catch (error) {
      const { code, syscall, osCode } = error as SegmentError;
      return `${code} ${syscall} ${osCode}`;
    }
  });
  console.log(JSON.stringify({ operation, call: 'msync', outcome: outcomes.join(', ') }));
  opened.close();
  segment.close();
}
rmSync(folder, { recursive: true });
