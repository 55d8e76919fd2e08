// A worker of lifetime.test.ts that outlives another: writes record 0 when told, and answers what it then reads.
// Without data it gets its handle by message.
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { type Handle, openStore, struct, u32, u64, utf8 } from 'sharecord';

const Job = struct('Job', { id: u32, title: utf8(16), runs: u64 });
const handle = (workerData ?? (await once(parentPort!, 'message'))[0]) as Handle;
const store = openStore(handle, Job, { access: 'read-write' });
parentPort?.on('message', () => {
  try {
    store.write(0, { id: 1, title: 'after', runs: 0n });
    parentPort?.postMessage(store.read(0).title);
  } catch (error) {
    parentPort?.postMessage(String(error));
  }
});
parentPort?.postMessage('ready');
