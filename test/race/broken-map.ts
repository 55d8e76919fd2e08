// A search in a map with a step taken out: the negative controls of the race tests. Nothing here may be copied into the library.
import { wordOf } from '../support/header.ts';
import { mapGeometry } from '../../src/sync/map-index.ts';
import { hashWords } from '../../src/sync/murmur.ts';
import { CAPACITY, type Marked } from './map-records.ts';

const PRESENT = 0;
const KEY = 4;
const RECORD_BYTES = 24;

/**
 * Gives a search in the raw memory of a segment. `two-looks` takes the key from one look at the slot and the record from another;
 * `empty-deleted` takes a deleted word for an empty one.
 */
export function brokenGet(buffer: ArrayBufferLike, how: string): (key: number) => Marked | undefined {
  const words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
  const view = new DataView(buffer);
  const [first, stride, cell] = [
    words[wordOf('headerLength')]! / 4,
    words[wordOf('stride')]! / 4,
    words[wordOf('cellLength')]! / 4,
  ];
  const control = first + CAPACITY * stride;
  const { turns, indexes, indexWords, slotMask } = mapGeometry(CAPACITY);
  const cellOf = (slot: number): number => {
    const at = first + slot * stride;
    return at + 4 + (Atomics.load(words, at) & 1) * cell;
  };
  return (key) => {
    const hash = hashWords(Int32Array.of(key), 0, 1);
    const index = control + indexes + (Atomics.load(words, control + turns) & 1) * indexWords;
    for (let i = 0; i < indexWords; i++) {
      const word = Atomics.load(words, index + ((hash + i) & (indexWords - 1)));
      const slot = (word & slotMask) - 1;
      if (word === 0 || (how === 'empty-deleted' && slot < 0)) return undefined;
      if (slot < 0) continue;
      const look = cellOf(slot);
      if (words[look + PRESENT] !== 1 || words[look + KEY] !== key) continue;
      const at = (how === 'two-looks' ? cellOf(slot) : look) * 4 + RECORD_BYTES;
      const field = (n: number): number => view.getFloat64(at + 8 * n, true);
      return { key: field(0), a: field(1), b: field(2), c: field(3), d: field(4) };
    }
    return undefined;
  };
}
