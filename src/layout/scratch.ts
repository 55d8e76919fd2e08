// Private memory that text passes through on its way between a string and a record: a foreign writer cannot change it
// between two looks. One per thread; used within one call, never across user code.

/** The part of Node's Buffer that makes strings natively; a browser has none. */
interface NativeText {
  toString(encoding: 'latin1' | 'utf16le' | 'utf8', start: number, end: number): string;
}
interface NativeBuffer {
  from(buffer: ArrayBuffer): NativeText;
}
const NATIVE = (globalThis as { Buffer?: NativeBuffer }).Buffer;
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

interface Area {
  /** Bytes in, up to the size reserved. */
  bytes: Uint8Array<ArrayBuffer>;
  /** UTF-16 units out; memory of its own. */
  units: Uint16Array<ArrayBuffer>;
}
const FIRST_BYTES = 1024;
/** The scratch memory; `reserve` may replace its arrays. */
export const scratch: Area = { bytes: new Uint8Array(FIRST_BYTES), units: new Uint16Array(FIRST_BYTES) };
let nativeBytes = NATIVE?.from(scratch.bytes.buffer);
let nativeUnits = LITTLE_ENDIAN ? NATIVE?.from(scratch.units.buffer) : undefined;

/** Makes room for `length` bytes in and as many units out. What was there is gone. */
export function reserve(length: number): void {
  if (length <= scratch.bytes.length) return;
  const size = 2 ** Math.ceil(Math.log2(length));
  scratch.bytes = new Uint8Array(size);
  scratch.units = new Uint16Array(size);
  nativeBytes = NATIVE?.from(scratch.bytes.buffer);
  nativeUnits = LITTLE_ENDIAN ? NATIVE?.from(scratch.units.buffer) : undefined;
}

const SHORT = 24;
const { fromCharCode } = String;
const at = (codes: ArrayLike<number>, index: number): number => codes[index] as number;

/** HOT: eight characters a call is fastest up to about 24, a native slice above (bench/layout.ts, "text"). */
function fromShort(codes: Uint8Array | Uint16Array, length: number): string {
  let text = '';
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    text += fromCharCode(
      at(codes, i),
      at(codes, i + 1),
      at(codes, i + 2),
      at(codes, i + 3),
      at(codes, i + 4),
      at(codes, i + 5),
      at(codes, i + 6),
      at(codes, i + 7),
    );
  }
  if (i + 4 <= length) {
    text += fromCharCode(at(codes, i), at(codes, i + 1), at(codes, i + 2), at(codes, i + 3));
    i += 4;
  }
  for (; i < length; i++) text += fromCharCode(at(codes, i));
  return text;
}

const CHUNK = 4096;
function fromLong(codes: Uint8Array | Uint16Array, length: number): string {
  let text = '';
  for (let i = 0; i < length; i += CHUNK) {
    text += fromCharCode(...codes.subarray(i, Math.min(i + CHUNK, length)));
  }
  return text;
}

/** Makes a string of the first `length` bytes, one character each (U+0000 to U+00FF). */
export function textOfBytes(length: number): string {
  if (length <= SHORT) return fromShort(scratch.bytes, length);
  return nativeBytes === undefined
    ? fromLong(scratch.bytes, length)
    : nativeBytes.toString('latin1', 0, length);
}

/** Makes a string of the first `length` units. */
export function textOfUnits(length: number): string {
  if (length <= SHORT) return fromShort(scratch.units, length);
  return nativeUnits === undefined
    ? fromLong(scratch.units, length)
    : nativeUnits.toString('utf16le', 0, 2 * length);
}

const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Makes a string of the first `length` bytes, read as UTF-8; malformed text reads as U+FFFD. */
export function textOfUtf8(length: number): string {
  return nativeBytes === undefined
    ? utf8Decoder.decode(scratch.bytes.subarray(0, length))
    : nativeBytes.toString('utf8', 0, length);
}

const utf8Encoder = new TextEncoder();

/** Writes whole characters of `text` as UTF-8 while they fit in `limit` bytes and gives the bytes written. */
export function utf8OfText(text: string, limit: number): number {
  reserve(limit);
  return utf8Encoder.encodeInto(text, scratch.bytes.subarray(0, limit)).written;
}

/** Writes `text` if it is pure ASCII of at most `limit` characters; tells whether it did. */
export function asciiOfText(text: string, limit: number): boolean {
  const { length } = text;
  if (length > limit) return false;
  reserve(length);
  const { read, written } = utf8Encoder.encodeInto(text, scratch.bytes.subarray(0, length));
  return read === length && written === length;
}
