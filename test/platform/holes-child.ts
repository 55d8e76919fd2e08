// A process of holes.test.ts, with a small memory file system of its own: reads all of a file that is larger than it, as a store or raw.
import * as fs from 'node:fs';
import { createStore, openSegment, openStore, type SegmentError, struct, u32 } from 'sharecord';

const Row = struct('Row', { id: u32 });
const [path, name, size] = ['/dev/shm/large', 'large', 64 << 20];
const CAPACITY_OFFSET = 32;
const SIZE_OFFSET = 40;
const STRIDE_OFFSET = 56;
const HEADER_LENGTH_OFFSET = 16;

const store = createStore({ name: 'small', layout: Row, capacity: 1 });
const bytes = fs.readFileSync('/dev/shm/small');
const stride = bytes.readUInt32LE(STRIDE_OFFSET);
const capacity = Math.floor((size - bytes.readUInt32LE(HEADER_LENGTH_OFFSET)) / stride);
store.close();
bytes.writeBigUInt64LE(BigInt(capacity), CAPACITY_OFFSET);
bytes.writeBigUInt64LE(BigInt(bytes.readUInt32LE(HEADER_LENGTH_OFFSET) + capacity * stride), SIZE_OFFSET);
fs.writeFileSync(path, bytes);
fs.truncateSync(path, bytes.readUInt32LE(HEADER_LENGTH_OFFSET) + capacity * stride);

if (process.argv[2] === 'raw') {
  const raw = new Uint8Array(openSegment(name).buffer);
  fs.writeSync(1, 'opened\n');
  let sum = 0;
  for (let at = 0; at < raw.length; at += 4096) sum += raw[at]!;
  console.log('read', sum);
} else {
  try {
    const opened = openStore(name, Row);
    for (let index = 0; index < capacity; index++) opened.read(index);
    console.log('read', capacity);
  } catch (error) {
    console.log((error as SegmentError).code);
  }
}
