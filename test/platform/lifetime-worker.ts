// A worker of lifetime.test.ts: writes record 1, then takes the lock of record 0 as a write does, and never gives it back.
// Without data it gets its handle by message.
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { type Handle, openStore, struct, u32, u64, utf8 } from 'sharecord';

const Job = struct('Job', { id: u32, title: utf8(16), runs: u64 });
const handle = (workerData ?? (await once(parentPort!, 'message'))[0]) as Handle;
const store = openStore(handle, Job, { access: 'read-write' });
store.write(1, { id: 9, title: 'worker', runs: 0n });

// docs/segment-format.md: the header length is at byte 16, the epochs at 320; the lock is word 1 of a slot. This worker is the
// second participant, in slot 1.
const words = new Int32Array(store.segment.buffer);
const slot = words[16 / 4]! / 4;
const epoch = words[320 / 4 + 1]!;
words[slot + 1] = (epoch << 8) | 1;
words.fill(-1, slot + 4, slot + 6);
parentPort?.postMessage('locked');
setInterval(() => {}, 1000);
