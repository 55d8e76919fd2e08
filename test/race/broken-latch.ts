// The guards with one step taken out: the negative controls of the race tests. Nothing here may be copied into the library.
import { type RawSlot, valueOfArray } from './records.ts';

/** Reads the current cell `count` times without looking at the sequence again; gives how many copies were torn. */
export function mixUnchecked(
  { words, doubles, sequence, cell, cellLength }: RawSlot,
  scratch: Float64Array,
  count: number,
): number {
  let torn = 0;
  for (let turn = 0; turn < count; turn++) {
    const from = cell + (Atomics.load(words, sequence) & 1) * cellLength;
    for (let i = 0; i < cellLength; i++) scratch[i] = doubles[from + i]!;
    if (Number.isNaN(valueOfArray(scratch))) torn++;
  }
  return torn;
}

/** The same for a record of one cell: copies it whatever its sequence says. */
export function mixOneCell(
  { doubles, cell, cellLength }: RawSlot,
  scratch: Float64Array,
  count: number,
): number {
  let torn = 0;
  for (let turn = 0; turn < count; turn++) {
    for (let i = 0; i < cellLength; i++) scratch[i] = doubles[cell + i]!;
    if (Number.isNaN(valueOfArray(scratch))) torn++;
  }
  return torn;
}

/** Reads 64-byte records with a second look at the sequence that is a plain load: compilers may merge it with the first. */
export function mixWithPlainRecheck(
  { words, doubles, sequence, cell }: RawSlot,
  _: Float64Array,
  count: number,
): number {
  let torn = 0;
  for (let turn = 0; turn < count; turn++) {
    let before, a, b, c, d, e, f, g, h;
    do {
      before = words[sequence]!;
      const at = cell + ((before & 1) << 3);
      a = doubles[at];
      b = doubles[at + 1];
      c = doubles[at + 2];
      d = doubles[at + 3];
      e = doubles[at + 4];
      f = doubles[at + 5];
      g = doubles[at + 6];
      h = doubles[at + 7];
    } while (words[sequence] !== before);
    if (!(a === b && a === c && a === d && a === e && a === f && a === g && a === h)) torn++;
  }
  return torn;
}

/** Writes the cell that readers use, without a new sequence. */
export function overwriteInPlace(
  { words, doubles, sequence, cell, cellLength }: RawSlot,
  value: number,
): void {
  const from = cell + (Atomics.load(words, sequence) & 1) * cellLength;
  for (let i = 0; i < cellLength; i++) doubles[from + i] = value;
}
