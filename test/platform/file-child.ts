// A process of files-elsewhere.test.ts: uses files as segments in a folder and says what it saw.
import { readdirSync } from 'node:fs';
import { createSegment, createStore, openStore, SharecordError, struct, u32 } from 'sharecord';

const folder = process.argv[2]!;
const file = `${folder}/data.bin`;
const Row = struct('Row', { id: u32 });
const seen: unknown[] = [];

const store = createStore({ file, layout: Row, capacity: 2 });
store.write(1, { id: 5 });
seen.push(readdirSync(folder).length, openStore({ file }, Row).read(1).id);
try {
  createSegment({ file, size: 8 });
} catch (error) {
  seen.push(error instanceof SharecordError ? error.code : error);
}
seen.push(readdirSync(folder).length);
try {
  createSegment({ file: `${folder}/large.bin`, size: 2 ** 52 });
} catch (error) {
  seen.push(error instanceof SharecordError ? error.code : error);
}
store.close();
seen.push(readdirSync(folder).length);
console.log(JSON.stringify(seen));
