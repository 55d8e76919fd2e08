// A doorbell written by hand: a counter, an armed word, and a byte of the same memory file that is written to wake whoever
// watches it. One for each direction.
import { watch, writeSync } from 'node:fs';
import type { Handle, Segment } from '../src/index.ts';

const COUNTER = 0;
/** On a cache line of its own. */
const ARMED = 16;
const BELL_BYTE = 256;

export const BELL_LENGTH = 4096;

/** The descriptor behind a segment without a name. */
const descriptorOf = (handle: Handle): number =>
  (handle as Extract<Handle, { osHandle?: number }>).osHandle as number;

export class HandDoorbell {
  readonly #words: Int32Array;
  readonly #descriptor: number;
  readonly #clapper = new Uint8Array(1);
  #seen = 0;

  constructor(segment: Segment) {
    this.#words = new Int32Array(segment.buffer);
    this.#descriptor = descriptorOf(segment.handle);
  }

  /** Counts up and wakes a listener that sleeps. */
  publish(): void {
    const words = this.#words;
    Atomics.add(words, COUNTER, 1);
    if (words[ARMED] !== 0 && Atomics.exchange(words, ARMED, 0) === 1) {
      writeSync(this.#descriptor, this.#clapper, 0, 1, BELL_BYTE);
    }
  }

  /** Calls `onChange` after each change of the counter; gives the way to stop. */
  listen(onChange: () => void): () => void {
    const look = (): void => {
      for (;;) {
        Atomics.store(this.#words, ARMED, 1);
        const counter = Atomics.load(this.#words, COUNTER);
        if (counter === this.#seen) return;
        this.#seen = counter;
        onChange();
      }
    };
    const watcher = watch(`/proc/self/fd/${this.#descriptor}`, look);
    look();
    return () => watcher.close();
  }
}
