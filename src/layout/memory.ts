// Moves bytes between a record and private memory. All offsets are from the start of the DataView.
import { ValueError } from '../errors.ts';
import { LITTLE_ENDIAN, reserve, scratch } from './scratch.ts';
import { show } from './fault.ts';
import type { BufferSource } from './types.ts';

/** Up to this many bytes a loop is quicker than a byte array made for the purpose. */
const LOOP_BYTES = 256;

/** Gives a byte array over the same memory; costs an allocation, so it is for long ranges. */
export function bytesOf(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}

// HOT: the loops below move sixteen bytes a turn, then four, then one (bench/rows/packages.ts, "set a text").

/** Sets `length` bytes to 0. */
export function zeroFill(view: DataView, at: number, length: number): void {
  if (length > LOOP_BYTES) {
    bytesOf(view, at, length).fill(0);
    return;
  }
  let i = at;
  const end = at + length;
  for (; i + 16 <= end; i += 16) {
    view.setInt32(i, 0);
    view.setInt32(i + 4, 0);
    view.setInt32(i + 8, 0);
    view.setInt32(i + 12, 0);
  }
  for (; i + 4 <= end; i += 4) view.setInt32(i, 0);
  for (; i < end; i++) view.setUint8(i, 0);
}

/** Copies the first `length` bytes of the scratch memory into the record. */
export function copyFromScratch(view: DataView, at: number, length: number): void {
  const { bytes, words } = scratch;
  if (length > LOOP_BYTES) {
    bytesOf(view, at, length).set(bytes.subarray(0, length));
    return;
  }
  let i = 0;
  for (; i + 16 <= length; i += 16) {
    const word = i >> 2;
    view.setInt32(at + i, words[word] as number, LITTLE_ENDIAN);
    view.setInt32(at + i + 4, words[word + 1] as number, LITTLE_ENDIAN);
    view.setInt32(at + i + 8, words[word + 2] as number, LITTLE_ENDIAN);
    view.setInt32(at + i + 12, words[word + 3] as number, LITTLE_ENDIAN);
  }
  for (; i + 4 <= length; i += 4) view.setInt32(at + i, words[i >> 2] as number, LITTLE_ENDIAN);
  for (; i < length; i++) view.setUint8(at + i, bytes[i] as number);
}

const LOW_BITS = 0x0101_0101;
const HIGH_BITS = 0x8080_8080;

/** Copies `length` bytes of the record into the scratch memory and tells whether all are ASCII. */
export function copyToScratch(view: DataView, at: number, length: number): boolean {
  reserve(length);
  const { bytes, words } = scratch;
  let seen = 0;
  let i = 0;
  if (length > LOOP_BYTES) {
    bytes.set(bytesOf(view, at, length));
    for (; i < length; i++) seen |= bytes[i] as number;
    return seen < 0x80;
  }
  for (; i + 4 <= length; i += 4) {
    const word = view.getInt32(at + i, LITTLE_ENDIAN);
    words[i >> 2] = word;
    seen |= word;
  }
  for (; i < length; i++) {
    const byte = view.getUint8(at + i);
    bytes[i] = byte;
    seen |= byte;
  }
  return (seen & HIGH_BITS) === 0;
}

/** Copies bytes of the record into the scratch memory up to a NUL or `limit` and gives their number, its complement if some are not ASCII. */
export function copyText(view: DataView, at: number, limit: number): number {
  reserve(limit);
  const { bytes, words } = scratch;
  let seen = 0;
  let i = 0;
  for (; i + 16 <= limit; i += 16) {
    const a = view.getInt32(at + i, LITTLE_ENDIAN);
    const b = view.getInt32(at + i + 4, LITTLE_ENDIAN);
    const c = view.getInt32(at + i + 8, LITTLE_ENDIAN);
    const d = view.getInt32(at + i + 12, LITTLE_ENDIAN);
    // A byte that is 0 borrows, which brings its high bit up; a byte that is not ASCII has it up.
    const stop = a | b | c | d | (a - LOW_BITS) | (b - LOW_BITS) | (c - LOW_BITS) | (d - LOW_BITS);
    if ((stop & HIGH_BITS) !== 0) break;
    const word = i >> 2;
    words[word] = a;
    words[word + 1] = b;
    words[word + 2] = c;
    words[word + 3] = d;
  }
  for (; i + 4 <= limit; i += 4) {
    const word = view.getInt32(at + i, LITTLE_ENDIAN);
    if (((word - LOW_BITS) & ~word & HIGH_BITS) !== 0) break;
    words[i >> 2] = word;
    seen |= word;
  }
  for (; i < limit; i++) {
    const byte = view.getUint8(at + i);
    if (byte === 0) break;
    bytes[i] = byte;
    seen |= byte;
  }
  return (seen & HIGH_BITS) === 0 ? i : ~i;
}

/** Copies `length` bytes from byte `fromAt` of one view to byte `toAt` of another. */
export function copyBetween(
  to: DataView,
  toAt: number,
  from: DataView,
  fromAt: number,
  length: number,
): void {
  if (length > LOOP_BYTES) {
    bytesOf(to, toAt, length).set(bytesOf(from, fromAt, length));
    return;
  }
  let i = 0;
  for (; i + 4 <= length; i += 4) to.setInt32(toAt + i, from.getInt32(fromAt + i));
  for (; i < length; i++) to.setUint8(toAt + i, from.getUint8(fromAt + i));
}

/** Gives a private copy of `length` bytes. */
export function copyOut(view: DataView, at: number, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length);
  copy.set(bytesOf(view, at, length));
  return copy;
}

/** Gives a DataView of a private copy of `length` bytes. */
export function privateCopy(view: DataView, at: number, length: number): DataView<ArrayBuffer> {
  return new DataView(copyOut(view, at, length).buffer);
}

/** Gives the bytes of a caller's buffer; 0 where its memory is gone, which a DataView says by throwing. */
export function lengthOf(buffer: BufferSource): number {
  try {
    return buffer.byteLength;
  } catch {
    return 0;
  }
}

/** Gives a DataView from `byteOffset` of a caller's buffer to its end. @throws ValueError VALUE_TYPE, INDEX_RANGE */
export function viewOf(what: string, buffer: BufferSource, byteOffset: unknown, size: number): DataView {
  const isView = ArrayBuffer.isView(buffer);
  if (!isView && !(buffer instanceof ArrayBuffer) && !isShared(buffer)) {
    throw new ValueError(
      'VALUE_TYPE',
      `cannot use the buffer of ${what}: expected an ArrayBuffer, a SharedArrayBuffer or a view, found ${show(buffer)}`,
    );
  }
  const length = lengthOf(buffer);
  const at = byteOffset ?? 0;
  checkRange(what, at, size, length);
  return isView
    ? new DataView(buffer.buffer, buffer.byteOffset + at, length - at)
    : new DataView(buffer, at, length - at);
}

/** Checks that `size` bytes fit at `byteOffset` of `length` bytes. @throws ValueError VALUE_TYPE, INDEX_RANGE */
export function checkRange(
  what: string,
  byteOffset: unknown,
  size: number,
  length: number,
): asserts byteOffset is number {
  if (typeof byteOffset !== 'number') {
    throw new ValueError(
      'VALUE_TYPE',
      `cannot place ${what}: expected a byte offset, found ${show(byteOffset)}`,
    );
  }
  if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset + size > length) {
    throw new ValueError(
      'INDEX_RANGE',
      `cannot place ${what}: ${size} bytes at byte ${byteOffset}, expected a range within the buffer's ${length} bytes`,
    );
  }
}

function isShared(buffer: unknown): boolean {
  return (
    Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]' ||
    Object.prototype.toString.call(buffer) === '[object ArrayBuffer]'
  );
}
