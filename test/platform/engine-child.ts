// A process of engine.test.ts: uses a store in every way and says which code read it; or watches and ends as it is told.
import assert from 'node:assert/strict';
import { createMap, createStore, enumOf, f64, openMap, openStore, struct, u64, u8, utf8 } from 'sharecord';

const Row = struct('Row', { value: f64, total: u64, kind: enumOf(u8, { Off: 0, On: 1 }), name: utf8(8) });
const record = { value: 1.5, total: 7n, kind: 'On' as const, name: 'row' };
const how = process.argv[2];

if (how === undefined) {
  const store = createStore({ layout: Row, capacity: 4 });
  const reader = openStore(store.handle, Row);
  const target = Row.zero();
  for (let i = 0; i < 5000; i++) {
    store.write(1, record);
    store.update(1, (draft) => void (draft.total += 1n));
    assert.deepEqual({ ...reader.read(1) }, { ...record, total: 8n });
    assert.deepEqual({ ...reader.readInto(1, target) }, { ...record, total: 8n });
  }
  store.add(1, 'total', 2n);
  store.assign(1, { name: 'changed' });
  assert.deepEqual([...reader.readColumn('total')], [0n, 10n, 0n, 0n]);
  assert.equal(reader.generation(1), 10_002);
  assert.throws(() => store.write(1, { ...record, kind: 'Odd' as 'On' }), { code: 'VALUE_RANGE' });
  const isGenerated = reader.read.toString().includes('Atomics.load(words, slot)');
  const map = createMap({ key: utf8(9), layout: Row, capacity: 4 });
  const mapReader = openMap(map.handle, { key: utf8(9), layout: Row });
  for (let i = 0; i < 5000; i++) {
    map.set('row', record);
    map.update('row', (draft) => void (draft.total += 1n));
    assert.deepEqual({ ...mapReader.get('row') }, { ...record, total: 8n });
    map.set(`other ${i % 4}`, record);
    assert.equal(map.delete(`other ${i % 4}`), true);
    assert.equal(mapReader.has(`other ${i % 4}`), false);
  }
  assert.deepEqual([...mapReader.keys()], ['row']);
  assert.equal(mapReader.get.toString().includes('Atomics.load(words, slot)'), isGenerated);
  mapReader.close();
  map.close();
  reader.close();
  store.close();
  assert.throws(() => reader.read(1), { code: 'STORE_CLOSED' });
  console.log(isGenerated ? 'generated' : 'plain');
} else {
  const store = createStore({ layout: Row, capacity: 4 });
  const stop = new AbortController();
  const following = (async () => {
    for await (const change of store.watch({ persistent: how !== 'end', signal: stop.signal }))
      console.log(change);
  })();
  if (how === 'exit') setTimeout(() => process.exit(0), 20);
  if (how === 'throw')
    setTimeout(() => {
      throw new Error('as told');
    }, 20);
  if (how === 'abort') setTimeout(() => stop.abort(), 20);
  following.catch((error: Error) => assert.equal(error.name, 'AbortError'));
}
