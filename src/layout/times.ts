// Stored times and JavaScript dates. A stored time beyond what a Date can hold reads as an invalid Date, never throws.
import { Fault, show, wrongType } from './fault.ts';
import type { Epoch } from './shape.ts';

const FILETIME_UNITS_PER_MS = 10_000n;
const MS_FROM_1601_TO_1970 = 11_644_473_600_000n;
const MS_PER_DAY = 86_400_000;
const DAYS_FROM_1899_TO_1970 = 25_569;
/** Delphi's TDateTime spans the years 1 to 9999, in days from 1899-12-30. */
const FIRST_DAY = -693_593;
const END_DAY = 2_958_466;

/** Makes the Date of a stored time. Parts of a millisecond are dropped from FILETIME, rounded from TDateTime. */
export function fromStored(epoch: Epoch, stored: number | bigint): Date {
  if (typeof stored === 'bigint') {
    if (epoch === 'unixMs') return new Date(Number(stored));
    return new Date(Number(stored / FILETIME_UNITS_PER_MS - MS_FROM_1601_TO_1970));
  }
  // Before 1899-12-30 the fraction still counts forward from the day's start: -1.25 is six o'clock of the day before it.
  const day = Math.trunc(stored);
  return new Date(
    (day - DAYS_FROM_1899_TO_1970) * MS_PER_DAY + Math.round(Math.abs(stored - day) * MS_PER_DAY),
  );
}

/** Gives what to store for a Date. @throws Fault VALUE_TYPE, VALUE_RANGE */
export function toStored(epoch: Epoch, value: unknown): number | bigint {
  if (!(value instanceof Date)) wrongType('a Date', value);
  const ms = value.getTime();
  if (Number.isNaN(ms)) throw new Fault('VALUE_RANGE', 'expected a valid Date, found an invalid one');
  if (epoch === 'unixMs') return BigInt(ms);
  if (epoch === 'filetime') {
    const stored = (BigInt(ms) + MS_FROM_1601_TO_1970) * FILETIME_UNITS_PER_MS;
    return stored < 0n || stored > 0xffff_ffff_ffff_ffffn ? tooFar(value, '1601 to 60056') : stored;
  }
  const day = Math.floor(ms / MS_PER_DAY);
  const part = (ms - day * MS_PER_DAY) / MS_PER_DAY;
  const days = day + DAYS_FROM_1899_TO_1970;
  if (days < FIRST_DAY || days >= END_DAY) return tooFar(value, '1 to 9999');
  return days < 0 ? days - part : days + part;
}

function tooFar(value: Date, years: string): never {
  throw new Fault('VALUE_RANGE', `expected a time in the years ${years}, found ${show(value.toISOString())}`);
}
