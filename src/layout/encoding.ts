// Finds an encoding by its WHATWG label or its Windows code page number.
import { LayoutError } from '../errors.ts';
import { iso88591, singleByte, usAscii, windows1252 } from './code-pages.ts';
import type { ByteEncoding, TextEncoding } from './text-encoding.ts';
import { UTF16, UTF32, UTF8 } from './utf.ts';

const BY_NUMBER: Readonly<Record<number, string>> = {
  1200: 'utf-16le',
  1252: 'windows-1252',
  12000: 'utf-32le',
  20127: 'cp20127',
  28591: 'cp28591',
  65001: 'utf-8',
};

const known = new Map<string, TextEncoding>([
  ['utf-8', UTF8],
  ['utf8', UTF8],
  ['utf-16le', UTF16],
  ['utf-16', UTF16],
  ['utf-32le', UTF32],
  ['utf-32', UTF32],
  ['windows-1252', singleByte('windows-1252', windows1252)],
  ['cp28591', singleByte('cp28591', iso88591)],
  ['cp20127', singleByte('cp20127', usAscii)],
]);
known.set('latin1', known.get('windows-1252') as TextEncoding);

/** Finds an encoding. @throws LayoutError LAYOUT_FIELD_INVALID if this runtime does not know it */
export function findEncoding(what: string, encoding: unknown): TextEncoding {
  const label =
    typeof encoding === 'number'
      ? BY_NUMBER[encoding]
      : typeof encoding === 'string'
        ? encoding.trim().toLowerCase()
        : undefined;
  const found = label === undefined ? undefined : known.get(label);
  if (found === undefined) {
    throw new LayoutError(
      'LAYOUT_FIELD_INVALID',
      `cannot lay out ${what}: this runtime knows no encoding ${String(encoding)}`,
    );
  }
  return found;
}

/** Finds an encoding of bytes. @throws LayoutError LAYOUT_FIELD_INVALID for an unknown one, and for UTF-16 and UTF-32 */
export function findByteEncoding(what: string, encoding: unknown): ByteEncoding {
  const found = findEncoding(what, encoding);
  if (found.unit !== 1) {
    throw new LayoutError(
      'LAYOUT_FIELD_INVALID',
      `cannot lay out ${what}: its units are bytes, use char${8 * found.unit} for ${found.name}`,
    );
  }
  return found;
}
