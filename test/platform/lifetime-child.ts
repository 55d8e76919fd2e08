// A process of lifetime.test.ts: makes, joins or opens a store, says 'ready', and ends as it is told.
import { type Handle, createStore, joinStore, openStore, struct, u32, u64, utf8 } from 'sharecord';

const Job = struct('Job', { id: u32, title: utf8(16), runs: u64 });
const [role, source] = process.argv.slice(2) as [string, string];
const from = JSON.parse(source) as string | Handle;

const place = typeof from === 'object' && 'file' in from ? { file: from.file } : { name: from as string };
const options = { ...place, layout: Job, capacity: 2 };

function make(): { close(): void } {
  if (role === 'read') {
    const reader = openStore(from, Job);
    reader.read(0);
    return reader;
  }
  const writer = role === 'create' ? createStore(options) : joinStore(options);
  writer.update(0, (draft) => {
    Object.assign(draft, { id: 7, title: 'child' });
    draft.runs += 1n;
  });
  return writer;
}
const store = make();

process.on('message', (order) => {
  if (order === 'exit') process.exit(0);
  store.close();
  process.disconnect();
});
process.send?.('ready');
