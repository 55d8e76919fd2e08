// Laws of the two ways into a record, generated and plain, over arbitrary layouts: they agree, and both are whole.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldAccess } from '../../src/layout/field-access.ts';
import type { Layout } from '../../src/layout/types.ts';
import { accessRecords, type RecordAccess } from '../../src/store/record-access.ts';
import type { CellMemory, SlotGeometry } from '../../src/sync/cells.ts';
import { latchGeometry } from '../../src/sync/latch.ts';
import { Seqlock, seqlockGeometry } from '../../src/sync/seqlock.ts';
import { LockWord } from '../../src/sync/lock-word.ts';
import { LAST_EPOCH, Participants, PARTICIPANT_SLOTS } from '../../src/sync/participants.ts';
import type { KernelLocks } from '../../src/platform/platform.ts';
import { countedWithRecords, layoutsWithRecords } from '../support/layout-arbitraries.ts';
import { withCode } from '../support/with-code.ts';

const HEADER_WORDS = PARTICIPANT_SLOTS + 16;
const ARMED = PARTICIPANT_SLOTS;
const CAPACITY = 3;

class FakeLocks implements KernelLocks {
  readonly held: Set<number>;
  readonly mine = new Set<number>();
  constructor(held: Set<number>) {
    this.held = held;
  }
  tryLock(at: number): boolean {
    if (this.held.has(at)) return false;
    this.held.add(at);
    this.mine.add(at);
    return true;
  }
  unlock(at: number): void {
    this.held.delete(at);
    this.mine.delete(at);
  }
  isHeld(at: number, length: number): boolean {
    for (let i = at; i < at + length; i++) if (this.held.has(i) && !this.mine.has(i)) return true;
    return false;
  }
}

function memoryOf(
  layout: Layout,
  geometry: SlotGeometry = latchGeometry(layout.size),
): {
  memory: (strongOrder: boolean) => CellMemory;
  words: Int32Array;
  held: Set<number>;
} {
  const words = new Int32Array(HEADER_WORDS + CAPACITY * geometry.strideWords);
  const held = new Set<number>();
  const memory = (strongOrder: boolean): CellMemory => {
    const participants = new Participants(new FakeLocks(held), words, 0);
    const lock = new LockWord(words, participants, participants.claim('test'), layout.name);
    return {
      ...geometry,
      words,
      firstWord: HEADER_WORDS,
      armedWord: ARMED,
      participants,
      lock,
      announce() {},
      strongOrder,
      name: layout.name,
    };
  };
  return { memory, words, held };
}

test('generated and plain access read what the other wrote, for every layout', () => {
  fc.assert(
    fc.property(layoutsWithRecords, ({ layout, record }) => {
      const { memory } = memoryOf(layout);
      const ways: RecordAccess[] = [
        accessRecords(layout, CAPACITY, memory(true)),
        accessRecords(layout, CAPACITY, memory(false)),
      ];
      const zero = layout.zero();
      for (const way of ways) {
        way.write(1, record);
        for (const other of ways) {
          expect(other.read(1)).toEqual(record);
          expect(other.readInto(1, layout.zero())).toEqual(record);
          expect(other.snapshot(1).record).toEqual(record);
          expect(other.read(0)).toEqual(zero);
          expect(other.read(2)).toEqual(zero);
        }
      }
      expect(ways[0]?.generation(1)).toBe(2);
    }),
    { numRuns: 300 },
  );
});

test('a column has what whole reads have of its field, for every layout, field and guard', () => {
  fc.assert(
    fc.property(
      fc.oneof(layoutsWithRecords, countedWithRecords),
      fc.boolean(),
      fc.boolean(),
      ({ layout, record }, isSeqlock, strong) => {
        const { memory } = memoryOf(layout, (isSeqlock ? seqlockGeometry : latchGeometry)(layout.size));
        const cells = memory(strong);
        const access = accessRecords(layout, CAPACITY, cells, isSeqlock ? new Seqlock(cells) : undefined);
        access.write(1, record);
        access.write(2, layout.zero());
        access.write(2, record);
        for (const name of Object.keys(layout.zero())) {
          const column: unknown[] = [];
          access.readColumn(fieldAccess(layout, name), column);
          expect(column).toEqual([0, 1, 2].map((i) => (access.read(i) as Record<string, unknown>)[name]));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('the generation goes on across the wrap of the sequence, and the record stays readable', () => {
  fc.assert(
    fc.property(
      layoutsWithRecords,
      fc.boolean(),
      fc.integer({ min: 0, max: 4 }),
      ({ layout, record }, strong, before) => {
        const { memory, words } = memoryOf(layout);
        const access = accessRecords(layout, CAPACITY, memory(strong));
        access.write(0, record);
        const slot = HEADER_WORDS;
        // As if 2^32 - 1 - before writes had been published, at wrap 5.
        words[slot] = -1 - before;
        words.fill(5, slot + 2, slot + 4);
        let last = access.generation(0);
        expect(last).toBe(5 * 2 ** 32 + (2 ** 32 - 1 - before));
        for (let i = 0; i < 8; i++) {
          access.write(0, record);
          expect(access.generation(0)).toBe(++last);
          expect(access.read(0)).toEqual(record);
        }
        expect(last).toBeGreaterThan(6 * 2 ** 32);
      },
    ),
    { numRuns: 60 },
  );
});

test('the generation of a seqlock goes on across the wrap of its count, while a write is under way too', () => {
  fc.assert(
    fc.property(
      layoutsWithRecords,
      fc.boolean(),
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 0, max: 3 }),
      ({ layout, record }, strong, before, wraps) => {
        const { memory, words } = memoryOf(layout, seqlockGeometry(layout.size));
        const cells = memory(strong);
        const access = accessRecords(layout, CAPACITY, cells, new Seqlock(cells));
        access.write(0, record);
        const slot = HEADER_WORDS;
        // As if 2^31 - 1 - before writes had been committed, at this wrap.
        words[slot] = -2 - 2 * before;
        words.fill(wraps, slot + 2, slot + 4);
        let last = access.generation(0);
        expect(last).toBe(wraps * 2 ** 31 + (2 ** 31 - 1 - before));
        for (let i = 0; i < 8; i++) {
          const { sequence } = access.snapshot(0);
          expect(sequence).toBe(last | 0);
          access.write(0, record);
          expect(access.generation(0)).toBe(++last);
          expect(access.sequence(0)).toBe(last | 0);
          expect(access.read(0)).toEqual(record);
          // A write that has begun is no write yet; the one that finishes in its place counts once.
          words[slot] += 1;
          words[slot + 2 + (((words[slot] >>> 1) + 1) & 1)] = 77;
          expect(access.generation(0)).toBe(last);
          access.write(0, record);
          expect(access.generation(0)).toBe(++last);
        }
        expect(last).toBeGreaterThan((wraps + 1) * 2 ** 31);
      },
    ),
    { numRuns: 60 },
  );
});

test('a slot whose epochs are used up is never claimed again', () => {
  const held = new Set<number>();
  const words = new Int32Array(PARTICIPANT_SLOTS);
  words[0] = LAST_EPOCH - 1;
  const table = (): Participants => new Participants(new FakeLocks(held), words, 0);
  const first = table();
  const last = first.claim('test');
  expect([last & 255, last >>> 8]).toEqual([0, LAST_EPOCH]);
  expect(table().isDead(last)).toBe(false);
  first.release(last);
  expect(table().isDead(last)).toBe(true);
  const next = table().claim('test');
  expect([next & 255, next >>> 8]).toEqual([1, 1]);
  expect(words[0]).toBe(LAST_EPOCH);
});

test('a full participant table is SEGMENT_LIMIT', () => {
  const held = new Set(Array.from({ length: PARTICIPANT_SLOTS }, (_, i) => i));
  const participants = new Participants(new FakeLocks(held), new Int32Array(PARTICIPANT_SLOTS), 0);
  expect(() => participants.claim('full')).toThrow(withCode('SEGMENT_LIMIT'));
});

test('a lock is stolen from the dead, by the epoch or the kernel, and never from the living or from oneself', () => {
  const held = new Set<number>();
  const words = new Int32Array(PARTICIPANT_SLOTS + 1);
  const at = PARTICIPANT_SLOTS;
  const join = (): { me: number; lock: LockWord; end: () => void } => {
    const participants = new Participants(new FakeLocks(held), words, 0);
    const me = participants.claim('test');
    return { me, lock: new LockWord(words, participants, me, 'record'), end: () => participants.release(me) };
  };
  const first = join();
  const second = join();
  first.lock.acquire(at);
  expect(words[at]).toBe(first.me);
  expect(() => first.lock.acquire(at)).toThrow(withCode('LOCK_TIMEOUT'));
  expect(() => second.lock.acquire(at)).toThrow(withCode('LOCK_TIMEOUT'));
  expect(words[at]).toBe(first.me);
  // Dead by the kernel's word.
  first.end();
  second.lock.acquire(at);
  expect(words[at]).toBe(second.me);
  // Dead by the epoch: the slot has a new owner who is alive.
  second.end();
  const third = join();
  const fourth = join();
  expect([third.me & 255, fourth.me & 255].includes(second.me & 255)).toBe(true);
  third.lock.acquire(at);
  expect(words[at]).toBe(third.me);
});
