// Finds an encoding by its WHATWG label or its Windows code page number.
import { LayoutError } from '../errors.ts';
import { SINGLE_BYTE, WRITTEN_OUT } from './code-pages.ts';
import { show } from './fault.ts';
import { ISO_2022_JP } from './iso-2022-jp.ts';
import { MULTI_BYTE } from './multi-byte.ts';
import type { ByteEncoding, TextEncoding } from './text-encoding.ts';
import { UTF16, UTF32, UTF8 } from './utf.ts';

const BY_NUMBER: Readonly<Record<number, string>> = {
  866: 'ibm866',
  874: 'windows-874',
  932: 'shift_jis',
  936: 'gbk',
  949: 'euc-kr',
  950: 'big5',
  1200: 'utf-16',
  1250: 'windows-1250',
  1251: 'windows-1251',
  1252: 'windows-1252',
  1253: 'windows-1253',
  1254: 'windows-1254',
  1255: 'windows-1255',
  1256: 'windows-1256',
  1257: 'windows-1257',
  1258: 'windows-1258',
  10000: 'macintosh',
  10007: 'x-mac-cyrillic',
  12000: 'utf-32',
  20127: 'cp20127',
  20866: 'koi8-r',
  20932: 'euc-jp',
  21866: 'koi8-u',
  28591: 'cp28591',
  28592: 'iso-8859-2',
  28593: 'iso-8859-3',
  28594: 'iso-8859-4',
  28595: 'iso-8859-5',
  28596: 'iso-8859-6',
  28597: 'iso-8859-7',
  28598: 'iso-8859-8',
  28599: 'cp28599',
  28600: 'iso-8859-10',
  28603: 'iso-8859-13',
  28604: 'iso-8859-14',
  28605: 'iso-8859-15',
  28606: 'iso-8859-16',
  38598: 'iso-8859-8-i',
  50220: 'iso-2022-jp',
  50221: 'iso-2022-jp',
  51932: 'euc-jp',
  51936: 'gbk',
  51949: 'euc-kr',
  54936: 'gb18030',
  65001: 'utf-8',
};

const BY_NAME: ReadonlyMap<string, TextEncoding> = new Map<string, TextEncoding>(
  [UTF8, UTF16, UTF32, ISO_2022_JP, ...SINGLE_BYTE, ...MULTI_BYTE].map((encoding) => [
    encoding.name,
    encoding,
  ]),
);

/** Labels that a TextDecoder does not know, or knows as something else. */
const OWN_LABELS: ReadonlyMap<string, string> = new Map([
  ['utf-16le', 'utf-16'],
  ['utf-32le', 'utf-32'],
]);

/** Gives the canonical name of a label as this runtime's decoder says it, undefined if it has none. */
function decoderName(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding.toLowerCase();
  } catch {
    return undefined;
  }
}

function nameOf(encoding: unknown): string | undefined {
  if (typeof encoding === 'number')
    return Object.hasOwn(BY_NUMBER, encoding) ? BY_NUMBER[encoding] : undefined;
  if (typeof encoding !== 'string') return undefined;
  const label = encoding.trim().toLowerCase();
  if (BY_NAME.has(label)) return label;
  const number = /^cp(\d+)$/.exec(label)?.[1];
  const own = OWN_LABELS.get(label) ?? (number === undefined ? undefined : nameOf(Number(number)));
  if (own !== undefined) return own;
  const name = decoderName(label);
  return name === 'utf-16le' ? 'utf-16' : name;
}

/** Tells whether this runtime can decode what its tables would be made of. */
function isSupported(encoding: TextEncoding): boolean {
  const { name, unit } = encoding;
  return unit > 1 || WRITTEN_OUT.has(name) || decoderName(name) !== undefined;
}

/** Finds an encoding; undefined if this runtime does not know it. */
export function lookUpEncoding(encoding: unknown): TextEncoding | undefined {
  const name = nameOf(encoding);
  const found = name === undefined ? undefined : BY_NAME.get(name);
  return found !== undefined && isSupported(found) ? found : undefined;
}

/** Finds an encoding. @throws LayoutError LAYOUT_FIELD_INVALID if this runtime does not know it */
export function findEncoding(what: string, encoding: unknown): TextEncoding {
  const found = lookUpEncoding(encoding);
  if (found === undefined) {
    throw new LayoutError(
      'LAYOUT_FIELD_INVALID',
      `cannot lay out ${what}: this runtime has no encoding ${show(encoding)} for fields`,
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
