// ISO-2022-JP: seven-bit bytes whose meaning escape sequences switch between ASCII, half-width katakana and pairs of JIS X 0208. A text
// begins and ends in ASCII, so that what is behind it means what it says. Its table is built at first use.
import { reserve, scratch } from './scratch.ts';
import { unmappable, type ByteEncoding } from './text-encoding.ts';

const QUESTION_MARK = 0x3f;
const FIRST_KATAKANA = 0xff61;
const LAST_KATAKANA = 0xff9f;
const [SHIFT_OUT, SHIFT_IN, ESCAPE] = [0x0e, 0x0f, 0x1b];
const ESCAPE_BYTES = 3;

type State = 'ascii' | 'katakana' | 'pairs';
const ESCAPES: Readonly<Record<State, readonly number[]>> = {
  ascii: [ESCAPE, 0x28, 0x42],
  katakana: [ESCAPE, 0x28, 0x49],
  pairs: [ESCAPE, 0x24, 0x42],
};

let decoder: InstanceType<typeof TextDecoder> | undefined;
const decodeBytes = (bytes: Uint8Array): string =>
  (decoder ??= new TextDecoder('iso-2022-jp', { ignoreBOM: true })).decode(bytes);

/** Pairs by character; 0 where JIS X 0208 lacks it. */
let pairsByUnit: Uint16Array | undefined;
function buildPairs(): Uint16Array {
  const table = new Uint16Array(0x10000);
  for (let lead = 0x21; lead <= 0x7e; lead++) {
    for (let trail = 0x21; trail <= 0x7e; trail++) {
      const text = decodeBytes(Uint8Array.of(...ESCAPES.pairs, lead, trail, ...ESCAPES.ascii));
      const unit = text.length === 1 && text !== '\ufffd' ? text.charCodeAt(0) : 0;
      if (unit >= 0x80 && table[unit] === 0) table[unit] = (lead << 8) | trail;
    }
  }
  return table;
}

interface Sequence {
  readonly state: State;
  readonly bytes: readonly number[];
}
const QUESTION: Sequence = { state: 'ascii', bytes: [QUESTION_MARK] };

/** Gives how a UTF-16 unit is stored; undefined if the encoding lacks it. */
function sequenceOf(unit: number): Sequence | undefined {
  if (unit < 0x80) {
    const switches = unit === SHIFT_OUT || unit === SHIFT_IN || unit === ESCAPE;
    return switches ? undefined : { state: 'ascii', bytes: [unit] };
  }
  if (unit >= FIRST_KATAKANA && unit <= LAST_KATAKANA)
    return { state: 'katakana', bytes: [unit - FIRST_KATAKANA + 0x21] };
  const pair = (pairsByUnit ??= buildPairs())[unit] as number;
  return pair === 0 ? undefined : { state: 'pairs', bytes: [pair >> 8, pair & 0xff] };
}

/** Writes whole characters while they and the way back to ASCII fit; `put` gets each byte. Gives the bytes written. */
function write(
  text: string,
  limit: number,
  replace: boolean,
  put: (at: number, byte: number) => void,
): number {
  let state: State = 'ascii';
  let length = 0;
  const add = (bytes: readonly number[]): void => {
    for (const byte of bytes) put(length++, byte);
  };
  for (let i = 0; i < text.length; i++) {
    const found = sequenceOf(text.charCodeAt(i));
    if (found === undefined && !replace) unmappable(text, i, 'iso-2022-jp');
    const next = found ?? QUESTION;
    const switched = next.state === state ? 0 : ESCAPE_BYTES;
    const closed = next.state === 'ascii' ? 0 : ESCAPE_BYTES;
    if (length + switched + next.bytes.length + closed > limit) break;
    if (switched > 0) add(ESCAPES[next.state]);
    add(next.bytes);
    ({ state } = next);
    if ((text.codePointAt(i) as number) > 0xffff) i++;
  }
  if (state !== 'ascii') add(ESCAPES.ascii);
  return length;
}

export const ISO_2022_JP: ByteEncoding = Object.freeze({
  name: 'iso-2022-jp',
  unit: 1,
  ascii: false,
  decode: (length: number) => decodeBytes(scratch.bytes.subarray(0, length)),
  measure: (text: string, replace: boolean) => write(text, Infinity, replace, () => {}),
  encode(text: string, limit: number, replace: boolean) {
    reserve(limit);
    const { bytes } = scratch;
    return write(text, limit, replace, (at, byte) => {
      bytes[at] = byte;
    });
  },
});
