// Tells how many bytes a text takes in an encoding, to the byte.
import { ValueError } from '../errors.ts';
import { lookUpEncoding } from './encoding.ts';
import { asValueError, show } from './fault.ts';

/**
 * Counts the bytes that `text` takes in `encoding` (WHATWG label or Windows code page number), without a terminator.
 * @throws ValueError VALUE_TYPE for no text or no known encoding, VALUE_UNMAPPABLE if the encoding lacks a character
 * @example
 * byteLength('简单的共享内存示例', 'utf-16le'); // 18, of 9 characters
 * byteLength('简单的共享内存示例', 936); // 18
 * byteLength('Café', 'utf-8'); // 5
 */
export function byteLength(text: string, encoding: string | number): number {
  if (typeof text !== 'string')
    throw new ValueError('VALUE_TYPE', `cannot measure a text: expected a string, found ${show(text)}`);
  const found = lookUpEncoding(encoding) ?? lookUpEncoding(littleEndianOf(encoding));
  if (found === undefined)
    throw new ValueError(
      'VALUE_TYPE',
      `cannot measure a text: this runtime has no encoding ${show(encoding)}`,
    );
  if (found.unit !== 1) return found.unit === 2 ? 2 * text.length : 4 * [...text].length;
  try {
    return found.measure(text, false);
  } catch (error) {
    throw asValueError(error, 'measure', 'a text');
  }
}

const LITTLE_ENDIAN_FORMS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  [1201, 1200],
  ['utf-16be', 1200],
  [12001, 12000],
  ['utf-32be', 12000],
]);

/** Gives the number of the little-endian form of a big-endian encoding, which takes as many bytes; undefined for any other. */
const littleEndianOf = (encoding: unknown): number | undefined =>
  LITTLE_ENDIAN_FORMS.get(typeof encoding === 'string' ? encoding.trim().toLowerCase() : encoding);
