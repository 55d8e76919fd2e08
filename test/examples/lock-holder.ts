// A process of zones.test.ts that takes a named mutex and waits to be killed with it.
import { joinRecord, namedMutex, struct, u32 } from 'sharecord';

const [name, mutex] = process.argv.slice(2) as [string, string];
const record = joinRecord(name, struct('Any', { word: u32 }), {
  guard: namedMutex(mutex, { timeoutMs: 1000 }),
});
await record.withLock(async () => {
  console.log('locked');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
