// The records that are measured, and stores of them.
import {
  array,
  bool,
  createStore,
  enumOf,
  f64,
  i32,
  type Infer,
  type InferInput,
  pad,
  type StoreWriter,
  struct,
  u32,
  u64,
  u8,
  utf8,
} from '../src/index.ts';
import type { AnyLayout } from '../src/layout/types.ts';

/** 64 bytes, numbers alone. */
export const Numbers = struct('Numbers', { a: f64, b: f64, c: f64, d: f64, e: f64, f: f64, g: f64, h: f64 });
export type Numbers = Infer<typeof Numbers>;

/** 64 bytes of every scalar kind. */
export const Mixed = struct('Mixed', {
  count: u32,
  level: i32,
  low: f64,
  high: f64,
  first: f64,
  last: f64,
  total: u64,
  live: bool,
  state: enumOf(u8, { Idle: 0, Run: 1, Fault: 2 }),
  spare: pad(14),
});
export type Mixed = Infer<typeof Mixed>;

/** A record with text and an array: the one of the README. */
export const Quote = struct('Quote', {
  symbol: utf8(12),
  bid: f64,
  ask: f64,
  tick: u64,
  depth: array(f64, 5),
});
export type Quote = Infer<typeof Quote>;

export const numbers = (i: number): Numbers => ({
  a: i + 0.5,
  b: i + 1.5,
  c: i + 2.5,
  d: i + 3.5,
  e: i + 4.5,
  f: i + 5.5,
  g: i + 6.5,
  h: i + 7.5,
});

export const mixed = (i: number): Mixed => ({
  count: i,
  level: -i,
  low: i + 0.25,
  high: i + 0.75,
  first: i + 1.5,
  last: i + 2.5,
  total: 2n ** 40n + BigInt(i),
  live: i % 2 === 1,
  state: i % 3 === 0 ? 'Idle' : i % 3 === 1 ? 'Run' : 'Fault',
});

export const quote = (i: number): Quote => ({
  symbol: `ACME${i % 1000}`,
  bid: i + 0.25,
  ask: i + 0.5,
  tick: BigInt(i),
  depth: [5.5, 4.5, 3.5, 2.5, i + 1.5],
});

/** Records of most rows: they fit into the first cache, with room to spare. */
export const CAPACITY = 64;
/** Takes a counter to an index of such a store. */
export const INDEX_MASK = CAPACITY - 1;

/** Gives `values` as a record that the library made: the shape that `read` and `zero` give, all number fields unboxed. */
export function ownRecord<L extends AnyLayout>(layout: L, values: InferInput<L>): Infer<L> {
  return Object.assign(layout.zero(), values) as Infer<L>;
}

/**
 * Makes a store without a name and writes each of its records twice, so that both cells are in use. `shape` makes what is
 * written: code that saw records of two shapes is slower than code that saw one, and a row decides what it measures.
 */
export function filledStore<L extends AnyLayout>(
  layout: L,
  record: (i: number) => InferInput<L>,
  { capacity = CAPACITY, shape = (values: InferInput<L>): object => ownRecord(layout, values) } = {},
): StoreWriter<L> {
  const store = createStore({ layout, capacity });
  for (let i = 0; i < capacity; i++) {
    const values = shape(record(i)) as InferInput<L>;
    store.write(i, values);
    store.write(i, values);
  }
  return store;
}
