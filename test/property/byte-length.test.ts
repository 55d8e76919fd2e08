// How many bytes a text takes: not its length, not twice its length. The records are those of examples/tpsharemem.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteLength } from '../../src/layout/byte-length.ts';
import { SINGLE_BYTE } from '../../src/layout/code-pages.ts';
import { ISO_2022_JP } from '../../src/layout/iso-2022-jp.ts';
import { MULTI_BYTE } from '../../src/layout/multi-byte.ts';
import { struct } from '../../src/layout/struct.ts';
import { char, char16 } from '../../src/layout/text-types.ts';
import { withCode } from '../support/with-code.ts';

/** Every code page that there is; all but one of them write a character the same wherever it stands. */
const CODE_PAGES = ['utf-8', ...[...SINGLE_BYTE, ...MULTI_BYTE, ISO_2022_JP].map(({ name }) => name)];
const STATELESS = [...CODE_PAGES, 'utf-16le', 'utf-32le'].filter((name) => name !== 'iso-2022-jp');
const RECORDS = [
  {
    encoding: 'utf-16le',
    layout: struct('TPShareMem', { Data: char16(256, { terminated: false }) }),
  },
  ...CODE_PAGES.map((encoding) => ({
    encoding,
    layout: struct('TPShareMemAnsi', { Data: char(256, { encoding, terminated: false }) }),
  })),
];

/** A record, and two texts of characters of one to four bytes that its encoding has; not U+FFFD, which half a character reads as. */
const recordsAndTexts = fc.constantFrom(...RECORDS).chain(({ encoding, layout }) => {
  const characters = [...'aZ~é€Ж简单的共享内存示例ｶ한😀\u0301\u0323\u0e38\u05b0\u064b\u3099\ufeff'].filter(
    (each) => has(encoding, each),
  );
  const texts = fc.array(fc.constantFrom(...characters), { maxLength: 300 }).map((list) => list.join(''));
  return fc.record({
    encoding: fc.constant(encoding),
    layout: fc.constant(layout),
    text: texts,
    before: texts,
  });
});

function has(encoding: string, text: string): boolean {
  try {
    return byteLength(text, encoding) >= 0;
  } catch {
    return false;
  }
}

describe('byte length is not string length', () => {
  const cases = [
    ['简单的共享内存示例', 9, { 'utf-16le': 18, gbk: 18, 'utf-8': 27, 'utf-32le': 36 }],
    ['Café', 4, { 'utf-16le': 8, 'windows-1252': 4, 'utf-8': 5, 'utf-32le': 16 }],
    ['a中', 2, { 'utf-16le': 4, gbk: 3, 'utf-8': 4 }],
    ['😀', 2, { 'utf-16le': 4, 'utf-8': 4, gb18030: 4, 'utf-32le': 4 }],
  ] as const;
  test.each(cases)('%s: %d UTF-16 units', (text, units, bytes) => {
    expect(text.length).toBe(units);
    for (const [encoding, count] of Object.entries(bytes))
      expect(byteLength(text, encoding), encoding).toBe(count);
  });

  test('byteLength is additive wherever no escape sequences are needed, and refuses what the encoding lacks in every text', () => {
    const halves = fc.string({ unit: 'binary', maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...STATELESS), halves, halves, fc.nat(255), (encoding, a, b, byte) => {
        const [kept, rest] = [a, b].map((text) => [...text].filter((each) => has(encoding, each)).join(''));
        expect(byteLength(kept as string, encoding) + byteLength(rest as string, encoding)).toBe(
          byteLength(`${kept}${rest}`, encoding),
        );
        const character = String.fromCharCode(byte);
        expect(has(encoding, `${kept}${character}${rest}`)).toBe(has(encoding, character));
      }),
      { numRuns: 1000 },
    );
  });

  test('byteLength agrees with the runtime for UTF-8 and UTF-16', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(byteLength(text, 'utf-8')).toBe(Buffer.byteLength(text, 'utf8'));
        expect(byteLength(text, 1200)).toBe(Buffer.byteLength(text, 'utf16le'));
      }),
    );
  });

  test('a record holds a text exactly when its bytes fit, zeroes the rest, and gives it back', () => {
    fc.assert(
      fc.property(recordsAndTexts, ({ encoding, layout, before, text }) => {
        const memory = new Uint8Array(layout.size);
        if (byteLength(before, encoding) <= layout.size) layout.encode({ Data: before }, memory);
        const wasThere = memory.slice();
        const bytes = byteLength(text, encoding);
        if (bytes > layout.size) {
          expect(() => layout.encode({ Data: text }, memory)).toThrow(withCode('VALUE_TOO_LONG'));
          expect(memory).toEqual(wasThere);
          return;
        }
        layout.encode({ Data: text }, memory);
        expect(memory.subarray(bytes).every((byte) => byte === 0)).toBe(true);
        expect(layout.decode(memory).Data).toBe(text);
      }),
    );
  });

  test('copying as many bytes as the text has characters keeps it exactly when every character has one byte', () => {
    fc.assert(
      fc.property(recordsAndTexts, ({ encoding, layout, text }) => {
        fc.pre(byteLength(text, encoding) <= layout.size);
        const whole = new Uint8Array(layout.size);
        layout.encode({ Data: text }, whole);
        const copied = new Uint8Array(layout.size);
        copied.set(whole.subarray(0, text.length));
        const isKept = layout.decode(copied).Data === text;
        expect(isKept).toBe(byteLength(text, encoding) === text.length);
      }),
    );
  });

  test('doubling the length is right in UTF-16, and in a code page only if its bytes happen to be so many', () => {
    let wrong = 0;
    fc.assert(
      fc.property(recordsAndTexts, ({ encoding, text }) => {
        const bytes = byteLength(text, encoding);
        if (encoding === 'utf-16le') expect(bytes).toBe(2 * text.length);
        else if (bytes !== 2 * text.length) wrong++;
      }),
    );
    expect(wrong).toBeGreaterThan(0);
  });

  test('the published record holds the published text in UTF-16 and in GBK', () => {
    const text = '简单的共享内存示例';
    const wide = struct('TPShareMem', { Data: char16(256, { terminated: false }) });
    const ansi = struct('TPShareMem', { Data: char(256, { encoding: 936, terminated: false }) });
    expect([wide.size, ansi.size]).toEqual([512, 256]);
    for (const layout of [wide, ansi]) {
      const memory = new Uint8Array(layout.size).fill(0xcc);
      layout.encode({ Data: text }, memory);
      expect(layout.decode(memory).Data).toBe(text);
      expect([...memory.subarray(18)].every((byte) => byte === 0)).toBe(true);
    }
  });
});
