// Who may write: each open for writing claims a slot of the participant table, and is {slot, epoch} while it lives.
//
//   owner word (32 bits)   31            8 7        0
//                         +---------------+----------+
//                         |  epoch >= 1   |   slot   |     0 = nobody
//                         +---------------+----------+
//
// Per slot: an epoch in shared memory, and byte `slot` of the segment's locks, which the kernel frees with its holder.
// A slot's epochs are never used twice: a worn-out slot retires, so an owner word names one participant for ever.
import { SegmentError } from '../errors.ts';
import type { KernelLocks } from '../platform/platform.ts';

/** Slots of the participant table, and lock bytes 0 to 255 of the segment. */
export const PARTICIPANT_SLOTS = 256;
const SLOT_BITS = 8;
/** The highest epoch; a slot that reached it is not claimed again. */
export const LAST_EPOCH = 2 ** (32 - SLOT_BITS) - 1;
// Claiming looks at every slot; one that is busy because somebody probes or claims it right now gets another look.
const CLAIM_ROUNDS = 3;

const slotOf = (word: number): number => word & (PARTICIPANT_SLOTS - 1);
const epochOf = (word: number): number => word >>> SLOT_BITS;

/** The table of one segment, as one open of it sees it. */
export class Participants {
  readonly #locks: KernelLocks;
  readonly #words: Int32Array;
  readonly #table: number;

  /** `words[table]` is the epoch of slot 0. */
  constructor(locks: KernelLocks, words: Int32Array, table: number) {
    this.#locks = locks;
    this.#words = words;
    this.#table = table;
  }

  /**
   * Claims a slot (protocol: claim 1 to 4) and gives the owner word.
   * @throws {SegmentError} SEGMENT_LIMIT when all slots are taken or worn out.
   */
  claim(segment: string | undefined): number {
    for (let round = 0; round < CLAIM_ROUNDS; round++) {
      for (let slot = 0; slot < PARTICIPANT_SLOTS; slot++) {
        // STEP: claim 1
        if (!this.#locks.tryLock(slot)) continue;
        // STEP: claim 2
        const epoch = Atomics.load(this.#words, this.#table + slot) >>> 0;
        if (epoch >= LAST_EPOCH) {
          this.#locks.unlock(slot);
          continue;
        }
        // STEP: claim 3
        // ORDER: the lock is held before the epoch moves, so that nobody takes the new epoch for a dead one.
        Atomics.store(this.#words, this.#table + slot, epoch + 1);
        // STEP: claim 4
        return ((epoch + 1) << SLOT_BITS) | slot;
      }
    }
    throw new SegmentError(
      'SEGMENT_LIMIT',
      `cannot open segment ${JSON.stringify(segment ?? 'anonymous')} for writing: ` +
        `all ${PARTICIPANT_SLOTS} participant slots are taken`,
      { segment },
    );
  }

  release(owner: number): void {
    this.#locks.unlock(slotOf(owner));
  }

  /**
   * True if the participant that `owner` names is gone (protocol: acquire 4 and 5): its slot has a later epoch, or else
   * the kernel says that nobody holds the slot's lock. Death is for ever, so the answer true stays true.
   */
  isDead(owner: number): boolean {
    // STEP: acquire 4
    // ORDER: the caller loaded the owner word before this load of the epoch.
    if (Atomics.load(this.#words, this.#table + slotOf(owner)) >>> 0 !== epochOf(owner)) return true;
    // STEP: acquire 5
    return !this.#locks.isHeld(slotOf(owner), 1);
  }

  /** True if any other open holds a slot. */
  othersLive(): boolean {
    return this.#locks.isHeld(0, PARTICIPANT_SLOTS);
  }
}
