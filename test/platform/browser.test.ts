// Stores in a browser: memory of the process alone, in the page and in a worker, without Node and without koffi.
import { expect, test } from 'vitest';
import { hasBrowser, runInBrowser } from '../support/browser.ts';

const definition = `
import { createStore, openStore, struct, f64, u32, utf8 } from 'sharecord';
const Row = struct('Row', { id: u32, value: f64, name: utf8(16) });
`;

const page = `${definition}
export default async function () {
  const store = createStore({ layout: Row, capacity: 4 });
  store.write(0, { id: 1, value: 0.5, name: 'page' });
  const worker = new Worker('/worker.js', { type: 'module' });
  worker.postMessage(store.handle);
  const seen = [];
  for await (const { generation, record } of store.watch(0)) {
    seen.push({ generation, ...record });
    if (record.name === 'worker') break;
  }
  worker.terminate();
  let code;
  try { createStore({ name: 'x', layout: Row, capacity: 1 }); } catch (error) { code = error.code; }
  const backing = store.segment.backing;
  store.close();
  let closed;
  try { store.read(0); } catch (error) { closed = error.code; }
  return { backing, first: seen[0], last: seen.at(-1), code, closed, node: typeof process };
}`;

const worker = `
import { openStore } from 'sharecord';
addEventListener('message', ({ data }) => {
  const store = openStore(data, undefined, { access: 'read-write' });
  store.update(0, (draft) => { draft.name = 'worker'; draft.id += 1; });
});`;

test.skipIf(!hasBrowser)(
  'a store crosses from a page to its worker (skipped where chromium is not installed)',
  async () => {
    const result = await runInBrowser(page, { '/worker.js': worker });
    expect(result).toEqual({
      backing: 'process',
      first: { generation: 1, id: 1, value: 0.5, name: 'page' },
      last: { generation: 2, id: 2, value: 0.5, name: 'worker' },
      code: 'SEGMENT_UNSUPPORTED',
      closed: 'STORE_CLOSED',
      node: 'undefined',
    });
  },
);
