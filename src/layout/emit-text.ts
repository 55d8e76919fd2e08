// Small pieces that generated text is made of. Names of fields enter it as JSON string literals only, which no character can leave.
import type { NumberShape, Shape } from './shape.ts';
import { NUMBER_ACCESS } from './number-access.ts';

/** Collects the free names of generated text and what they stand for. */
export class Bindings {
  readonly values: Record<string, unknown> = {};
  #count = 0;

  /** Gives a name for `value`. */
  add(value: unknown): string {
    const name = `b${this.#count++}`;
    this.values[name] = value;
    return name;
  }
}

/** Spells a property key; U+2028 and U+2029 are legal in string literals since ES2019, and escaped all the same. */
export const literal = (text: string): string =>
  JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');

/** Spells the byte offset of a field of the record at `o`. */
export const atByte = (offset: number): string => (offset === 0 ? 'o' : `o + ${offset}`);

const order = ({ size, bigEndian }: NumberShape): string => (size === 1 ? '' : `, ${!bigEndian}`);

/** Spells the load of a number as it is stored. */
export const loadText = (shape: NumberShape, offset: number): string =>
  `view.get${NUMBER_ACCESS[shape.code].method}(${atByte(offset)}${order(shape)})`;

/** Spells the store of a number. */
export const storeText = (shape: NumberShape, offset: number, value: string): string =>
  `view.set${NUMBER_ACCESS[shape.code].method}(${atByte(offset)}, ${value}${order(shape)});`;

/** Counts the values of a shape that have no parts. */
export function leavesOf(shape: Shape): number {
  if (shape.kind === 'pad') return 0;
  if (shape.kind === 'array') return shape.lengthField === undefined ? shape.length * leavesOf(shape.of) : 1;
  if (shape.kind !== 'struct') return 1;
  return shape.fields.reduce((sum, field) => sum + leavesOf(field.shape), 0);
}

/** Arrays of up to this many leaves are spelt out; longer ones are copied and read by a loop. */
export const INLINE_ARRAY_LEAVES = 32;

/** Most values of a struct inside a long array that straight-line code reads or writes. */
export const MAX_ELEMENT_LEAVES = 128;
