// Private memory on which a write is tried: what it takes several calls to write reaches the record only when all of them went well.

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

/** Copies back the bytes of a record that differ from what they were before. */
export function putBack(view: DataView, at: number, before: Uint8Array): void {
  for (const [i, byte] of before.entries()) if (view.getUint8(at + i) !== byte) view.setUint8(at + i, byte);
}
