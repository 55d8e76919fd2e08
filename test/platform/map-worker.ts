// A worker of map.test.ts: adds keys of its own, takes half of them away, and adds to the counter that all share.
import { workerData } from 'node:worker_threads';
import { type Handle, openMap, struct, u32, utf8 } from 'sharecord';

const { handle, id, rounds } = workerData as { handle: Handle; id: number; rounds: number };
const definition = { key: utf8(12), layout: struct('Count', { value: u32 }) };
const map = openMap(handle, definition, { access: 'read-write' });
for (let i = 0; i < rounds; i++) {
  const key = `${id}/${i % 10}`;
  map.set(key, { value: i });
  if (map.get(key)?.value !== i) throw new Error(`${key} is not what this worker set`);
  if (i % 2 === 1) map.delete(key);
  map.update('all', (draft) => void draft.value++);
}
map.close();
