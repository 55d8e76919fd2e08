// A process of lost-wakeups.test.ts: two stores, each watched twice, and what its watches gave and warned.
import { createStore, struct, u32 } from '../../src/index.ts';

const Row = struct('Row', { value: u32 });
let warnings = 0;
process.on('warning', ({ name }) => void (warnings += name === 'SharecordWarning' ? 1 : 0));

const stores = [0, 1].map(() => createStore({ layout: Row, capacity: 1 }));

async function follow(at: number): Promise<number[]> {
  const values: number[] = [];
  for await (const { record } of stores[at]!.watch(0)) {
    values.push(record.value);
    if (values.length === 3) break;
    // The next one is written when this one was seen, so that none is skipped.
    stores[at]!.write(0, { value: record.value + 1 });
  }
  return values;
}

for (const store of stores) store.write(0, { value: 1 });
const [values, others] = await Promise.all([follow(0), follow(1)]);
await new Promise((resolve) => setImmediate(resolve));
console.log(JSON.stringify({ values, others, warnings }));
for (const store of stores) store.close();
