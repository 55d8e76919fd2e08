// The rules of text fields, each a law over arbitrary texts, encodings and capacities.
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteLength } from '../../src/layout/byte-length.ts';
import { SINGLE_BYTE } from '../../src/layout/code-pages.ts';
import { ISO_2022_JP } from '../../src/layout/iso-2022-jp.ts';
import { MULTI_BYTE } from '../../src/layout/multi-byte.ts';
import { be, u16 } from '../../src/layout/numbers.ts';
import { struct } from '../../src/layout/struct.ts';
import { char, char16, char32, shortString, utf8 } from '../../src/layout/text-types.ts';
import type { AnyType, Fields } from '../../src/layout/types.ts';
import { withCode } from '../support/with-code.ts';

interface TextOptions {
  readonly length?: string;
  readonly terminated?: boolean;
  readonly onOverflow?: 'throw' | 'truncate';
  readonly onUnmappable?: 'throw' | 'replace';
}
interface Variant {
  readonly title: string;
  readonly unit: number;
  readonly encoding: string;
  readonly make: (units: number, options: TextOptions) => AnyType;
}

/** Every code page that there is. */
const ONE_BYTE_PAGES = SINGLE_BYTE.map(({ name }) => name);
const LONG_PAGES = [...MULTI_BYTE, ISO_2022_JP].map(({ name }) => name);
const CODE_PAGES = [...ONE_BYTE_PAGES, ...LONG_PAGES];
/** There are many pages: each gets its share of the runs. */
const RUNS = { numRuns: 30 };
const VARIANTS: readonly Variant[] = [
  { title: 'utf8', unit: 1, encoding: 'utf-8', make: utf8 },
  { title: 'char16', unit: 2, encoding: 'utf-16le', make: char16 },
  {
    title: 'char16 big-endian',
    unit: 2,
    encoding: 'utf-16be',
    make: (units, options) => be(char16(units, options)),
  },
  { title: 'char32', unit: 4, encoding: 'utf-32le', make: char32 },
  ...CODE_PAGES.map((encoding) => ({
    title: `char in ${encoding}`,
    unit: 1,
    encoding,
    make: (units: number, options: TextOptions) => char(units, { ...options, encoding }),
  })),
];

const bytesOf = (text: string, encoding: string): number | undefined => {
  try {
    return byteLength(text, encoding);
  } catch {
    return undefined;
  }
};
const mappable = (text: string, encoding: string): string =>
  [...text].filter((character) => bytesOf(character, encoding) !== undefined).join('');

/** Characters of many lengths in many encodings; combining marks of several scripts; emoji that are joined of several. */
const CHARACTERS = [
  ...'aZ~ é€Ж中文字ｶ한국あ😀𠮷†Ω\u0301\u0303\u0323\u0e38\u0e49\u05b0\u05bc\u064b\u0651\u3099\u200d\ufe0f\ufeff\ufffd',
];
/** Gives what an encoding has of these, and for a page of single bytes all that it has. */
function charactersOf(encoding: string): readonly string[] {
  const own = ONE_BYTE_PAGES.includes(encoding) ? [...pageText(encoding).replaceAll('\ufffd', '')] : [];
  return [...CHARACTERS, ...own].filter((character) => bytesOf(character, encoding) !== undefined);
}
/** Gives the characters of the bytes 1 to 255. */
const pageText = (encoding: string): string =>
  struct('Page', { raw: char(255, { encoding, terminated: false }) }).decode(
    Uint8Array.from({ length: 255 }, (_, i) => i + 1),
  ).raw;

/** Texts of characters that an encoding has. */
const textsIn = (encoding: string): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .array(fc.constantFrom(...charactersOf(encoding)), { maxLength: 20 })
        .map((list) => list.join('')),
    },
    {
      weight: 1,
      arbitrary: fc
        .string({ unit: 'binary', maxLength: 20 })
        .map((text) => mappable(text.replaceAll('\0', ''), encoding)),
    },
  );
/** Texts of any characters, among them halves of surrogate pairs. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(...CHARACTERS),
      fc.constantFrom('\ud83d', '\ude00'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    { maxLength: 20 },
  )
  .map((list) => list.join('').replaceAll('\0', ''));

/** Memory full of old text, with the field at byte 4 of it. */
const AT = 4;
const oldMemory = (size: number): Uint8Array<ArrayBuffer> => new Uint8Array(size + 2 * AT).fill(0xcc);
const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe.each(VARIANTS)('$title', ({ make, encoding, unit }) => {
  const own = textsIn(encoding);
  const layoutOf = (units: number, options: TextOptions = {}) =>
    struct('Text', { text: make(units, options) } as never);
  const write = (units: number, text: string, options: TextOptions = {}): Uint8Array<ArrayBuffer> => {
    const layout = layoutOf(units, options);
    const memory = oldMemory(layout.size);
    layout.encode({ text }, memory, AT);
    return memory;
  };
  const read = (units: number, memory: Uint8Array<ArrayBuffer>, options: TextOptions = {}): string =>
    (layoutOf(units, options).decode(memory, AT) as { text: string }).text;

  test('a text fits exactly when its bytes and a terminator fit', () => {
    fc.assert(
      fc.property(own, fc.integer({ min: 1, max: 60 }), (text, units) => {
        const bytes = byteLength(text, encoding);
        const fits = bytes + unit <= units * unit;
        expect(codeOf(() => write(units, text))).toBe(fits ? undefined : 'VALUE_TOO_LONG');
        if (fits) expect(read(units, write(units, text))).toBe(text);
      }),
      RUNS,
    );
  });

  test('without a terminator a text may fill the field to its last unit', () => {
    fc.assert(
      fc.property(own, (text) => {
        const units = byteLength(text, encoding) / unit;
        if (units === 0) return;
        expect(read(units, write(units, text, { terminated: false }), { terminated: false })).toBe(text);
        expect(codeOf(() => write(units, text))).toBe('VALUE_TOO_LONG');
      }),
      RUNS,
    );
  });

  test('a write leaves no stale tail, and nothing outside the field changes', () => {
    fc.assert(
      fc.property(own, fc.integer({ min: 1, max: 60 }), fc.boolean(), (text, units, terminated) => {
        const memory = write(units, text, { onOverflow: 'truncate', terminated });
        const field = memory.subarray(AT, memory.length - AT);
        const kept = byteLength(read(units, memory, { terminated }), encoding);
        expect([...field.subarray(kept)].every((byte) => byte === 0)).toBe(true);
        expect([...memory.subarray(0, AT), ...memory.subarray(memory.length - AT)]).toEqual(
          Array.from({ length: 2 * AT }, () => 0xcc),
        );
      }),
      RUNS,
    );
  });

  test('a truncated text is the longest prefix of whole characters that fits', () => {
    fc.assert(
      fc.property(own, fc.integer({ min: 1, max: 30 }), (text, units) => {
        const kept = read(units, write(units, text, { onOverflow: 'truncate' }));
        expect(text.startsWith(kept)).toBe(true);
        expect(kept.isWellFormed()).toBe(true);
        const next = [...text][[...kept].length];
        if (next !== undefined)
          expect(byteLength(kept + next, encoding) + unit).toBeGreaterThan(units * unit);
      }),
      RUNS,
    );
  });

  test('reading stops at the terminator or the end of the field, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 48 }), (noise) => {
        const units = Math.max(1, Math.floor(noise.length / unit));
        const memory = oldMemory(units * unit);
        memory.set(noise.subarray(0, units * unit), AT);
        const text = read(units, memory);
        expect(text).not.toContain('\0');
        expect(text.isWellFormed()).toBe(true);
        expect([...text].length).toBeLessThanOrEqual(2 * units);
      }),
      RUNS,
    );
  });

  test('a text with a NUL is refused, for it would end there', () => {
    expect(codeOf(() => write(12, 'a\0b'))).toBe('VALUE_RANGE');
  });

  test('a counted length keeps NULs, wherever they stand', () => {
    const withNuls = fc
      .array(fc.oneof(own, fc.constant('\0')), { maxLength: 4 })
      .map((parts) => parts.join(''));
    const layout = struct<Fields>('Text', { n: u16, text: make(400, { length: 'n' }) });
    const memory = new Uint8Array(layout.size).fill(0xcc);
    fc.assert(
      fc.property(withNuls, (text) => {
        const n = byteLength(text, encoding) / unit;
        layout.encode({ text }, memory);
        expect(layout.decode(memory)).toEqual({ n, text });
        expect(
          [...memory.subarray((layout.offsets.text as number) + n * unit)].every((byte) => byte === 0),
        ).toBe(true);
      }),
      RUNS,
    );
  });

  test('a lone surrogate cannot be stored', () => {
    for (const text of ['\ud83d', 'a\udc00', '\ude00\ud83d'])
      expect(codeOf(() => write(12, text))).toBe('VALUE_UNMAPPABLE');
  });

  test('a refused text leaves the memory as it was', () => {
    const layout = layoutOf(4);
    const memory = oldMemory(layout.size);
    for (const text of ['far too long a text', 'a\0', '\ud800', 5, null]) {
      expect(codeOf(() => layout.encode({ text }, memory, AT))).toMatch(/^VALUE_/);
      expect([...memory].every((byte) => byte === 0xcc)).toBe(true);
    }
  });
});

describe('code pages', () => {
  test.each(CODE_PAGES)(
    '%s: a character it lacks throws, or is written as ? when that is asked for',
    (encoding) => {
      fc.assert(
        fc.property(texts, (text) => {
          const lacks = [...text].some((character) => bytesOf(character, encoding) === undefined);
          const strict = struct('Text', { text: char(160, { encoding }) });
          const lax = struct('Text', { text: char(160, { encoding, onUnmappable: 'replace' }) });
          const memory = new ArrayBuffer(160);
          expect(codeOf(() => strict.encode({ text }, memory))).toBe(lacks ? 'VALUE_UNMAPPABLE' : undefined);
          lax.encode({ text }, memory);
          const expected = [...text]
            .map((character) => (bytesOf(character, encoding) === undefined ? '?' : character))
            .join('');
          expect(lax.decode(memory).text).toBe(expected);
        }),
        RUNS,
      );
    },
  );

  test.each(ONE_BYTE_PAGES)(
    '%s: each byte that means a character is what that character is written as, and no other is',
    (encoding) => {
      const text = pageText(encoding);
      expect(text.length).toBe(255);
      const layout = struct('Text', { text: char(1, { encoding, terminated: false }) });
      const memory = new Uint8Array(1);
      for (let byte = 1; byte < 256; byte++) {
        const character = text[byte - 1] as string;
        if (character === '\ufffd') continue;
        layout.encode({ text: character }, memory);
        expect([character, memory[0]]).toEqual([character, byte]);
        expect(byteLength(character, encoding)).toBe(1);
      }
      const has = new Set(text.replaceAll('\ufffd', ''));
      fc.assert(
        fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), (character) => {
          expect(bytesOf(character, encoding) !== undefined).toBe(character === '\0' || has.has(character));
        }),
      );
    },
  );

  test.each(LONG_PAGES.filter((encoding) => encoding !== 'iso-2022-jp'))(
    '%s: whatever character one byte or two are read as, it is written and read as the same again',
    (encoding) => {
      const layout = struct('Text', { text: char(4, { encoding, terminated: false }) });
      const memory = new Uint8Array(4);
      let held = 0;
      for (let first = 0x80; first < 256; first++) {
        for (let second = 0; second < 256; second += second === 0 ? 0x30 : 1) {
          memory.set([first, second, 0, 0]);
          const { text } = layout.decode(memory);
          if (text.includes('\ufffd')) continue;
          held++;
          layout.encode({ text }, memory);
          if (layout.decode(memory).text !== text) expect.fail(`${encoding} loses ${text}`);
        }
      }
      expect(held).toBeGreaterThan(5000);
    },
  );

  // What the WHATWG Encoding Standard says of these bytes, whatever the runtime's decoder does.
  test.each([
    ['shift_jis', [0x80, 0x41], '\x80A'],
    ['shift_jis', [0x80, 0x81, 0x20, 0x7f], '\x80\ufffd \x7f'],
    ['shift_jis', [0xa0, 0xb1, 0xfd, 0xb1], '\ufffdｱ\ufffdｱ'],
    ['shift_jis', [0x88, 0x9f, 0x81], '亜\ufffd'],
    ['euc-jp', [0x80, 0x41], '\ufffdA'],
    ['euc-jp', [0x90, 0xb0, 0xa1], '\ufffd亜'],
    ['euc-jp', [0x8e, 0xb1, 0x8e, 0xe0, 0x41], 'ｱ\ufffdA'],
    ['euc-jp', [0x8f, 0xb0, 0xa1, 0x8f, 0x41], '丂\ufffdA'],
    ['euc-jp', [0x8f, 0xb0, 0x41, 0x8f, 0xa1, 0xa1, 0x41, 0x8f, 0xb0], '\ufffdA\ufffdA\ufffd'],
    ['euc-kr', [0x80, 0xb0, 0xa1, 0xff, 0xb0, 0xa1], '\ufffd가\ufffd가'],
    ['euc-kr', [0xaf, 0xa1, 0x41, 0xb0, 0x41], '\ufffdA캚'],
  ] as const)('%s reads %j as %j', (encoding, bytes, text) => {
    const layout = struct('Text', { text: char(16, { encoding }) });
    const memory = new Uint8Array(16);
    memory.set(bytes);
    expect(layout.decode(memory).text).toBe(text);
  });

  test('every character that a page of longer sequences can hold reads back as itself, and byteLength tells its bytes', () => {
    for (const encoding of LONG_PAGES) {
      const layout = struct('Text', { text: char(8, { encoding, terminated: false }) });
      const memory = new ArrayBuffer(8);
      let held = 0;
      // Every character of one page, every third of the others.
      for (let point = 1; point < 0x1_0010; point += encoding === 'gbk' ? 1 : 3) {
        if (point >= 0xd800 && point < 0xe000) continue;
        const text = String.fromCodePoint(point);
        const bytes = bytesOf(text, encoding);
        if (bytes === undefined) continue;
        held++;
        layout.encode({ text }, memory);
        if (layout.decode(memory).text !== text) expect.fail(`${encoding} loses U+${point.toString(16)}`);
        const stored = new Uint8Array(memory).findLastIndex((byte) => byte !== 0) + 1;
        if (stored !== bytes)
          expect.fail(`${encoding} stores U+${point.toString(16)} in ${stored} bytes, not ${bytes}`);
      }
      expect(held, encoding).toBeGreaterThan(80);
    }
  });

  test('windows-1252 is right for 0x80 to 0x9F whatever the runtime’s decoder says', () => {
    const layout = struct('Text', { text: char(27, { terminated: false }) });
    const defined = [
      0x80, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8e, 0x91, 0x92, 0x93, 0x94,
      0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9e, 0x9f,
    ];
    const text = '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ';
    expect(layout.decode(Uint8Array.from(defined)).text).toBe(text);
    const memory = new Uint8Array(27);
    layout.encode({ text }, memory);
    expect([...memory]).toEqual(defined);
  });

  // Where a page has a character twice, the pair that Windows writes.
  test.each([
    ['gbk', '€', [0x80]],
    ['gbk', '中', [0xd6, 0xd0]],
    ['gb18030', '€', [0xa2, 0xe3]],
    ['gb18030', 'é', [0xa8, 0xa6]],
    ['gb18030', '𠮷', [0x95, 0x34, 0xb2, 0x35]],
    ['gb18030', 'ÿ', [0x81, 0x30, 0x8b, 0x37]],
    ['big5', '十', [0xa4, 0x51]],
    ['big5', '═', [0xf9, 0xf9]],
    ['big5', '\ueeb8', [0x81, 0x40]],
    ['big5', '\uf6b0', [0x8d, 0xfe]],
    ['big5', '\ue311', [0x8e, 0x40]],
    ['big5', '\ueeb7', [0xa0, 0xfe]],
    ['big5', '\ue000', [0xfa, 0x40]],
    ['shift_jis', '纊', [0xfa, 0x5c]],
    ['shift_jis', 'ⅰ', [0xfa, 0x40]],
    ['shift_jis', '①', [0x87, 0x40]],
    ['shift_jis', '∵', [0x81, 0xe6]],
    ['shift_jis', 'ｶ', [0xb6]],
    ['euc-jp', 'ｶ', [0x8e, 0xb6]],
    ['euc-jp', '丂', [0x8f, 0xb0, 0xa1]],
    ['euc-kr', '€', [0xa2, 0xe6]],
    ['euc-kr', '가', [0xb0, 0xa1]],
  ] as const)('%s writes %s as Windows does', (encoding, text, bytes) => {
    const layout = struct('Text', { text: char(4, { encoding, terminated: false }) });
    const memory = new Uint8Array(4);
    layout.encode({ text }, memory);
    expect([...memory.subarray(0, bytes.length)]).toEqual([...bytes]);
    expect(byteLength(text, encoding)).toBe(bytes.length);
    expect(layout.decode(memory).text).toBe(text);
  });

  // First digits of the SHA-256 of the 256 characters of each page. All but windows-1255 (0xCA), koi8-u (0xAE, 0xBE) and x-user-defined,
  // which it lacks, are also those of Python's codecs; for these the WHATWG tables count.
  const PAGES = {
    'windows-874': '6a2c7940c3d6',
    'windows-1250': '03772ed2e875',
    'windows-1251': 'b16600cf4e6d',
    'windows-1252': 'cc916e51644a',
    'windows-1253': 'e4570135cbc6',
    'windows-1254': '4a8e99647c3e',
    'windows-1255': '870c5c5e687f',
    'windows-1256': '6f6e8626197b',
    'windows-1257': 'd19a4e888879',
    'windows-1258': 'e79b48db126b',
    ibm866: '3c8cc5cb485f',
    'koi8-r': 'fb0243455e64',
    'koi8-u': '896c218aaf12',
    macintosh: '54112bce885d',
    'x-mac-cyrillic': '784db55e1c90',
    'iso-8859-2': 'a5871b0f978b',
    'iso-8859-3': 'e83895f2b7d7',
    'iso-8859-4': '449076e20ebf',
    'iso-8859-5': '9f31ddc0f744',
    'iso-8859-6': 'beba4e6cf97d',
    'iso-8859-7': '71069977a679',
    'iso-8859-8': 'b43535e7aaeb',
    'iso-8859-10': '282514fbd012',
    'iso-8859-13': '4426f6d2f1b0',
    'iso-8859-14': 'f03afb7e01e6',
    'iso-8859-15': '9b58b26dbd8f',
    'iso-8859-8-i': 'b43535e7aaeb',
    'iso-8859-16': '2de1faef4dc5',
    'x-user-defined': 'fb4341fe9079',
    cp28591: '9799e3eb6096',
    cp28599: '99a8e5b10c9d',
    cp20127: '0f1a0d9c96b6',
  };
  test('every page of single bytes has a digest here', () => {
    expect(Object.keys(PAGES).toSorted()).toEqual(ONE_BYTE_PAGES.toSorted());
  });
  test.each(Object.entries(PAGES))(
    '%s has the characters it always had, on every version of Node',
    (encoding, digest) => {
      const layout = struct('Page', { raw: char(255, { encoding, terminated: false }) });
      const text = layout.decode(Uint8Array.from({ length: 255 }, (_, i) => i + 1)).raw;
      expect(createHash('sha256').update(`\0${text}`).digest('hex').slice(0, 12)).toBe(digest);
    },
  );

  test('Windows numbers and WHATWG labels name the same pages', () => {
    const pairs = [
      [936, 'gbk'],
      [936, 'gb2312'],
      [1252, 'latin1'],
      [1251, 'cp1251'],
      [932, 'sjis'],
      [1252, 'cp819'],
      [950, 'big5'],
      [949, 'euc-kr'],
      [866, 'cp866'],
      [20866, 'koi8-r'],
      [65001, 'utf8'],
    ] as const;
    for (const [number, label] of pairs) {
      expect(struct('T', { text: char(9, { encoding: number }) }).digest).toBe(
        struct('T', { text: char(9, { encoding: label }) }).digest,
      );
    }
  });

  test('code page 949 has the syllables that EUC-KR lacks', () => {
    const layout = struct('Text', { text: char(4, { encoding: 949 }) });
    const memory = new Uint8Array(4);
    layout.encode({ text: '똠' }, memory);
    expect([...memory]).toEqual([0x8c, 0x63, 0, 0]);
    expect(layout.decode(memory).text).toBe('똠');
  });

  test('iso-2022-jp begins and ends in ASCII, keeps room for the way back, and lacks the characters that switch', () => {
    const layout = struct('Text', { text: char(11, { encoding: 'iso-2022-jp' }) });
    const memory = new Uint8Array(11);
    layout.encode({ text: '日本' }, memory);
    expect(Buffer.from(memory).toString('latin1')).toBe('\x1b$BF|K\\\x1b(B\0');
    expect(byteLength('日', 50220) + byteLength('本', 50220)).toBe(16);
    expect(byteLength('日本', 50220)).toBe(10);
    expect(() => layout.encode({ text: '日本a' }, memory)).toThrow(
      'text is 11 bytes, expected at most 10 and a terminator',
    );
    expect(codeOf(() => layout.encode({ text: '\x1b(I1' }, memory))).toBe('VALUE_UNMAPPABLE');
    expect(layout.decode(memory).text).toBe('日本');
    const cut = struct('Text', { text: char(10, { encoding: 'iso-2022-jp', onOverflow: 'truncate' }) });
    cut.encode({ text: '日本' }, memory);
    expect(cut.decode(memory).text).toBe('日');
  });

  test('byteLength takes the big-endian forms of UTF-16 and UTF-32 too', () => {
    for (const encoding of [1200, 1201, 'utf-16le', 'UTF-16BE']) expect(byteLength('a😀', encoding)).toBe(6);
    for (const encoding of [12000, 12001, 'utf-32le', 'utf-32be'])
      expect(byteLength('a😀', encoding)).toBe(8);
  });

  test('an unknown encoding is refused by name, UTF-16 points to char16', () => {
    expect(() => char(4, { encoding: 'klingon' })).toThrow(/klingon/);
    expect(() => char(4, { encoding: 1200 })).toThrow(/char16/);
    expect(() => char(4, { encoding: 4711 })).toThrow(withCode('LAYOUT_FIELD_INVALID'));
  });
});

describe('texts with a counted length', () => {
  test('shortString holds up to its number of bytes, NUL included, and zeroes the tail', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.integer({ min: 0, max: 126 }).map((code) => String.fromCharCode(code)),
          maxLength: 20,
        }),
        (text) => {
          const layout = struct('Text', { text: shortString(12) });
          const memory = new Uint8Array(13).fill(0xcc);
          const fits = text.length <= 12;
          expect(codeOf(() => layout.encode({ text }, memory))).toBe(fits ? undefined : 'VALUE_TOO_LONG');
          if (!fits) return;
          expect(layout.decode(memory).text).toBe(text);
          expect([...memory.subarray(1 + text.length)].every((byte) => byte === 0)).toBe(true);
        },
      ),
    );
  });

  test('a stored length beyond the field is VALUE_RANGE, never a read beyond it', () => {
    const short = struct('Text', { text: shortString(3) });
    expect(codeOf(() => short.decode(Uint8Array.of(4, 65, 66, 67)))).toBe('VALUE_RANGE');
    const tied = struct('Text', { n: u16, text: utf8(3, { length: 'n' }) });
    for (const n of [4, 0xffff]) {
      const memory = new Uint8Array(tied.size);
      new DataView(memory.buffer).setUint16(0, n, true);
      expect(codeOf(() => tied.decode(memory))).toBe('VALUE_RANGE');
    }
  });

  test('a sibling length is optional, is set for the caller, and must agree if given', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 8 }),
        fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
        (text, n) => {
          const layout = struct('Text', { n: u16, text: char16(8, { length: 'n' }) });
          const memory = new Uint8Array(layout.size).fill(0xcc);
          const given = n === undefined ? { text } : { n, text };
          const code =
            text.length > 8
              ? 'VALUE_TOO_LONG'
              : n !== undefined && n !== text.length
                ? 'VALUE_RANGE'
                : undefined;
          expect(codeOf(() => layout.encode(given, memory))).toBe(code);
          if (code === undefined) expect(layout.decode(memory)).toEqual({ n: text.length, text });
        },
      ),
    );
  });
});
