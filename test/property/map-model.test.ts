// Laws of a whole map: it behaves like a JavaScript Map, whoever of several opens writes, whichever code serves it.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createMap,
  f64,
  type KeyType,
  type MapReader,
  type MapWriter,
  openMap,
  SharecordError,
  struct,
  u16,
  u32,
  u64,
  utf8,
} from '../../src/index.ts';
import { wordOf } from '../support/header.ts';

const CAPACITY = 6;
/** Scalars alone: written by generated code. */
const Flat = struct('Flat', { count: u16, ratio: f64, total: u64 });
/** With a text: written by the plain codec. */
const Named = struct('Named', { count: u16, label: utf8(9) });

type Model = Map<unknown, Record<string, unknown>>;
interface Real {
  readonly writers: readonly MapWriter[];
  readonly reader: MapReader;
}
type Command = fc.Command<Model, Real>;

function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if (error instanceof SharecordError) return error.code;
    throw error;
  }
}

function expectSame(model: Model, { writers, reader }: Real): void {
  for (const map of [reader, ...writers]) {
    expect(map.size).toBe(model.size);
    const entries = [...map];
    // Slots are used again, so the order is that of insertion only until something is deleted.
    expect(entries).toHaveLength(model.size);
    expect(new Map<unknown, unknown>(entries)).toEqual(model);
    expect(new Set<unknown>(map.keys())).toEqual(new Set(model.keys()));
    for (const [key, record] of model) {
      expect(map.has(key as never)).toBe(true);
      expect(map.get(key as never)).toEqual(record);
    }
  }
}

/** A command that `real` and `model` answer alike; `model` gives a code where it refuses. */
function command(
  text: string,
  real: (map: MapWriter) => unknown,
  model: (map: Model) => unknown,
  by: number,
): Command {
  return {
    check: () => true,
    run(state, maps) {
      const expected = model(state);
      expect(outcome(() => real(maps.writers[by]!))).toEqual(expected);
      expectSame(state, maps);
    },
    toString: () => `${text} by ${by}`,
  };
}

function commandsFor(
  key: fc.Arbitrary<unknown>,
  record: fc.Arbitrary<Record<string, unknown>>,
): fc.Arbitrary<Iterable<Command>> {
  const by = fc.nat(1);
  const at = (map: MapWriter) => map as unknown as Map<unknown, unknown> & { update: MapWriter['update'] };
  return fc.commands<Model, Real>(
    [
      fc.tuple(key, record, by).map(([k, r, w]) =>
        command(
          `set ${fc.stringify(k)} ${fc.stringify(r)}`,
          (map) => at(map).set(k, r) === (map as unknown),
          (model) => {
            if (!model.has(k) && model.size === CAPACITY) return 'STORE_FULL';
            model.set(k, r);
            return true;
          },
          w,
        ),
      ),
      fc.tuple(key, by).map(([k, w]) =>
        command(
          `delete ${fc.stringify(k)}`,
          (map) => at(map).delete(k),
          (model) => model.delete(k),
          w,
        ),
      ),
      fc.tuple(key, by).map(([k, w]) =>
        command(
          `get ${fc.stringify(k)}`,
          (map) => at(map).get(k),
          (model) => model.get(k),
          w,
        ),
      ),
      fc.tuple(key, fc.nat(70_000), by).map(([k, count, w]) =>
        command(
          `update ${fc.stringify(k)} to ${count}`,
          (map) => at(map).update(k as never, (draft) => void ((draft as { count: number }).count = count)),
          (model) => {
            const old = model.get(k);
            if (old === undefined) return false;
            if (count > 65_535) return 'VALUE_RANGE';
            model.set(k, { ...old, count });
            return true;
          },
          w,
        ),
      ),
      by.map((w) =>
        command(
          'clear',
          (map) => map.clear(),
          (model) => model.clear(),
          w,
        ),
      ),
    ],
    { maxCommands: 60 },
  );
}

const flat = fc.record({
  count: fc.nat(65_535),
  ratio: fc.double({ noNaN: true }),
  total: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});
const named = fc.record({ count: fc.nat(65_535), label: fc.stringMatching(/^[a-zé]{0,4}$/) });
const text = fc.constantFrom('', 'a', 'b', 'ab', 'é', 'ü', 'abcdefgh', 'abcdefg', '日本', 'key 1', 'key 2');

test.each([
  ['text keys, records of scalars', utf8(9), Flat, text, flat, {}],
  ['text keys, records with a text', utf8(9), Named, text, named, {}],
  ['u32 keys', u32, Flat, fc.constantFrom(0, 1, 2, 3, 16, 17, 2 ** 31, 2 ** 32 - 1), flat, {}],
  ['u64 keys', u64, Named, fc.constantFrom(0n, 1n, 2n ** 32n, 2n ** 64n - 1n, 5n, 6n, 7n, 8n), named, {}],
  ['backing process', u16, Flat, fc.nat(20), flat, { backing: 'process' as const }],
] as const)(
  'a map equals a Map under every sequence of calls: %s',
  (_title, key, layout, keys, records, options) => {
    fc.assert(
      fc.property(commandsFor(keys, records as fc.Arbitrary<Record<string, unknown>>), (commands) => {
        const definition = { key: key as KeyType, layout: layout as typeof Flat };
        const map = createMap({ ...options, ...definition, capacity: CAPACITY });
        const second = openMap(map.handle, definition, { access: 'read-write' });
        const reader = openMap(map.handle, definition);
        try {
          fc.modelRun(() => ({ model: new Map(), real: { writers: [map, second], reader } }), commands);
        } finally {
          for (const each of [reader, second, map]) each.close();
        }
      }),
      { numRuns: 60 },
    );
  },
);

test('a watch of all keys and a watch of each key end with what is there, and no generation goes back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(5), fc.boolean(), fc.nat(3)), { maxLength: 60 }),
      async (acts) => {
        const map = createMap({ key: u32, layout: Flat, capacity: 4 });
        const seen = new Map<number, number | undefined>();
        const one = new Map<number, number | undefined>();
        const end = new AbortController();
        const follow = async (changes: ReturnType<typeof map.watch>, into: typeof seen): Promise<void> => {
          const generations = new Map<number, number>();
          try {
            for await (const { key, generation, record } of changes) {
              expect(generation).toBeGreaterThan(generations.get(key) ?? 0);
              generations.set(key, generation);
              if (record === undefined) into.delete(key);
              else into.set(key, record.count);
            }
          } catch (error) {
            if (!end.signal.aborted) throw error;
          }
        };
        const following = [follow(map.watch({ signal: end.signal }), seen)];
        for (let key = 0; key <= 5; key++)
          following.push(follow(map.watch(key, { signal: end.signal }), one));
        let count = 0;
        for (const [key, sets, pause] of acts) {
          if (sets && (map.has(key) || map.size < 4)) map.set(key, { count: ++count, ratio: 0, total: 0n });
          else map.delete(key);
          if (pause === 0) await new Promise(setImmediate);
        }
        const expected = new Map([...map].map(([key, record]) => [key, record.count]));
        const same = (found: typeof seen): boolean =>
          found.size === expected.size && [...expected].every(([key, value]) => found.get(key) === value);
        // A watchdog, no bound: both watches come to the present state.
        for (let turn = 0; turn < 5000 && !(same(seen) && same(one)); turn++)
          await new Promise((resolve) => setTimeout(resolve, 1));
        expect(seen).toEqual(expected);
        expect(one).toEqual(expected);
        end.abort();
        await Promise.all(following);
        map.close();
      },
    ),
    { numRuns: 60 },
  );
});

describe.each([
  ['records of scalars', Flat, (count: number) => ({ count, ratio: 0, total: 0n })],
  ['records with a text', Named, (count: number) => ({ count, label: '' })],
] as const)('the generation of a key, %s', (_title, layout, recordOf) => {
  const makeMap = (): MapWriter<typeof u32, typeof Flat> =>
    createMap({ backing: 'process', key: u32, layout: layout as typeof Flat, capacity: 4 });
  const fill = (count: number): ReturnType<typeof Flat.zero> =>
    recordOf(count) as ReturnType<typeof Flat.zero>;
  /** What a watch has to tell without a wait, undefined if that is nothing. */
  /** The next change, undefined if there is none in a few turns of the event loop: a watch may give the thread back once. */
  const told = async (watch: ReturnType<MapWriter<typeof u32, typeof Flat>['watch']>) => {
    const next = watch.next();
    for (let turn = 0; turn < 4; turn++) {
      const answer = await Promise.race([
        next,
        new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 1)),
      ]);
      if (answer !== undefined) return answer.value;
    }
    return undefined;
  };

  const actsOf = <T>(keys: number[], acts: T[]): [number, T][] => keys.map((key, i) => [key, acts[i]!]);

  test('grows with each set and delete, over both, and every watch tells it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 0, max: 12 })), { maxLength: 30 }),
        async (acts) => {
          const map = makeMap();
          const all = map.watch();
          const ones = Array.from({ length: 6 }, (_, key) => map.watch(key));
          const generations = new Map<number, number>();
          let count = 0;
          try {
            // 0 sets is a delete.
            for (const [key, sets] of acts) {
              const isThere = map.has(key);
              if (sets === 0 ? !isThere : !isThere && map.size === 4) continue;
              if (sets === 0) map.delete(key);
              for (let i = 0; i < sets; i++) map.set(key, fill(++count));
              const change = await told(all);
              expect(change).toMatchObject({ key });
              expect(change!.record?.count).toBe(sets === 0 ? undefined : count);
              const least = (generations.get(key) ?? 0) + Math.max(sets, 1);
              if (isThere) expect(change!.generation).toBe(least);
              else expect(change!.generation).toBeGreaterThanOrEqual(least);
              generations.set(key, change!.generation);
              expect(await told(ones[key]!)).toEqual(change);
              if (sets > 0) expect(await told(map.watch(key))).toEqual(change);
            }
          } finally {
            map.close();
          }
        },
      ),
      {
        numRuns: 150,
        // A key in a slot whose own generation is below what was deleted: something is added to it, over its deletion too.
        examples: [
          [actsOf([1, 1, 5, 3, 3, 3], [10, 0, 1, 1, 1, 1])],
          [actsOf([1, 1, 5, 3, 3, 3, 3], [10, 0, 1, 1, 0, 1, 1])],
        ],
      },
    );
  });

  test('grows for a watch that is slow as well, and in the end it has told all that is there and nothing else', async () => {
    const act = fc.tuple(fc.nat(4), fc.constantFrom('set', 'set and take', 'delete'));
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
        const map = makeMap();
        const watch = map.watch();
        const generations = new Map<number, number>();
        const seen = new Map<number, number>();
        let count = 0;
        const take = async (): Promise<boolean> => {
          const change = await told(watch);
          if (change === undefined) return false;
          const { key, generation, record } = change;
          expect(generation, `generation of ${key}`).toBeGreaterThan(generations.get(key) ?? 0);
          generations.set(key, generation);
          if (record === undefined) seen.delete(key);
          else seen.set(key, record.count);
          return true;
        };
        try {
          for (const [key, what] of acts) {
            if (what === 'delete') map.delete(key);
            else if (map.has(key) || map.size < map.capacity) {
              map.set(key, fill(++count));
              if (what === 'set and take') expect(await take()).toBe(true);
            }
          }
          while (await take());
          expect(seen).toEqual(new Map([...map].map(([key, record]) => [key, record.count])));
        } finally {
          map.close();
        }
      }),
      {
        numRuns: 500,
        // A key that was found by a search for it, in a slot that another key has before the slot's turn.
        examples: [
          [
            actsOf(
              [1, 4, 4, 1, 4, 4, 0],
              ['set and take', 'set', 'delete', 'delete', 'set and take', 'delete', 'set'],
            ),
          ],
          // Of key 2 the first slot has an old deletion, not looked at when no slot that was looked at has the key.
          [
            [
              ...[1, 2, 3, 4, 1].map((key): [number, string] => [key, 'set and take']),
              ...actsOf([2, 5, 1, 2, 2, 3], ['delete', 'set', 'delete', 'set', 'delete', 'delete']),
              ...actsOf(
                [2, 2, 4, 4, 4],
                ['set and take', 'delete', ...Array<string>(3).fill('set and take')],
              ),
              ...actsOf([4, 6, 4], ['delete', 'set', 'set and take']),
            ],
          ],
        ],
      },
    );
  });

  test.each(['set', 'update', 'delete'] as const)(
    "goes on across the wrap of its slot's sequence, by %s",
    async (how) => {
      const map = makeMap();
      const words = new Int32Array(map.segment.buffer as ArrayBuffer);
      map.set(7, fill(0)).set(7, fill(0));
      const slot = words[wordOf('headerLength')]! / 4;
      // As if 2^32 - 4 writes had been published, at wrap 5.
      words[slot] = -4;
      words.fill(5, slot + 2, slot + 4);
      const generation = async (): Promise<number> => (await told(map.watch(7)))?.generation ?? Number.NaN;
      let last = await generation();
      expect(last).toBe(5 * 2 ** 32 + (2 ** 32 - 4));
      for (let count = 1; count <= 8; count++) {
        if (how === 'update') map.update(7, (draft) => void (draft.count = count));
        else {
          if (how === 'delete' && map.delete(7)) last++;
          map.set(7, fill(count));
        }
        expect(await generation()).toBe(++last);
        expect(map.get(7)).toEqual(fill(count));
      }
      expect(last).toBeGreaterThan(6 * 2 ** 32);
      map.close();
    },
  );
});
