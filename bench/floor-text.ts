// The floor for the README's quote: text, numbers, a 64-bit integer and an array, under the rules of floor.ts. Text that is
// not ASCII takes a slower way on both sides.
import { SLOT_CELLS_WORD } from '../src/sync/cells.ts';
import type { SlotMemory } from './floor.ts';

const WORD = 4;
const LOCK = 1;
const ME = 0x7fff_ff03;
const SYMBOL_BYTES = 12;
const BID = 16 / 8;
const { fromCharCode } = String;

/** The fields of `Quote` under other names. */
export interface Paper {
  label: string;
  buy: number;
  sell: number;
  clock: bigint;
  levels: number[];
}

export const paper = (): Paper => ({
  label: '',
  buy: 0.5,
  sell: 0.5,
  clock: 0n,
  levels: [0.5, 0.5, 0.5, 0.5, 0.5],
});

/** Reads and writes quotes. */
export function handText({ words, doubles, firstWord, strideWords, cellWords }: SlotMemory) {
  const { buffer } = words;
  const wide = new BigUint64Array(buffer, 0, doubles.length);
  const bytes = new Uint8Array(buffer);
  const native = Buffer.from(buffer as ArrayBuffer);

  /** One call with as many characters as there are is the fastest way to make a short string. */
  const label = (o: number): string => {
    let end = o;
    let seen = 0;
    while (end < o + SYMBOL_BYTES && bytes[end] !== 0) seen |= bytes[end++]!;
    if (seen >= 0x80) return native.toString('utf8', o, end);
    const a = bytes[o]!;
    const b = bytes[o + 1]!;
    const c = bytes[o + 2]!;
    const d = bytes[o + 3]!;
    const e = bytes[o + 4]!;
    const f = bytes[o + 5]!;
    const g = bytes[o + 6]!;
    const h = bytes[o + 7]!;
    switch (end - o) {
      case 0:
        return '';
      case 1:
        return fromCharCode(a);
      case 2:
        return fromCharCode(a, b);
      case 3:
        return fromCharCode(a, b, c);
      case 4:
        return fromCharCode(a, b, c, d);
      case 5:
        return fromCharCode(a, b, c, d, e);
      case 6:
        return fromCharCode(a, b, c, d, e, f);
      case 7:
        return fromCharCode(a, b, c, d, e, f, g);
      case 8:
        return fromCharCode(a, b, c, d, e, f, g, h);
      default:
        return fromCharCode(a, b, c, d, e, f, g, h) + native.toString('latin1', o + 8, end);
    }
  };
  const fillLabel = (o: number, text: string): void => {
    let i = 0;
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80 || i === SYMBOL_BYTES - 1) {
        i = native.write(text, o, SYMBOL_BYTES - 1);
        break;
      }
      bytes[o + i] = code;
    }
    for (; i < SYMBOL_BYTES; i++) bytes[o + i] = 0;
  };
  return {
    read(index: number): Paper {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const cell = slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords;
        const o = (cell >> 1) + BID;
        const text = label(cell * WORD);
        const buy = doubles[o]!;
        const sell = doubles[o + 1]!;
        const clock = wide[o + 2]!;
        const levels = [doubles[o + 3]!, doubles[o + 4]!, doubles[o + 5]!, doubles[o + 6]!, doubles[o + 7]!];
        if (Atomics.load(words, slot) === sequence) return { label: text, buy, sell, clock, levels };
      }
    },

    readInto(index: number, target: Paper): Paper {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const cell = slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords;
        const o = (cell >> 1) + BID;
        target.label = label(cell * WORD);
        target.buy = doubles[o]!;
        target.sell = doubles[o + 1]!;
        target.clock = wide[o + 2]!;
        const { levels } = target;
        levels[0] = doubles[o + 3]!;
        levels[1] = doubles[o + 4]!;
        levels[2] = doubles[o + 5]!;
        levels[3] = doubles[o + 6]!;
        levels[4] = doubles[o + 7]!;
        if (Atomics.load(words, slot) === sequence) return target;
      }
    },

    /** Several writers: lock, fill the spare cell, publish, unlock. */
    write(index: number, { label: text, buy, sell, clock, levels }: Paper): void {
      const slot = firstWord + index * strideWords;
      while (Atomics.compareExchange(words, slot + LOCK, 0, ME) !== 0);
      const cell = slot + SLOT_CELLS_WORD + ((words[slot]! + 1) & 1) * cellWords;
      const o = (cell >> 1) + BID;
      fillLabel(cell * WORD, text);
      doubles[o] = buy;
      doubles[o + 1] = sell;
      wide[o + 2] = clock;
      doubles[o + 3] = levels[0]!;
      doubles[o + 4] = levels[1]!;
      doubles[o + 5] = levels[2]!;
      doubles[o + 6] = levels[3]!;
      doubles[o + 7] = levels[4]!;
      Atomics.add(words, slot, 1);
      Atomics.store(words, slot + LOCK, 0);
    },
  };
}
