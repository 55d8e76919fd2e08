// What maps infer, and what they refuse, at compile time.
import { describe, expectTypeOf, test } from 'vitest';
import {
  bool,
  createMap,
  f64,
  joinMap,
  type MapChange,
  type MapReader,
  type MapWriter,
  openMap,
  struct,
  u32,
  u64,
  u8,
  utf8,
  waitForMap,
} from '../../src/index.ts';

const Flag = struct('Flag', { enabled: bool, percent: u8 });
interface FlagRecord {
  enabled: boolean;
  percent: number;
}
const name = utf8(64);
const definition = { key: name, layout: Flag };
const make = () => createMap({ ...definition, capacity: 10 });

describe('a map', () => {
  test('has the key and record types of its definition', () => {
    const map = null as unknown as ReturnType<typeof make>;
    expectTypeOf(map).toEqualTypeOf<MapWriter<typeof name, typeof Flag>>();
    expectTypeOf(map.get('a')).toEqualTypeOf<FlagRecord | undefined>();
    expectTypeOf(map.set('a', { enabled: true, percent: 1 })).toEqualTypeOf<typeof map>();
    expectTypeOf(map.update('a', (draft) => void (draft.percent = 2))).toEqualTypeOf<boolean>();
    expectTypeOf([...map.keys()]).toEqualTypeOf<string[]>();
    expectTypeOf([...map]).toEqualTypeOf<[string, FlagRecord][]>();
    expectTypeOf(map.watch('a')).toEqualTypeOf<AsyncIterableIterator<MapChange<string, FlagRecord>>>();
    expectTypeOf<MapChange<string, FlagRecord>['record']>().toEqualTypeOf<FlagRecord | undefined>();
    type ByInteger = ReturnType<typeof createMap<typeof u32, typeof Flag>>;
    type ByBigint = ReturnType<typeof joinMap<typeof u64, typeof Flag>>;
    expectTypeOf<Parameters<ByInteger['get']>[0]>().toEqualTypeOf<number>();
    expectTypeOf<Parameters<ByBigint['get']>[0]>().toEqualTypeOf<bigint>();
  });

  test('fits where a ReadonlyMap is read', () => {
    expectTypeOf<MapReader<typeof name, typeof Flag>>().toExtend<ReadonlyMap<string, FlagRecord>>();
    expectTypeOf<MapWriter<typeof name, typeof Flag>>().toExtend<ReadonlyMap<string, { percent: number }>>();
  });

  test('opened for reading cannot write; opened without a definition it is untyped', () => {
    const open = () => openMap('flags', definition);
    expectTypeOf<ReturnType<typeof open>>().toEqualTypeOf<MapReader<typeof name, typeof Flag>>();
    const write = () => openMap('flags', definition, { access: 'read-write' });
    expectTypeOf<ReturnType<typeof write>>().toEqualTypeOf<MapWriter<typeof name, typeof Flag>>();
    const wait = () => waitForMap('flags', definition, { access: 'read-write', timeoutMs: 1 });
    expectTypeOf<ReturnType<typeof wait>>().toEqualTypeOf<Promise<MapWriter<typeof name, typeof Flag>>>();
    // @ts-expect-error a reader has no set
    void (() => open().set('a', { enabled: true, percent: 1 }));
    // @ts-expect-error a reader has no delete
    void (() => open().delete('a'));
    expectTypeOf<ReturnType<typeof openMap<never, never>>>().not.toBeAny();
  });

  test('refuses keys and records of other types', () => {
    const map = null as unknown as ReturnType<typeof make>;
    // @ts-expect-error a number is no text key
    void (() => map.get(7));
    // @ts-expect-error misspelt field
    void (() => map.set('a', { enabled: true, per: 1 }));
    // @ts-expect-error a float is no key type
    void (() => createMap({ key: f64, layout: Flag, capacity: 1 }));
    // @ts-expect-error a struct is no key type
    void (() => createMap({ key: Flag, layout: Flag, capacity: 1 }));
    // @ts-expect-error a callback that returns a promise
    void (() => map.update('a', async () => {}));
  });
});
