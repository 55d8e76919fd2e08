// Long texts that somebody reads again and again, as whoever polls a record does: where the bytes are the same as the last time, so is
// the text. Every byte is compared, which costs a third of making the string (bench/rows/packages.ts, "get a text of 255").
import { bytesOf } from './memory.ts';
import { LITTLE_ENDIAN } from './scratch.ts';
import type { TextShape } from './shape.ts';

/** A text of fewer bytes is made as fast as it is compared; one of more would keep much memory. */
const LEAST_BYTES = 128;
const MOST_BYTES = 4096;

/** Tells whether texts of this shape are worth keeping. */
export const isKept = ({ size, ending }: TextShape): boolean =>
  (ending === 'terminated' || ending === 'full') && size >= LEAST_BYTES && size <= MOST_BYTES;

/** The last text of one field, with a private copy of the bytes that it was made of. */
export class KeptText {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #view: DataView;
  #text: string | undefined;

  /** `size`: bytes of the field. */
  constructor(size: number) {
    const words = Math.ceil(size / 4);
    const memory = new ArrayBuffer(4 * words);
    this.#bytes = new Uint8Array(memory, 0, size);
    this.#words = new Int32Array(memory);
    this.#view = new DataView(memory);
  }

  /** Gives the text of the field at byte `at` of `view`. */
  read(view: DataView, at: number, decode: (view: DataView, at: number) => unknown): unknown {
    if (this.#text === undefined || !this.#isSame(view, at)) {
      // The text is made of the copy: whoever writes meanwhile cannot bring the two apart.
      this.#text = undefined;
      this.#bytes.set(bytesOf(view, at, this.#bytes.length));
      this.#text = decode(this.#view, 0) as string;
    }
    return this.#text;
  }

  // HOT: sixteen bytes a turn.
  #isSame(view: DataView, at: number): boolean {
    const bytes = this.#bytes;
    const words = this.#words;
    const { length } = bytes;
    let i = 0;
    for (; i + 16 <= length; i += 16) {
      const word = i >> 2;
      const differs =
        (view.getInt32(at + i, LITTLE_ENDIAN) ^ (words[word] as number)) |
        (view.getInt32(at + i + 4, LITTLE_ENDIAN) ^ (words[word + 1] as number)) |
        (view.getInt32(at + i + 8, LITTLE_ENDIAN) ^ (words[word + 2] as number)) |
        (view.getInt32(at + i + 12, LITTLE_ENDIAN) ^ (words[word + 3] as number));
      if (differs !== 0) return false;
    }
    for (; i < length; i++) if (view.getUint8(at + i) !== bytes[i]) return false;
    return true;
  }
}
