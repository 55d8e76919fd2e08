// Moves bytes between a record and private memory. All offsets are from the start of the DataView.
import { ValueError } from '../errors.ts';
import { reserve, scratch } from './scratch.ts';
import { show } from './fault.ts';
import type { BufferSource } from './types.ts';

const LOOP_BYTES = 64;

/** Gives a byte array over the same memory; costs an allocation, so it is for long ranges. */
export function bytesOf(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}

/** Sets `length` bytes to 0. */
export function zeroFill(view: DataView, at: number, length: number): void {
  if (length > LOOP_BYTES) {
    bytesOf(view, at, length).fill(0);
    return;
  }
  let i = 0;
  for (; i + 4 <= length; i += 4) view.setUint32(at + i, 0);
  for (; i < length; i++) view.setUint8(at + i, 0);
}

/** Copies the first `length` bytes of the scratch memory into the record. */
export function copyFromScratch(view: DataView, at: number, length: number): void {
  const { bytes } = scratch;
  if (length > LOOP_BYTES) {
    bytesOf(view, at, length).set(bytes.subarray(0, length));
    return;
  }
  for (let i = 0; i < length; i++) view.setUint8(at + i, bytes[i] as number);
}

/** Copies `length` bytes of the record into the scratch memory and tells whether all are ASCII. */
export function copyToScratch(view: DataView, at: number, length: number): boolean {
  reserve(length);
  const { bytes } = scratch;
  let seen = 0;
  if (length > LOOP_BYTES) {
    bytes.set(bytesOf(view, at, length));
    for (let i = 0; i < length; i++) seen |= bytes[i] as number;
    return seen < 0x80;
  }
  for (let i = 0; i < length; i++) {
    const byte = view.getUint8(at + i);
    bytes[i] = byte;
    seen |= byte;
  }
  return seen < 0x80;
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

/** Gives a DataView from `byteOffset` of a caller's buffer to its end. @throws ValueError VALUE_TYPE, INDEX_RANGE */
export function viewOf(what: string, buffer: BufferSource, byteOffset: unknown, size: number): DataView {
  const isView = ArrayBuffer.isView(buffer);
  if (!isView && !(buffer instanceof ArrayBuffer) && !isShared(buffer)) {
    throw new ValueError(
      'VALUE_TYPE',
      `cannot use the buffer of ${what}: expected an ArrayBuffer, a SharedArrayBuffer or a view, found ${show(buffer)}`,
    );
  }
  const length = buffer.byteLength;
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
