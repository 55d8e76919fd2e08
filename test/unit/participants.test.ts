// The participant table over locks that the test holds: who is dead, and whether anybody else is there.
import { describe, expect, test } from 'vitest';
import type { KernelLocks } from '../../src/platform/platform.ts';
import { LAST_EPOCH, PARTICIPANT_SLOTS, Participants } from '../../src/sync/participants.ts';

/** Locks of which `held` are another's; what is locked here is in `own`. */
function makeTable(held: readonly number[]) {
  const own = new Set<number>();
  const others = new Set(held);
  const words = new Int32Array(PARTICIPANT_SLOTS);
  const locks: KernelLocks = {
    tryLock: (at) => !others.has(at) && !own.has(at) && own.add(at).has(at),
    unlock: (at) => void own.delete(at),
    isHeld: (at, length) => [...others].some((each) => each >= at && each < at + length),
  };
  return { participants: new Participants(locks, words, 0), words, own, others };
}
const ownerOf = (slot: number, epoch: number): number => (epoch << 8) | slot;

describe('Participants', () => {
  test.each([
    [0, [1]],
    [7, [6, 8]],
    [254, [253, 255]],
    [255, [254]],
  ])('the owner of slot %i is dead although its neighbours %j live', (slot, neighbours) => {
    const { participants, words, others } = makeTable(neighbours);
    words[slot] = 3;
    expect(participants.isDead(ownerOf(slot, 3))).toBe(true);
    others.add(slot);
    expect(participants.isDead(ownerOf(slot, 3))).toBe(false);
    expect(participants.isDead(ownerOf(slot, 2))).toBe(true);
  });

  test.each([0, 1, 254, 255])('somebody in slot %i alone is somebody', (slot) => {
    const { participants, others } = makeTable([slot]);
    expect(participants.othersLive()).toBe(true);
    others.clear();
    expect(participants.othersLive()).toBe(false);
  });

  test('a slot that was released is claimed again, with the next epoch', () => {
    const { participants, own } = makeTable([]);
    const first = participants.claim('x');
    expect(first).toBe(ownerOf(0, 1));
    participants.release(first);
    expect(own.size).toBe(0);
    expect(participants.claim('x')).toBe(ownerOf(0, 2));
  });

  test('a slot whose epochs are used up is passed over and left free', () => {
    const { participants, words, own } = makeTable([1]);
    words[0] = LAST_EPOCH;
    expect(participants.claim('x')).toBe(ownerOf(2, 1));
    expect([...own]).toEqual([2]);
  });
});
