// The record of the load campaign: every state carries a checksum of all its fields.
import { array, i64, struct, u32, utf8 } from '../../src/index.ts';

export const CAPACITY = 32;
const NUMBERS = 6;

export const Account = struct('Account', {
  index: u32,
  checksum: u32,
  count: i64,
  text: utf8(32),
  numbers: array(u32, NUMBERS),
});
type Record = ReturnType<typeof Account.zero>;

function checksumOf({ index, count, text, numbers }: Record): number {
  let sum = (index * 31 + Number(BigInt.asUintN(32, count))) >>> 0;
  for (const letter of text) sum = (Math.imul(sum, 31) + letter.codePointAt(0)!) >>> 0;
  for (const number of numbers) sum = (Math.imul(sum, 31) + number) >>> 0;
  return sum;
}

/** Makes the record sound after a change: numbers that follow from the count, and the checksum. */
export function seal(record: Record): void {
  for (let i = 0; i < NUMBERS; i++) record.numbers[i] = Number(BigInt.asUintN(32, record.count)) + i;
  record.checksum = checksumOf(record);
}

/** True if the record is one that `seal` left, or one never written. */
export const isSound = (record: Record): boolean => record.checksum === checksumOf(record);
