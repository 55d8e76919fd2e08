// What watches of maps tell, on every backing this system has; map.test.ts has the rest of the suite.
import { describe, expect, test } from 'vitest';
import { createMap, type MapWriter, openMap, struct, u32, utf8 } from '../../src/index.ts';
import { HEADER } from '../support/header.ts';
import { until } from '../support/household.ts';
import { isNamed } from '../support/system.ts';
import { track } from '../support/track.ts';

const Count = struct('Count', { value: u32 });
const count = (value: number) => ({ value });
const key = utf8(12);
const definition = { key, layout: Count };

let serial = 0;
const uniqueName = (): string => `sharecord-test-map-watch-${process.pid}-${serial++}`;
const backings = [
  { backing: 'named', options: () => ({ name: uniqueName() }) },
  { backing: 'anonymous', options: () => ({}) },
  { backing: 'process', options: () => ({ backing: 'process' as const }) },
] as const;

describe.each(backings)('watches of a map with backing $backing', ({ options }) => {
  const make = (capacity = 4): MapWriter<typeof key, typeof Count> =>
    track(createMap({ ...options(), ...definition, capacity }));

  test('watch(key) gives the present record first, then the newest states, deletes among them', async () => {
    const map = make();
    map.set('a', count(1));
    const reader = track(openMap(map.handle, definition));
    const watch = reader.watch('a');
    expect((await watch.next()).value).toEqual({ key: 'a', generation: 1, record: count(1) });
    setTimeout(() => {
      map.set('b', count(9));
      map.set('a', count(2));
      map.set('a', count(3));
    }, 5);
    expect((await watch.next()).value).toEqual({ key: 'a', generation: 3, record: count(3) });
    map.delete('a');
    expect((await watch.next()).value).toEqual({ key: 'a', generation: 4, record: undefined });
    map.set('c', count(0));
    map.set('a', count(4));
    const back = (await watch.next()).value!;
    expect(back).toMatchObject({ key: 'a', record: count(4) });
    expect(back.generation).toBeGreaterThan(4);
    const pending = watch.next();
    reader.close();
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  test('watch() of more keys than it looks at in one turn finds the last one, and the thread works meanwhile', async () => {
    const count = 2 ** 16 + 1000;
    const map = track(createMap({ backing: 'process', key: u32, layout: Count, capacity: count }));
    for (let key = 0; key < count; key++) map.set(key, { value: key });
    const watch = map.watch();
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const next = watch.next();
    map.set(count - 1, { value: 7 });
    map.delete(0);
    expect((await next).value).toMatchObject({ key: 0, record: undefined });
    expect((await watch.next()).value).toMatchObject({ key: count - 1, record: { value: 7 } });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
    await watch.return!();
  });

  test('watch() gives changes only, and tells the end of a key whose slot another key took', async () => {
    const map = make(1);
    map.set('a', count(1));
    const watch = map.watch();
    map.delete('a');
    map.set('b', count(2));
    expect([(await watch.next()).value, (await watch.next()).value]).toMatchObject([
      { key: 'a', record: undefined },
      { key: 'b', record: count(2) },
    ]);
    map.delete('b');
    map.set('b', count(3));
    expect((await watch.next()).value).toMatchObject({ key: 'b', record: count(3) });
    map.delete('b');
    map.set('c', count(4));
    map.delete('c');
    expect([(await watch.next()).value, (await watch.next()).value]).toMatchObject([
      { key: 'b', record: undefined },
      { key: 'c', record: undefined },
    ]);
    const pending = watch.next();
    map.close();
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  test('a key that moved to another slot is told with its last state, and generations never go back', async () => {
    const map = make(3);
    for (const key of ['a', 'b', 'c']) map.set(key, count(1));
    const watch = map.watch();
    map.delete('a');
    map.delete('c');
    map.set('a', count(2));
    const first = (await watch.next()).value!;
    const second = (await watch.next()).value!;
    const byKey = Object.fromEntries([first, second].map((change) => [change.key, change]));
    expect(byKey).toMatchObject({ a: { record: count(2) }, c: { record: undefined } });
    map.delete('a');
    const gone = (await watch.next()).value!;
    expect(gone).toMatchObject({ key: 'a', record: undefined });
    expect(gone.generation).toBeGreaterThan(byKey['a']!.generation);
    expect(byKey['a']!.generation).toBeGreaterThan(1);
  });

  test('break ends a watch, and an abort throws an AbortError with its reason', async () => {
    const map = make();
    map.set('a', count(1));
    for await (const { key, record } of map.watch('a')) {
      expect([key, record]).toEqual(['a', count(1)]);
      break;
    }
    const stop = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => stop.abort(reason), 5);
    const following = (async () => {
      for await (const change of map.watch({ signal: stop.signal })) expect(change).toBeUndefined();
    })();
    await expect(following).rejects.toMatchObject({ name: 'AbortError', cause: reason });
  });

  test.each<[string, (map: MapWriter<typeof key, typeof Count>) => unknown]>([
    ['a set of a key that is there', (map) => map.set('a', count(2))],
    ['a set of a new key', (map) => map.set('b', count(2))],
    ['an update', (map) => map.update('a', (draft) => void draft.value++)],
    ['a delete', (map) => map.delete('a')],
    ['a clear', (map) => map.clear()],
  ])('%s takes the ring that a sleeping watch asked for', async (_title, change) => {
    const map = make();
    map.set('a', count(1));
    const armed = new Int32Array(map.segment.buffer, HEADER.armed, 1);
    const watch = map.watch();
    const next = watch.next();
    await until('a sleeping watch', () => Atomics.load(armed, 0) === 1);
    change(map);
    expect(Atomics.load(armed, 0)).toBe(0);
    expect((await next).value?.generation).toBeGreaterThan(0);
  });
});

test('nothing of these tests is left in shared memory', () => {
  for (let i = 0; i < serial; i++)
    expect(isNamed(`sharecord-test-map-watch-${process.pid}-${i}`)).toBe(false);
});
