// Private memory on which a write is tried: what it takes several calls to write reaches the record only when all of them went well.
import { bytesOf } from './memory.ts';

/** Up to this many bytes a loop is quicker than two byte arrays made for the purpose. */
const LOOP_BYTES = 256;

/** Lends views of `size` bytes. A write that starts inside another, from a getter of its record, gets another view. */
export class Trials {
  readonly #size: number;
  readonly #idle: DataView[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  take(): DataView {
    return this.#idle.pop() ?? new DataView(new ArrayBuffer(this.#size));
  }

  /** One that is not given back, because its write was refused, is left to the garbage collector. */
  giveBack(trial: DataView): void {
    this.#idle.push(trial);
  }
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

/** Copies back the bytes of a record that differ from what they were before. */
export function putBack(view: DataView, at: number, before: Uint8Array): void {
  for (const [i, byte] of before.entries()) if (view.getUint8(at + i) !== byte) view.setUint8(at + i, byte);
}
