// A process of guards.test.ts: takes the mutex of a store and is killed while it holds it.
import { array, createRecord, createSegment, f64, joinStore, namedMutex, struct, u32 } from 'sharecord';

const [name, mutex] = process.argv.slice(2) as [string, string];
const Row = struct('Row', { n: u32, values: array(f64, 64) });
const guard = namedMutex(mutex, { timeoutMs: 1000 });
joinStore({ name, layout: Row, capacity: 1, guard }).read(0);
// A store's calls run no code of ours with the mutex held; a record under the same one does.
const Other = struct('Other', { n: u32 });
createRecord(createSegment({ size: 4 }), Other, { guard }).update(() => {
  process.kill(process.pid, 'SIGKILL');
});
