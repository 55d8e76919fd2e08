// The map of the race tests: keys below KEPT are there all the time, those from MOVING on come and go. Every record has its key in
// it, and the same value in all other fields, so that a record of another key, or of two writes, is seen.
import { f64, struct, u32 } from '../../src/index.ts';

export const KEPT = 16;
export const MOVING = 1000;
export const MOVING_KEYS = 64;
/** More than KEPT and a few moving keys: slots and words of the index are used again all the time. */
export const CAPACITY = 40;
/** A key that nobody deletes and everybody adds to. */
export const COUNTER = 999;

export const Marked = struct('Marked', { key: f64, a: f64, b: f64, c: f64, d: f64 });
export const definition = { key: u32, layout: Marked };
export type Marked = ReturnType<typeof Marked.zero>;

export const marked = (key: number, value: number): Marked => ({
  key,
  a: value,
  b: value,
  c: value,
  d: value,
});
export const isWhole = (key: number, record: Marked): boolean =>
  record.key === key && record.a === record.b && record.a === record.c && record.a === record.d;
