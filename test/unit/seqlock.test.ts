// The reader of a seqlock in front of an owner of whom its system tells nothing; owners of whom it does: test/platform/users.test.ts.
import { describe, expect, test } from 'vitest';
import { SegmentError } from '../../src/errors.ts';
import type { KernelLocks } from '../../src/platform/platform.ts';
import { type CellMemory, SLOT_LOCK_WORD } from '../../src/sync/cells.ts';
import { Participants } from '../../src/sync/participants.ts';
import { Seqlock, seqlockGeometry } from '../../src/sync/seqlock.ts';
import { withCode } from '../support/with-code.ts';

const TABLE = 64;

/** A record whose writer, slot 0 in epoch 1, is inside. */
function enteredRecord(isHeld: () => boolean): Seqlock {
  const words = new Int32Array(new SharedArrayBuffer(4096));
  words[TABLE] = 1;
  words[0] = 3;
  words[SLOT_LOCK_WORD] = 1 << 8;
  const locks: KernelLocks = { tryLock: () => false, unlock() {}, isHeld };
  const memory: CellMemory = {
    ...seqlockGeometry(8),
    words,
    firstWord: 0,
    armedWord: TABLE - 1,
    participants: new Participants(locks, words, TABLE),
    lock: undefined,
    announce() {},
    strongOrder: true,
    name: 'Row',
  };
  return new Seqlock(memory);
}

describe('Seqlock', () => {
  test.each([
    ['lives', () => true, 'READ_CONTENDED'],
    ['is gone', () => false, 'WRITER_DIED'],
    [
      'the system tells nothing of, so that it counts as alive,',
      () => {
        throw new SegmentError('SEGMENT_LIMIT', 'cannot probe: no locks left');
      },
      'READ_CONTENDED',
    ],
  ])('a read of a record whose owner %s ends with its own code', (_, isHeld, code) => {
    const target = new Int32Array(2);
    expect(() => enteredRecord(isHeld).snapshot(0, target)).toThrow(withCode(code));
  });

  test('a mistake of its own in the question is no answer', () => {
    const seqlock = enteredRecord(() => {
      throw new TypeError('mine');
    });
    expect(() => seqlock.snapshot(0, new Int32Array(2))).toThrow('mine');
  });
});
