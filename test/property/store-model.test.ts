// Laws of a whole store: it behaves like a plain array of records with generations, whoever of several opens writes.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createStore,
  enumOf,
  f64,
  i32,
  openStore,
  type StoreReader,
  type StoreWriter,
  struct,
  u16,
  u64,
  u8,
  utf8,
} from '../../src/index.ts';
import { codeOf } from '../torture/verdicts.ts';

const Row = struct('Row', {
  count: u16,
  ratio: f64,
  total: u64,
  kind: enumOf(u8, { None: 0, Some: 1 }),
  label: utf8(9),
  at: struct('At', { x: i32, y: i32 }),
});
const Flat = struct('Flat', { count: u16, ratio: f64, total: u64, level: i32 });
const CAPACITY = 3;

interface Model {
  readonly records: unknown[];
  readonly generations: number[];
}
interface Real<L extends typeof Row | typeof Flat> {
  readonly writers: StoreWriter<L>[];
  readonly reader: StoreReader<L>;
}
type Act = { readonly by: number; readonly at: number };

const act = { by: fc.nat(1), at: fc.nat(CAPACITY - 1) };
const label = fc
  .oneof(fc.string({ unit: 'grapheme', maxLength: 4 }), fc.string({ maxLength: 12 }))
  .map((text) => text.replaceAll('\0', ''));
const i32s = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const flatRecord = fc.record({
  count: fc.nat(65_535),
  ratio: fc.double({ noNaN: true }),
  total: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  level: i32s,
});
const rowRecord = fc.record({
  count: fc.nat(65_535),
  ratio: fc.double({ noNaN: true }),
  total: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  kind: fc.constantFrom('None', 'Some'),
  label,
  at: fc.record({ x: i32s, y: i32s }),
});

function expectSame<L extends typeof Row | typeof Flat>(model: Model, { writers, reader }: Real<L>): void {
  for (const store of [reader, ...writers]) {
    expect([...store]).toEqual(model.records);
    expect(model.records.map((_, i) => store.generation(i))).toEqual(model.generations);
  }
  const column = (reader as StoreReader<typeof Flat>).readColumn('total');
  expect(column).toEqual(BigUint64Array.from(model.records as { total: bigint }[], ({ total }) => total));
}

/** A command whose effect on the model is known beforehand: `next` gives the new record or undefined for a refusal. */
function command<L extends typeof Row | typeof Flat>(
  text: string,
  { by, at }: Act,
  run: (store: StoreWriter<L>) => void,
  next: (old: Record<string, unknown>) => Record<string, unknown> | string,
): fc.Command<Model, Real<L>> {
  return {
    check: () => true,
    run(model, real) {
      const expected = next(model.records[at] as Record<string, unknown>);
      const found = codeOf(() => run(real.writers[by] as StoreWriter<L>));
      if (typeof expected === 'string') {
        expect(found).toBe(expected);
      } else {
        expect(found).toBe('done');
        model.records[at] = expected;
        model.generations[at] = (model.generations[at] ?? 0) + 1;
      }
      expectSame(model, real);
    },
    toString: () => `${text} by ${by} at ${at}`,
  };
}

const fits = (text: string): boolean => new TextEncoder().encode(text).length <= 8;

const rowCommands = fc.commands<Model, Real<typeof Row>>(
  [
    fc.record({ ...act, record: rowRecord }).map(({ record, ...who }) =>
      command<typeof Row>(
        `write ${fc.stringify(record)}`,
        who,
        (store) => store.write(who.at, record),
        () => (fits(record.label) ? record : 'VALUE_TOO_LONG'),
      ),
    ),
    fc.record({ ...act, label, x: i32s }).map(({ label: text, x, ...who }) =>
      command<typeof Row>(
        `assign ${JSON.stringify(text)} ${x}`,
        who,
        (store) => store.assign(who.at, { at: { x }, label: text }),
        (old) =>
          fits(text) ? { ...old, label: text, at: { ...(old['at'] as object), x } } : 'VALUE_TOO_LONG',
      ),
    ),
    fc.record({ ...act, delta: fc.integer({ min: -70_000, max: 70_000 }) }).map(({ delta, ...who }) =>
      command<typeof Row>(
        `add ${delta}`,
        who,
        (store) => store.add(who.at, 'count', delta),
        (old) => {
          const count = (old['count'] as number) + delta;
          return count < 0 || count > 65_535 ? 'VALUE_RANGE' : { ...old, count };
        },
      ),
    ),
    fc.record({ ...act, y: i32s, bad: fc.boolean() }).map(({ y, bad, ...who }) =>
      command<typeof Row>(
        `update ${y} ${bad ? 'to a bad draft' : ''}`,
        who,
        (store) =>
          store.update(who.at, (draft) => {
            draft.at.y = y;
            draft.kind = 'Some';
            if (bad) draft.count = -1;
          }),
        (old) => (bad ? 'VALUE_RANGE' : { ...old, kind: 'Some', at: { ...(old['at'] as object), y } }),
      ),
    ),
  ],
  { maxCommands: 30 },
);

const flatCommands = fc.commands<Model, Real<typeof Flat>>(
  [
    fc.record({ ...act, record: flatRecord }).map(({ record, ...who }) =>
      command<typeof Flat>(
        `write ${fc.stringify(record)}`,
        who,
        (store) => store.write(who.at, record),
        () => record,
      ),
    ),
    fc
      .record({
        ...act,
        bad: fc.constantFrom({ count: 65_536 }, { level: 0.5 }, { total: -1n }, { extra: 1 }),
        record: flatRecord,
      })
      .map(({ bad, record, ...who }) =>
        command<typeof Flat>(
          `write a bad ${fc.stringify(bad)}`,
          who,
          (store) => store.write(who.at, { ...record, ...bad }),
          () => ('extra' in bad ? 'VALUE_TYPE' : 'VALUE_RANGE'),
        ),
      ),
    fc.record({ ...act, ratio: fc.double({ noNaN: true }) }).map(({ ratio, ...who }) =>
      command<typeof Flat>(
        `update ${ratio}`,
        who,
        (store) => store.update(who.at, (draft) => void (draft.ratio = ratio)),
        (old) => ({ ...old, ratio }),
      ),
    ),
  ],
  { maxCommands: 30 },
);

function runModel<L extends typeof Row | typeof Flat>(
  layout: L,
  options: object,
  commands: Iterable<fc.Command<Model, Real<L>>>,
): void {
  const store = createStore<L>({ ...options, layout, capacity: CAPACITY });
  const second = openStore<L, 'read-write'>(store.handle, layout, { access: 'read-write' });
  const reader = openStore<L>(store.handle, layout);
  const zero = layout.zero();
  try {
    fc.modelRun(
      () => ({
        model: {
          records: Array.from({ length: CAPACITY }, () => zero),
          generations: Array.from({ length: CAPACITY }, () => 0),
        },
        real: { writers: [store, second], reader },
      }),
      commands,
    );
  } finally {
    for (const each of [reader, second, store]) each.close();
  }
}

const kinds = [
  { backing: 'anonymous', guard: 'latch' },
  { backing: 'process', guard: 'latch' },
  { backing: 'anonymous', guard: 'seqlock' },
  { backing: 'process', guard: 'seqlock' },
] as const;

test.each(kinds)(
  'a store with backing $backing under $guard equals an array of records under every sequence of calls',
  (options) => {
    fc.assert(
      fc.property(rowCommands, (commands) => runModel(Row, options, commands)),
      { numRuns: 60 },
    );
  },
);

test.each(kinds)(
  'a store of scalar records with backing $backing under $guard equals an array under every sequence of calls',
  (options) => {
    fc.assert(
      fc.property(flatCommands, (commands) => runModel(Flat, options, commands)),
      { numRuns: 60 },
    );
  },
);
