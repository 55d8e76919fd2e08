// A process of files.test.ts: joins and leaves the store in a file again and again, so that it comes and goes under all of them.
// Each time it takes a record of its own from the count that is there to one more, and finds that nobody else changed it.
import { joinSegment, joinStore, struct, u32 } from 'sharecord';

const Row = struct('Row', { count: u32 });
const [file, number, rounds] = process.argv.slice(2) as [string, string, string];
const own = Number(number);
let made = 0;
let wrong = 0;

for (let round = 0; round < Number(rounds); round++) {
  const store = joinStore({ file, layout: Row, capacity: 16 });
  if (store.created) made++;
  const { count } = store.read(own);
  store.update(own, (draft) => {
    draft.count += 1;
  });
  if (store.read(own).count !== count + 1) wrong++;
  store.close();
  const raw = joinSegment({ file: `${file}.raw`, size: 64 });
  if (raw.created) made++;
  Atomics.add(new Int32Array(raw.buffer, 0, 16), own, 1);
  raw.close();
}
console.log(JSON.stringify({ made, wrong }));
