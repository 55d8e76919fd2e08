// The records of the race tests: doubles that all have the same value in each committed state, so that a record of two
// values is a torn one. `fields` are read by straight-line code, `array` by loops.
import { array, f64, struct, utf8 } from '../../src/index.ts';
import { wordOf } from '../support/header.ts';

/** How a record spells its doubles. */
export type Spelling = 'fields' | 'array';

export const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;

export const Fields = struct('Fields', { a: f64, b: f64, c: f64, d: f64, e: f64, f: f64, g: f64, h: f64 });
/** What a map of them takes. */
export const FieldsByText = { key: utf8(8), layout: Fields };
export const arrayOf = (elements: number) => struct('Elements', { values: array(f64, elements) });

/** What the roles need to know of a record type. */
export interface RecordKind<R> {
  readonly zero: () => R;
  /** The value in all elements; NaN for a torn record. */
  readonly valueOf: (record: R) => number;
  readonly fill: (record: R, value: number) => R;
}

export const fieldsKind: RecordKind<ReturnType<typeof Fields.zero>> = {
  zero: () => Fields.zero(),
  valueOf: ({ a, b, c, d, e, f, g, h }) =>
    a === b && a === c && a === d && a === e && a === f && a === g && a === h ? a : Number.NaN,
  fill(record, value) {
    for (const key of KEYS) record[key] = value;
    return record;
  },
};

export function valueOfArray(values: ArrayLike<number>): number {
  const first = values[0]!;
  for (let i = 1; i < values.length; i++) if (values[i] !== first) return Number.NaN;
  return first;
}

export const arrayKind = (elements: number): RecordKind<{ values: number[] }> => ({
  zero: () => arrayOf(elements).zero(),
  valueOf: ({ values }) => valueOfArray(values),
  fill(record, value) {
    record.values.fill(value);
    return record;
  },
});

/** The layout of both spellings as one type, for roles that work with either. */
export const layoutOf = (spelling: Spelling, elements: number): typeof Fields =>
  spelling === 'fields' ? Fields : (arrayOf(elements) as unknown as typeof Fields);
export const kindOf = (spelling: Spelling, elements: number): typeof fieldsKind =>
  spelling === 'fields' ? fieldsKind : (arrayKind(elements) as unknown as typeof fieldsKind);

/** Words of a slot in the raw memory of a store, from its header (src/store/segment-header.ts). */
export interface RawSlot {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** Word index of the sequence; the lock is the next word. */
  readonly sequence: number;
  /** Index into `doubles` of cell 0. */
  readonly cell: number;
  /** Doubles per cell. */
  readonly cellLength: number;
}

/** Finds record `index` in the buffer of a segment. */
export function rawSlot(buffer: ArrayBufferLike, index: number): RawSlot {
  const words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
  const [headerLength, cellLength, stride] = [
    words[wordOf('headerLength')]!,
    words[wordOf('cellLength')]!,
    words[wordOf('stride')]!,
  ];
  const start = headerLength + index * stride;
  return {
    words,
    doubles: new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8)),
    sequence: start / 4,
    cell: (start + 16) / 8,
    cellLength: cellLength / 8,
  };
}

/** The word that a writer inside a write of the record leaves there; 0 = nobody. */
export const lockOf = (slot: RawSlot): number => Atomics.load(slot.words, slot.sequence + 1);

/** The epoch of a participant slot, byte 320 + 4 * slot of the header. */
export const epochOfSlot = ({ words }: RawSlot, slot: number): number => Atomics.load(words, 80 + slot) >>> 0;

/** `tally`: element 0 counts all updates, element L those of lane L. 256 bytes. */
export const LANES = 31;
export const Tally = struct('Tally', { total: f64, by: array(f64, LANES) });

/** What one thread that watches has seen: the generation of record 0, and of all records together. */
export const Seen = struct('Seen', { one: f64, all: f64 });
