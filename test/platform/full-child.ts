// A process of full.test.ts: meets a limit, then goes on with what it has.
import { readdirSync } from 'node:fs';
import { createSegment, createStore, openStore, SharecordError, struct, u32 } from 'sharecord';

const Row = struct('Row', { id: u32 });

function codeOf(call: () => unknown): string {
  try {
    call();
    return 'done';
  } catch (error) {
    if (error instanceof SharecordError) return error.code;
    throw error;
  }
}

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
} else {
  const tooLarge = codeOf(() => createStore({ name: 'sharecord-large', layout: Row, capacity: 100_000 }));
  const tooLargeToo = codeOf(() => createSegment({ name: 'sharecord-large', size: 1 << 20 }));
  const { id } = store.read(99);
  store.close();
  console.log(tooLarge, tooLargeToo, id, readdirSync('/dev/shm').length);
}
