// The record that all sides share: they import this file, so they cannot disagree about a byte of it.
import { array, f64, struct, u64, utf8, type Infer } from 'sharecord';

export const Quote = struct('Quote', {
  symbol: utf8(12), // bytes, not characters
  bid: f64,
  ask: f64,
  tick: u64, // bigint in JavaScript
  depth: array(f64, 5),
});
export type Quote = Infer<typeof Quote>;

/** Index of the one quote that is written here. */
export const ACME = 7;
/** The tick at which readers have seen enough. */
export const ENOUGH = 20n;
