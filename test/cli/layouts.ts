// A module as a user has it: two layouts and something else.
import { bytes, f64, struct, u64, unixMs, utf8 } from 'sharecord';

export const Quote = struct('Quote', { symbol: utf8(12), bid: f64, tick: u64 });
export const Event = struct('Event', { at: unixMs, key: bytes(2) });
export const limit = 7;
