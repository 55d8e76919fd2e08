// Single-byte code pages: a table of 256 characters each, built at first use. Bytes that a page leaves undefined read as U+FFFD.
// Tables come from the runtime's TextDecoder and are put right where some runtimes are known to get a page wrong.
import { reserve, scratch, textOfUnits } from './scratch.ts';
import { unmappable, type ByteEncoding } from './text-encoding.ts';

const REPLACEMENT = 0xfffd;
const QUESTION_MARK = 0x3f;
/** Marks a unit that a page lacks. */
const NO_BYTE = 256;

/** Makes the encoding of a page whose byte b means `make()[b]`. */
export function singleByte(name: string, make: () => Uint16Array): ByteEncoding {
  let characters: Uint16Array | undefined;
  let bytesByUnit: Uint16Array | undefined;
  const toUnits = (): Uint16Array => (characters ??= make());
  const toBytes = (): Uint16Array => {
    if (bytesByUnit !== undefined) return bytesByUnit;
    const table = new Uint16Array(0x10000).fill(NO_BYTE);
    toUnits().forEach((unit, byte) => {
      if (unit !== REPLACEMENT) table[unit] = byte;
    });
    return (bytesByUnit = table);
  };
  return Object.freeze({
    name,
    unit: 1 as const,
    ascii: true,
    decode(length: number): string {
      const table = toUnits();
      const { bytes, units } = scratch;
      for (let i = 0; i < length; i++) units[i] = table[bytes[i] as number] as number;
      return textOfUnits(length);
    },
    measure(text: string, replace: boolean): number {
      const table = toBytes();
      let length = 0;
      for (let i = 0; i < text.length; i++, length++) {
        if (table[text.charCodeAt(i)] !== NO_BYTE) continue;
        if (!replace) unmappable(text, i, name);
        if ((text.codePointAt(i) as number) > 0xffff) i++;
      }
      return length;
    },
    encode(text: string, limit: number): number {
      const table = toBytes();
      reserve(limit);
      const { bytes } = scratch;
      let length = 0;
      for (let i = 0; i < text.length && length < limit; i++) {
        const byte = table[text.charCodeAt(i)] as number;
        bytes[length++] = byte === NO_BYTE ? QUESTION_MARK : byte;
        if (byte === NO_BYTE && (text.codePointAt(i) as number) > 0xffff) i++;
      }
      return length;
    },
  });
}

// 0x80 to 0x9F of windows-1252; 0 where the byte means the control character of its own value. Written out because the
// decoder of some Node versions reads all of them as control characters.
const WINDOWS_1252 = [
  0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
  0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
  0x0153, 0, 0x017e, 0x0178,
];

const identity = (): Uint16Array => Uint16Array.from({ length: 256 }, (_, byte) => byte);
const windows1252 = (): Uint16Array =>
  identity().map((byte) => (byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252[byte - 0x80] || byte : byte));

// PLATFORM: pages that the decoder of Node 22 lacks and that of Node 24 has (measured). 0xA0 to 0xFF of iso-8859-16:
const ISO_8859_16 =
  '\u00a0ĄąŁ€„Š§š©Ș«Ź\u00adźŻ°±ČłŽ”¶·žčș»ŒœŸżÀÁÂĂÄĆÆÇÈÉÊËÌÍÎÏĐŃÒÓÔŐÖŚŰÙÚÛÜĘȚßàáâăäćæçèéêëìíîïđńòóôőöśűùúûüęțÿ';
const iso885916 = (): Uint16Array =>
  identity().map((byte) => (byte < 0xa0 ? byte : ISO_8859_16.charCodeAt(byte - 0xa0)));
/** 0x80 to 0xFF of x-user-defined are private-use characters. */
const PRIVATE_USE = 0xf700;
const userDefined = (): Uint16Array => identity().map((byte) => (byte < 0x80 ? byte : PRIVATE_USE + byte));

// PLATFORM: what decoders built on ICU get wrong, measured against Node 24 and the tables of the WHATWG Encoding Standard:
// private-use characters for undefined bytes of windows-874, 0xAA of windows-1253, 0xCA of windows-1255, two letters of koi8-u.
const CORRECTIONS: Readonly<Record<string, ReadonlyMap<number, number>>> = {
  'windows-874': new Map([0xdb, 0xdc, 0xdd, 0xde, 0xfc, 0xfd, 0xfe, 0xff].map((byte) => [byte, REPLACEMENT])),
  'windows-1253': new Map([[0xaa, REPLACEMENT]]),
  'windows-1255': new Map([[0xca, 0x05ba]]),
  'koi8-u': new Map([
    [0xae, 0x045e],
    [0xbe, 0x040e],
  ]),
};

function decoded(name: string): Uint16Array {
  const decoder = new TextDecoder(name);
  const corrections = CORRECTIONS[name];
  return identity().map((byte) =>
    byte < 0x80 ? byte : (corrections?.get(byte) ?? decoder.decode(Uint8Array.of(byte)).charCodeAt(0)),
  );
}

const FROM_DECODER = [
  'ibm866', 'iso-8859-2', 'iso-8859-3', 'iso-8859-4', 'iso-8859-5', 'iso-8859-6', 'iso-8859-7', 'iso-8859-8', 'iso-8859-8-i',
  'iso-8859-10', 'iso-8859-13', 'iso-8859-14', 'iso-8859-15', 'koi8-r', 'koi8-u', 'macintosh', 'windows-874',
  'windows-1250', 'windows-1251', 'windows-1253', 'windows-1254', 'windows-1255', 'windows-1256', 'windows-1257', 'windows-1258',
  'x-mac-cyrillic',
]; // prettier-ignore

/** Pages whose tables are written out here, whatever the runtime can decode. */
export const WRITTEN_OUT: ReadonlySet<string> = new Set([
  'windows-1252',
  'iso-8859-16',
  'x-user-defined',
  'cp28591',
  'cp28599',
  'cp20127',
]);

/** The single-byte pages by canonical name. The `cp` ones are what Windows means by a number where the WHATWG means a superset. */
export const SINGLE_BYTE: readonly ByteEncoding[] = Object.freeze([
  singleByte('windows-1252', windows1252),
  singleByte('iso-8859-16', iso885916),
  singleByte('x-user-defined', userDefined),
  singleByte('cp28591', identity),
  singleByte('cp28599', () => decoded('windows-1254').map((unit, byte) => (byte < 0xa0 ? byte : unit))),
  singleByte('cp20127', () => identity().map((byte) => (byte < 0x80 ? byte : REPLACEMENT))),
  ...FROM_DECODER.map((name) => singleByte(name, () => decoded(name))),
]);
