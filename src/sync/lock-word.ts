// One participant's hold on the lock words of records: taken by compare-and-swap, stolen from the dead only.
import { GuardError } from '../errors.ts';
import { BackOff } from './back-off.ts';
import type { Participants } from './participants.ts';

/** How long a writer waits for another one that lives, in milliseconds. A holder needs microseconds. */
export const LOCK_BOUND_MS = 1000;

/** Takes and frees lock words in the name of one owner word. */
export class LockWord {
  readonly #words: Int32Array;
  readonly #participants: Participants;
  readonly #what: string;
  /** The owner word. */
  readonly me: number;

  constructor(words: Int32Array, participants: Participants, me: number, what: string) {
    this.#words = words;
    this.#participants = participants;
    this.me = me;
    this.#what = what;
  }

  /**
   * Takes `words[at]` (protocol: acquire 1 to 6).
   * @throws {GuardError} LOCK_TIMEOUT when a live owner keeps it for LOCK_BOUND_MS.
   */
  acquire(at: number): void {
    if (Atomics.compareExchange(this.#words, at, 0, this.me) !== 0) this.#acquireFromOther(at);
  }

  /** Tells whether a participant that lives has `words[at]`, without waiting. */
  isHeld(at: number): boolean {
    const found = Atomics.load(this.#words, at);
    return found !== 0 && (found === this.me || !this.#participants.isDead(found));
  }

  // Cold: kept out of `acquire`, so that the uncontended path stays small enough to be inlined.
  #acquireFromOther(at: number): void {
    const words = this.#words;
    const backOff = new BackOff(LOCK_BOUND_MS);
    for (;;) {
      // STEP: acquire 1
      const found = Atomics.load(words, at);
      if (found === 0) {
        // STEP: acquire 2
        if (Atomics.compareExchange(words, at, 0, this.me) === 0) return;
      } else if (found === this.me) {
        // STEP: acquire 3
        throw new GuardError(
          'LOCK_TIMEOUT',
          `cannot write ${this.#what}: this writer is inside a write of the record`,
        );
      } else if (backOff.patient && this.#participants.isDead(found)) {
        // STEP: acquire 6
        // ORDER: the whole word is compared, so a steal cannot hit a later owner.
        if (Atomics.compareExchange(words, at, found, this.me) === found) return;
      }
      if (!backOff.pause()) {
        throw new GuardError(
          'LOCK_TIMEOUT',
          `cannot write ${this.#what}: another writer that is alive has held the record for ${LOCK_BOUND_MS} ms`,
        );
      }
    }
  }
}
