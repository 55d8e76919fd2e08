// A process of full.test.ts: meets a limit, then goes on with what it has.
import { readdirSync, readFileSync } from 'node:fs';
import koffi from 'koffi';
import { createSegment, createStore, openStore, type StoreWriter, struct, u32 } from 'sharecord';
import { codeOf } from '../torture/verdicts.ts';

const Row = struct('Row', { id: u32 });

const store = createStore({ name: `sharecord-full-${process.pid}`, layout: Row, capacity: 100 });
store.write(99, { id: 7 });
if (process.argv[2] === 'descriptors') {
  const open: { close(): void }[] = [];
  let code = 'done';
  while (code === 'done') code = codeOf(() => open.push(openStore(store.handle, Row)));
  const { id } = store.read(99);
  for (const each of open) each.close();
  openStore(store.handle, Row).close();
  console.log(code, id);
  store.close();
} else if (process.argv[2] === 'mappings') {
  // Pages of changing protection are mappings of their own; all but some of the system's limit are used up.
  const mmap = koffi.load(null).func('intptr_t mmap(intptr_t, size_t, int, int, int, int64_t)');
  const limit = Number(readFileSync('/proc/sys/vm/max_map_count', 'latin1'));
  const [privateAnonymous, pageLength, spare] = [0x22, 4096, 200];
  for (let i = 0; i < limit; i++) {
    if (i % 1000 === 0 && readFileSync('/proc/self/maps', 'latin1').split('\n').length > limit - spare - 1000)
      break;
    mmap(0, pageLength, i % 2, privateAnonymous, -1, 0);
  }
  const open: { close(): void }[] = [];
  let code = 'done';
  while (code === 'done' && open.length < 2000) code = codeOf(() => open.push(openStore(store.handle, Row)));
  const { id } = store.read(99);
  for (const each of open) each.close();
  openStore(store.handle, Row).close();
  console.log(code, id);
  store.close();
} else if (process.argv[2] === 'participants') {
  for (const full of [store, createStore({ backing: 'process', layout: Row, capacity: 100 })]) {
    full.write(99, { id: 7 });
    const open: { close(): void }[] = [];
    let code = 'done';
    const openOne = (): StoreWriter<typeof Row> => openStore(full.handle, Row, { access: 'read-write' });
    while (code === 'done') code = codeOf(() => open.push(openOne()));
    const writers = open.length + 1;
    const { id } = openStore(full.handle, Row).read(99);
    full.write(99, { id: 8 });
    open.pop()?.close();
    const last = openOne();
    last.write(99, { id: full.read(99).id + 1 });
    console.log(code, writers, id, full.read(99).id);
    for (const each of [...open, last, full]) each.close();
  }
} else {
  const tooLarge = codeOf(() => createStore({ name: 'sharecord-large', layout: Row, capacity: 100_000 }));
  const tooLargeToo = codeOf(() => createSegment({ name: 'sharecord-large', size: 1 << 20 }));
  const tooLargeFile = codeOf(() => createSegment({ file: '/dev/shm/large.bin', size: 1 << 20 }));
  const { id } = store.read(99);
  store.close();
  console.log(tooLarge, tooLargeToo, tooLargeFile, id, readdirSync('/dev/shm').length);
}
