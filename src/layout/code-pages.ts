// Single-byte code pages: a table of 256 characters each, built at first use. Bytes that a page leaves undefined read as U+FFFD.
import { reserve, scratch, textOfUnits } from './scratch.ts';
import { unmappable, type ByteEncoding } from './text-encoding.ts';

const REPLACEMENT = 0xfffd;
const QUESTION_MARK = 0x3f;

/** Makes the encoding of a page whose byte b means `characters[b]`; `make` runs at first use. */
export function singleByte(name: string, make: () => Uint16Array): ByteEncoding {
  let characters: Uint16Array | undefined;
  let bytesByUnit: Uint16Array | undefined;
  const toUnits = (): Uint16Array => (characters ??= make());
  /** 256 marks a unit that the page lacks. */
  const toBytes = (): Uint16Array => {
    if (bytesByUnit !== undefined) return bytesByUnit;
    const table = new Uint16Array(0x10000).fill(256);
    toUnits().forEach((unit, byte) => {
      if (unit !== REPLACEMENT) table[unit] = byte;
    });
    return (bytesByUnit = table);
  };
  return Object.freeze({
    name,
    unit: 1 as const,
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
        if (table[text.charCodeAt(i)] !== 256) continue;
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
        bytes[length++] = byte === 256 ? QUESTION_MARK : byte;
        if (byte === 256 && (text.codePointAt(i) as number) > 0xffff) i++;
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

/** The table of windows-1252, the default encoding of `char`. */
export const windows1252 = (): Uint16Array =>
  identity().map((byte) => (byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252[byte - 0x80] || byte : byte));
/** The table of ISO 8859-1: each byte is the character of its own value. */
export const iso88591 = identity;
/** The table of 7-bit ASCII. */
export const usAscii = (): Uint16Array => identity().map((byte) => (byte < 0x80 ? byte : REPLACEMENT));
