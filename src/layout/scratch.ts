// Private memory that text passes through on its way between a string and a record: a foreign writer cannot change it
// between two looks. One per thread; used within one call, never across user code.

/** The part of Node's Buffer that makes strings natively; a browser has none. */
interface NativeText {
  toString(encoding: 'latin1' | 'utf16le' | 'utf8', start: number, end: number): string;
  write(text: string, offset: number, length: number, encoding: 'utf16le'): number;
}
interface NativeBuffer {
  from(buffer: ArrayBuffer): NativeText;
}
const NATIVE = (globalThis as { Buffer?: NativeBuffer }).Buffer;
/** The host keeps the low byte first. */
export const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

interface Area {
  /** Bytes in, up to the size reserved. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same bytes in pairs, and four at a time, in the host's byte order. */
  readonly pairs: Uint16Array<ArrayBuffer>;
  readonly words: Int32Array<ArrayBuffer>;
  /** UTF-16 units out; memory of its own. */
  readonly units: Uint16Array<ArrayBuffer>;
  /** The same units two at a time. */
  readonly unitWords: Int32Array<ArrayBuffer>;
  readonly nativeBytes: NativeText | undefined;
  readonly nativeUnits: NativeText | undefined;
}
const FIRST_BYTES = 1024;

function makeArea(size: number): Area {
  const [inward, outward] = [new ArrayBuffer(size), new ArrayBuffer(2 * size)];
  return {
    bytes: new Uint8Array(inward),
    pairs: new Uint16Array(inward),
    words: new Int32Array(inward),
    units: new Uint16Array(outward),
    unitWords: new Int32Array(outward),
    nativeBytes: NATIVE?.from(inward),
    nativeUnits: LITTLE_ENDIAN ? NATIVE?.from(outward) : undefined,
  };
}
/** The scratch memory; `reserve` may replace it. */
export let scratch: Area = makeArea(FIRST_BYTES);

/** Makes room for `length` bytes in and as many units out. What was there is gone. */
export function reserve(length: number): void {
  if (length > scratch.bytes.length) scratch = makeArea(2 ** Math.ceil(Math.log2(length)));
}

const SHORT = 24;
const { fromCharCode } = String;
const at = (codes: ArrayLike<number>, index: number): number => codes[index] as number;

/** HOT: eight characters a call is fastest up to about 24, a native slice above (bench/rows/packages.ts, "get a text"). */
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
  const { bytes, nativeBytes } = scratch;
  if (length <= SHORT) return fromShort(bytes, length);
  return nativeBytes === undefined ? fromLong(bytes, length) : nativeBytes.toString('latin1', 0, length);
}

/** Makes a string of the first `length` units. */
export function textOfUnits(length: number): string {
  const { units, nativeUnits } = scratch;
  if (length <= SHORT) return fromShort(units, length);
  return nativeUnits === undefined ? fromLong(units, length) : nativeUnits.toString('utf16le', 0, 2 * length);
}

const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Makes a string of the first `length` bytes, read as UTF-8; malformed text reads as U+FFFD. */
export function textOfUtf8(length: number): string {
  const { bytes, nativeBytes } = scratch;
  return nativeBytes === undefined
    ? utf8Decoder.decode(bytes.subarray(0, length))
    : nativeBytes.toString('utf8', 0, length);
}

const utf8Encoder = new TextEncoder();

/** Writes whole characters of `text` as UTF-8 while they fit in `limit` bytes and gives the bytes written. */
export function utf8OfText(text: string, limit: number): number {
  reserve(limit);
  return utf8Encoder.encodeInto(text, scratch.bytes.subarray(0, limit)).written;
}

/** Up to this many characters a loop is quicker than a native call. */
const FEW = 20;

/** Writes the bytes of `text` if it is pure ASCII without a NUL; tells whether it did. */
export function asciiOfText(text: string): boolean {
  const { length } = text;
  reserve(length);
  const { bytes } = scratch;
  // HOT: the native encoder costs as much as twenty turns of the loop (bench/rows/packages.ts, "set a text").
  if (length > FEW) {
    const { read, written } = utf8Encoder.encodeInto(text, bytes);
    return read === length && written === length && !text.includes('\0');
  }
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code >= 0x80) return false;
    bytes[i] = code;
  }
  return true;
}

/** Writes the units of `text`, low byte first, as bytes; tells whether none is a surrogate or NUL. */
export function unitsOfText(text: string): boolean {
  const { length } = text;
  reserve(2 * length);
  const { pairs, nativeBytes } = scratch;
  if (length > SHORT && nativeBytes !== undefined) {
    nativeBytes.write(text, 0, 2 * length, 'utf16le');
    return text.isWellFormed() && !text.includes('\0');
  }
  let simple = true;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0 || (unit & 0xf800) === 0xd800) simple = false;
    pairs[i] = unit;
  }
  return simple;
}
