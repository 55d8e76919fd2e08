// Multi-byte code pages: tables of characters by byte pair and of bytes by character, built from the runtime's TextDecoder at first
// use. Whatever a table does not know (longer sequences, malformed text) is left to the decoder itself.
import { reserve, scratch, textOfUnits } from './scratch.ts';
import { unmappable, type ByteEncoding } from './text-encoding.ts';

const QUESTION_MARK = 0x3f;
const REPLACEMENT = 0xfffd;

/** How the sequences of one page look. */
interface Page {
  readonly name: string;
  readonly leads: readonly [first: number, last: number];
  readonly trails: readonly [first: number, last: number];
  /** Tells whether a pair is never written, because another one of the same character is preferred. */
  readonly readOnly?: (pair: number) => boolean;
  /** Characters whose last pair is written, not the first. */
  readonly preferLast?: ReadonlySet<number>;
  /** No byte from 0x80 is a character of its own, whatever the decoder says. */
  readonly noSingles?: boolean;
  /** A lead byte of sequences of three. */
  readonly triples?: number;
  /** Every code point has a sequence of four bytes. */
  readonly quads?: boolean;
  /** A byte that means the control character of its own value, whatever the decoder says. */
  readonly control?: number;
  /** Puts the decoder's pairs right: adds what the page has beyond them, and takes away what it has not. */
  readonly complete?: (pairs: Uint16Array) => unknown;
  /** Tells the first bytes of sequences. The tables know all of them, so malformed text is judged here as the WHATWG says. */
  readonly isLead?: (byte: number) => boolean;
}

const PAGES: readonly Page[] = [
  { name: 'gbk', leads: [0x81, 0xfe], trails: [0x40, 0xfe] },
  { name: 'gb18030', leads: [0x81, 0xfe], trails: [0x40, 0xfe], quads: true, noSingles: true },
  {
    name: 'big5',
    leads: [0x81, 0xfe],
    trails: [0x40, 0xfe],
    complete: completeBig5,
    preferLast: new Set([0x2550, 0x255e, 0x2561, 0x256a, 0x5341, 0x5345]),
  },
  {
    name: 'shift_jis',
    leads: [0x81, 0xfc],
    trails: [0x40, 0xfc],
    // NEC's selection of IBM extensions; IBM's own pairs are written.
    readOnly: (pair) => pair >= 0xed40 && pair <= 0xeefc,
    control: 0x80,
    isLead: (byte) => (byte > 0x80 && byte < 0xa0) || (byte > 0xdf && byte < 0xfd),
  },
  {
    name: 'euc-kr',
    leads: [0x81, 0xfe],
    trails: [0x41, 0xfe],
    noSingles: true,
    complete: completeKorean,
    isLead: (byte) => byte > 0x80 && byte < 0xff,
  },
  {
    name: 'euc-jp',
    leads: [0x8e, 0xfe],
    trails: [0xa1, 0xfe],
    // Half-width katakana end at 0xDF; some decoders have signs of IBM behind them.
    complete: (pairs) => pairs.fill(0, 0x8ee0, 0x8f00),
    triples: 0x8f,
    noSingles: true,
    isLead: (byte) => byte === 0x8e || byte === 0x8f || (byte > 0xa0 && byte < 0xff),
  },
];

/**
 * Adds what code page 949 has beyond EUC-KR, which is all that some decoders know: two signs, and all Hangul syllables that
 * EUC-KR lacks, in Unicode order.
 */
function completeKorean(pairs: Uint16Array): void {
  pairs[0xa2e6] = 0x20ac;
  pairs[0xa2e7] = 0xae;
  const known = new Set<number>();
  for (let pair = 0xa1a1; pair < 0x10000; pair++) if ((pair & 0xff) > 0xa0) known.add(pairs[pair] as number);
  const free: number[] = [];
  for (let lead = 0x81; lead <= 0xc6; lead++) {
    const last = lead <= 0xa0 ? 0xfe : 0xa0;
    for (const trail of [...range(0x41, 0x5a), ...range(0x61, 0x7a), ...range(0x81, last)])
      free.push((lead << 8) | trail);
  }
  let next = 0;
  for (let syllable = 0xac00; syllable <= 0xd7a3; syllable++) {
    if (!known.has(syllable)) pairs[free[next++] as number] = syllable;
  }
}

/**
 * Makes the pairs below 0xA140 what code page 950 has there: the private-use characters of end users. Some decoders have signs of
 * Hong Kong in their place, which the code page cannot write.
 */
function completeBig5(pairs: Uint16Array): void {
  let unit = 0xeeb8;
  for (let lead = 0x81; lead <= 0xa0; lead++) {
    if (lead === 0x8e) unit = 0xe311;
    for (const trail of [...range(0x40, 0x7e), ...range(0xa1, 0xfe)]) pairs[(lead << 8) | trail] = unit++;
  }
}

type Decoder = InstanceType<typeof TextDecoder>;

interface Tables {
  readonly decoder: Decoder;
  /** Characters of single bytes; 0 where the byte is a lead or nothing. */
  readonly singles: Uint16Array;
  /** Characters of pairs; 0 where the pair is none, or is more than one UTF-16 unit. */
  readonly pairs: Uint16Array;
  /** Characters of the two bytes behind the lead of three. */
  readonly triples: Uint16Array;
  /** Bytes of characters, the first byte highest; 0 where the page lacks the character. */
  readonly bytes: Uint32Array;
}

const NEW_LINE = 0x0a;

/** Decodes many sequences in one call; gives the character of each, or 0 where it is not one UTF-16 unit. */
function charactersOf(decoder: Decoder, sequences: readonly (readonly number[])[]): number[] {
  const decode = (bytes: Iterable<number>): string => decoder.decode(Uint8Array.from(bytes));
  const lines = decode(sequences.flatMap((sequence) => [...sequence, NEW_LINE])).split('\n');
  const whole = lines.length === sequences.length + 1 ? lines : sequences.map(decode);
  return sequences.map((_, i) => {
    const line = whole[i] as string;
    return line.length === 1 && line !== '\ufffd' ? line.charCodeAt(0) : 0;
  });
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

function buildTables(page: Page): Tables {
  const decoder = new TextDecoder(page.name, { ignoreBOM: true });
  const singles = new Uint16Array(256);
  const pairs = new Uint16Array(0x10000);
  const triples = new Uint16Array(page.triples === undefined ? 0 : 0x10000);
  const bytes = new Uint32Array(0x10000);
  const learn = (unit: number, sequence: number): void => {
    if (unit !== 0 && (bytes[unit] === 0 || page.preferLast?.has(unit) === true)) bytes[unit] = sequence;
  };
  for (const byte of range(1, 0x7f)) singles[byte] = bytes[byte] = byte;
  charactersOf(
    decoder,
    range(0x80, 0xff).map((byte) => [byte]),
  ).forEach((unit, i) => {
    if (page.noSingles === true) return;
    singles[0x80 + i] = unit;
    learn(unit, 0x80 + i);
  });
  if (page.control !== undefined) {
    singles[page.control] = page.control;
    learn(page.control, page.control);
  }
  const trails = range(...page.trails);
  for (const lead of range(...page.leads)) {
    charactersOf(
      decoder,
      trails.map((trail) => [lead, trail]),
    ).forEach((unit, i) => {
      const pair = (lead << 8) | (trails[i] as number);
      pairs[pair] = unit;
    });
  }
  page.complete?.(pairs);
  pairs.forEach((unit, pair) => {
    if (unit !== 0 && page.readOnly?.(pair) !== true) learn(unit, pair);
  });
  if (page.triples !== undefined) {
    const lead = page.triples << 16;
    fillTriples(triples, decoder, page.triples, trails);
    triples.forEach((unit, rest) => learn(unit, lead | rest));
  }
  if (page.quads === true) learnQuads(decoder, learn);
  return { decoder, singles, pairs, triples, bytes };
}

function fillTriples(triples: Uint16Array, decoder: Decoder, lead: number, trails: readonly number[]): void {
  for (const second of trails) {
    charactersOf(
      decoder,
      trails.map((third) => [lead, second, third]),
    ).forEach((unit, i) => {
      triples[(second << 8) | (trails[i] as number)] = unit;
    });
  }
}

/** Spells the n-th sequence of four bytes. */
function quadOf(n: number): readonly [number, number, number, number] {
  return [
    0x81 + Math.floor(n / 12_600),
    0x30 + (Math.floor(n / 1260) % 10),
    0x81 + (Math.floor(n / 10) % 126),
    0x30 + (n % 10),
  ];
}
const QUADS_OF_BMP = 39_420;
/** Number of the sequence of U+10000; the others follow in order. */
const FIRST_ASTRAL_QUAD = 189_000;

const joined = (sequence: readonly number[]): number => sequence.reduce((sum, byte) => sum * 256 + byte, 0);

function learnQuads(decoder: Decoder, learn: (unit: number, sequence: number) => void): void {
  for (let first = 0; first < QUADS_OF_BMP; first += 1260) {
    const quads = range(first, Math.min(first + 1260, QUADS_OF_BMP) - 1).map(quadOf);
    charactersOf(decoder, quads).forEach((unit, i) => learn(unit, joined(quads[i] as readonly number[])));
  }
}

const byteCount = (sequence: number): number =>
  sequence < 0x100 ? 1 : sequence < 0x1_0000 ? 2 : sequence < 0x100_0000 ? 3 : 4;

function multiByte(page: Page): ByteEncoding {
  const { name } = page;
  let tables: Tables | undefined;
  /** Gives the bytes of the character at `i` as one number, 0 if the page lacks it. */
  const sequenceAt = (text: string, i: number): number => {
    tables ??= buildTables(page);
    const unit = text.charCodeAt(i);
    if ((unit & 0xf800) !== 0xd800) return tables.bytes[unit] as number;
    const point = text.codePointAt(i) as number;
    return point > 0xffff && page.quads === true ? joined(quadOf(FIRST_ASTRAL_QUAD + point - 0x1_0000)) : 0;
  };
  const isNul = (text: string, i: number): boolean => text.charCodeAt(i) === 0;
  return Object.freeze({
    name,
    unit: 1 as const,
    ascii: true,
    decode(length: number): string {
      tables ??= buildTables(page);
      const { singles, pairs, triples, decoder } = tables;
      const { bytes, units } = scratch;
      const byteAt = (i: number): number => (i < length ? (bytes[i] as number) : 0);
      let out = 0;
      for (let i = 0; i < length; i++) {
        const byte = bytes[i] as number;
        let unit = singles[byte] as number;
        if (unit === 0 && byte !== 0) {
          const trail = byteAt(i + 1);
          let last = i + 1;
          unit = pairs[(byte << 8) | trail] as number;
          if (unit === 0 && page.isLead === undefined) return decoder.decode(bytes.subarray(0, length));
          if (unit === 0 && byte === page.triples && trail > 0xa0 && trail < 0xff)
            unit = triples[(trail << 8) | byteAt(++last)] as number;
          if (unit !== 0) i = last;
          else {
            unit = REPLACEMENT;
            // A malformed sequence is one replacement; an ASCII byte that ends it stands for itself.
            if (page.isLead?.(byte) === true) i = byteAt(last) < 0x80 ? last - 1 : last;
          }
        }
        units[out++] = unit;
      }
      return textOfUnits(out);
    },
    measure(text: string, replace: boolean): number {
      let length = 0;
      for (let i = 0; i < text.length; i++) {
        const sequence = sequenceAt(text, i);
        if (sequence === 0 && !replace && !isNul(text, i)) unmappable(text, i, name);
        length += byteCount(sequence);
        if ((text.codePointAt(i) as number) > 0xffff) i++;
      }
      return length;
    },
    encode(text: string, limit: number): number {
      reserve(limit);
      const { bytes } = scratch;
      let length = 0;
      for (let i = 0; i < text.length; i++) {
        const found = sequenceAt(text, i);
        const sequence = found === 0 && !isNul(text, i) ? QUESTION_MARK : found;
        const count = byteCount(sequence);
        if (length + count > limit) break;
        for (let at = count - 1; at >= 0; at--) bytes[length++] = Math.floor(sequence / 256 ** at) & 0xff;
        if ((text.codePointAt(i) as number) > 0xffff) i++;
      }
      return length;
    },
  });
}

/** The multi-byte pages by canonical name. */
export const MULTI_BYTE: readonly ByteEncoding[] = Object.freeze(PAGES.map(multiByte));
