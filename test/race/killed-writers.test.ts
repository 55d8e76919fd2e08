// Writers that are killed or stopped at any point, while others go on; test/torture/random-kills.ts lists what must be true
// after a kill.
//
//   while a writer is stopped inside a write               verdict
//   readers get the last committed record                  required
//   another writer of that record gets LOCK_TIMEOUT        required: nobody steals from the living
//   writers of other records go on                         required
//   after it goes on: its write and all later ones count   required
import { describe, expect, test } from 'vitest';
import { createStore, openSegment, openStore, type StoreWriter } from '../../src/index.ts';
import type { Chance } from '../torture/campaign.ts';
import { mapGround } from '../torture/killed-maps.ts';
import { storeGround } from '../torture/killed-stores.ts';
import { withMistake } from '../torture/mistake.ts';
import { killAtRandom } from '../torture/random-kills.ts';
import { Bed, type Peer, sleep, TIERS, until } from '../support/bed.ts';
import { hasDied, isStopped, letGoOn, stopPeer } from '../support/ending.ts';
import { luck } from '../support/luck.ts';
import { onWindows } from '../support/system.ts';
import {
  arrayKind,
  arrayOf,
  epochOfSlot,
  Fields,
  fieldsKind,
  kindOf,
  layoutOf,
  lockOf,
  type RawSlot,
  rawSlot,
  type Spelling,
} from './records.ts';

const KILLS = onWindows ? 12 : 100;
/** Each waits for a Node process to start. */
const KILLS_UNDER_MUTEX = onWindows ? 4 : 20;
const KILLS_IN_MAPS = onWindows ? 3 : 30;
/** A mistake takes a kill at the right moment; until then controls go on killing. */
const CONTROL_MS = 120_000;
/** Index of the record whose first write starts a waiting native writer. */
const START = 1;
const STEPS = ['acquired', 'half-filled', 'filled', 'published', 'unlocked', 'disarmed'] as const;
const isCommittedAt = (step: string): boolean =>
  step === 'published' || step === 'unlocked' || step === 'disarmed';

const ALL_SPELLINGS: readonly { spelling: Spelling; elements: number }[] = [
  { spelling: 'fields', elements: 8 },
  { spelling: 'array', elements: 512 },
];
// Under Wine a process takes seconds to start, and to stop and go on half a second: the write that takes longest.
const SPELLINGS = onWindows ? ALL_SPELLINGS.slice(-1) : ALL_SPELLINGS;
const DEATHS = onWindows ? 1 : 3;

/** Stops the only writer of the slot again and again until it happens to be inside a write. */
async function stopInside(writer: Peer, slot: RawSlot, chance: Chance): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    await sleep(chance.fraction() * 3);
    await stopPeer(writer);
    if (lockOf(slot) !== 0) return;
    letGoOn(writer);
    if (performance.now() > deadline) throw new Error('no stop landed inside a write');
  }
}

describe.each(TIERS)('killed writers, $tier', (tier) => {
  test(`${KILLS} kills at random points lose nothing, tear nothing and stop nobody`, async () => {
    const ground = storeGround(new Bed(), tier, 'latch');
    const { kills, pausesMs } = await killAtRandom(luck(), ground, (count) => count >= KILLS);
    expect(kills).toBe(KILLS);
    // All lanes are at work at the first kill; later ones do not wait for those that are still starting.
    expect(pausesMs.length).toBeGreaterThanOrEqual(ground.lanes.length - 1);
  });

  test(`${KILLS_UNDER_MUTEX} kills under a mutex lose nothing and stop nobody`, async () => {
    const ground = storeGround(new Bed(), tier, 'namedMutex');
    const { kills } = await killAtRandom(luck(), ground, (count) => count >= KILLS_UNDER_MUTEX);
    expect(kills).toBe(KILLS_UNDER_MUTEX);
  });

  test(`${KILLS_IN_MAPS} kills of writers of a map lose no key and no change, mix nothing and stop nobody`, async () => {
    const chance = luck();
    const ground = mapGround(new Bed(), tier, chance);
    const { kills, pausesMs } = await killAtRandom(chance, ground, (count) => count >= KILLS_IN_MAPS);
    expect(kills).toBe(KILLS_IN_MAPS);
    expect(pausesMs.length).toBeGreaterThanOrEqual(ground.lanes.length - 1);
  });

  test.each(SPELLINGS)(
    'a Node writer killed inside a write of $spelling leaves the old record',
    async (shape) => {
      const { spelling, elements } = shape;
      const bed = new Bed();
      const chance = luck();
      const name = bed.name('killed-inside');
      const store = bed.keep(createStore({ name, layout: layoutOf(spelling, elements), capacity: 1 }));
      const slot = rawSlot(bed.keep(openSegment(name)).buffer, 0);
      const { zero, valueOf, fill } = kindOf(spelling, elements);
      for (let kills = 1; kills <= DEATHS; kills++) {
        const writer = bed.node(tier, 'write', name, spelling, elements, 'write');
        await writer.ready;
        await stopInside(writer, slot, chance);
        writer.kill('SIGKILL');
        await writer.exited;
        const generation = store.generation(0);
        expect(lockOf(slot)).not.toBe(0);
        expect(valueOf(store.read(0))).not.toBeNaN();
        // Steals the lock.
        store.write(0, fill(zero(), -kills));
        expect(valueOf(store.read(0))).toBe(-kills);
        expect(store.generation(0)).toBe(generation + 1);
        expect(lockOf(slot)).toBe(0);
      }
    },
  );
});

/** What the checks of owners, of the ground and of readers say, and the library of an index that does not agree with itself; no time-out and no crash. */
const FAULT = new RegExp(
  [
    /(?:key \d+|the counter) (?:has|is) -?\d+, expected/,
    /key \d+ has \{/,
    /key \d+ was (?:not found|found, expected none)/,
    /key \d+ is there twice/,
    /key \d+ comes \d+ times in an iteration/,
    /an iteration does not end/,
    /[1-9]\d* (?:missed|wrong|twice)/,
    /the map is not sound: /,
    /all \d+ entries are in use/,
    /its index is damaged: /,
  ]
    .map(({ source }) => source)
    .join('|'),
);
const MISTAKES = [
  { what: 'that acknowledge a change before they make it', how: 'hasty', mistake: '' },
  {
    what: 'that empty words of the index which searches pass',
    how: 'sound',
    mistake: 'empty words of the index that searches pass',
  },
  {
    what: 'that do not finish what a dead one began',
    how: 'sound',
    mistake: 'do not finish what a dead one began',
  },
];
// Under Wine the last one is left out: it takes dozens of kills, and each takes seconds.
test.each(onWindows ? MISTAKES.slice(0, -1) : MISTAKES)(
  'the control, killed writers of a map $what, are found',
  async ({ how, mistake }) => {
    const bed = new Bed();
    const chance = luck();
    const deadline = performance.now() + CONTROL_MS;
    const isOver = (): boolean => performance.now() > deadline;
    const killing = async (): Promise<void> => {
      while (!isOver()) {
        const ground = mapGround(bed, mistake === '' ? TIERS[0]! : withMistake(mistake), chance, how);
        await killAtRandom(chance, ground, (count) => count >= KILLS_IN_MAPS || isOver());
      }
    };
    await expect(killing()).rejects.toThrow(FAULT);
  },
);

describe('a native writer killed', () => {
  test.each(STEPS)('%s leaves a whole record, and the next writers go on', async (step) => {
    const bed = new Bed();
    const name = bed.name('killed-at');
    const elements = 512;
    const store = bed.keep(createStore({ name, layout: arrayOf(elements), capacity: 2 }));
    const { zero, valueOf, fill } = arrayKind(elements);
    store.write(0, fill(zero(), 1));
    const victim = bed.native('interrupt', name, 0, step, 'kill');
    expect(hasDied(await victim.exited)).toBe(true);

    const value = isCommittedAt(step) ? 2 : 1;
    expect(valueOf(store.read(0))).toBe(value);
    expect(store.generation(0)).toBe(value);
    store.update(0, (draft) => void fill(draft, valueOf(draft) + 1));
    expect(valueOf(store.read(0))).toBe(value + 1);

    // The same with a native thief.
    const thief = bed.native('add', name, 0, 1, START, 0);
    await thief.ready;
    await bed.native('interrupt', name, 0, step, 'kill').exited;
    store.write(START, zero());
    await thief.result();
    expect(valueOf(store.read(0))).toBe(isCommittedAt(step) ? value + 3 : value + 2);
  });

  test('is dead although its slot has a new owner', async () => {
    const bed = new Bed();
    const name = bed.name('reclaimed');
    const store = bed.keep(createStore({ name, layout: Fields, capacity: 2 }));
    const slot = rawSlot(store.segment.buffer, 0);
    const thief = bed.native('add', name, 0, 1, START, 0);
    await thief.ready;
    /** Opens the store once more, which takes the dead one's participant slot: the kernel alone would call it alive. */
    const takeItsSlot = (): StoreWriter<typeof Fields> => {
      const owner = lockOf(slot);
      expect(owner).not.toBe(0);
      const newcomer = bed.keep(openStore(name, Fields, { access: 'read-write' }));
      expect(lockOf(slot)).toBe(owner);
      expect(epochOfSlot(slot, owner & 0xff)).toBe((owner >>> 8) + 1);
      return newcomer;
    };

    await bed.native('interrupt', name, 0, 'half-filled', 'kill').exited;
    takeItsSlot().write(START, Fields.zero());
    await thief.result();
    expect(fieldsKind.valueOf(store.read(0))).toBe(1);

    await bed.native('interrupt', name, 0, 'half-filled', 'kill').exited;
    takeItsSlot();
    store.update(0, (draft) => void fieldsKind.fill(draft, draft.a + 1));
    expect(fieldsKind.valueOf(store.read(0))).toBe(2);
    expect(lockOf(slot)).toBe(0);
  });
});

describe.each(TIERS)('a writer stopped inside a write, $tier', (tier) => {
  /** Starts writers beside the stopped one: they give up, and readers see `visible` all the time. */
  async function expectNotRobbed(bed: Bed, name: string, slot: RawSlot, visible: number): Promise<void> {
    const store = bed.keep(openStore(name, Fields, { access: 'read-write' }));
    const owner = lockOf(slot);
    const others = [bed.node(tier, 'put', name, 'fields', 8), bed.native('put', name, 0)];
    const reports = await Promise.all(others.map((other) => other.result()));
    expect(reports[0]).toEqual({ status: 'LOCK_TIMEOUT', value: visible });
    expect(reports[1]).toMatchObject({ status: 'LOCK_TIMEOUT' });
    expect(lockOf(slot)).toBe(owner);
    expect(fieldsKind.valueOf(store.read(0))).toBe(visible);
    store.write(1, fieldsKind.fill(Fields.zero(), 7));
    expect(store.read(1).a).toBe(7);
  }

  test.each(['acquired', 'half-filled', 'filled', 'published'])(
    'a native one, %s, is not robbed',
    async (step) => {
      const bed = new Bed();
      const name = bed.name('stopped');
      const store = bed.keep(createStore({ name, layout: Fields, capacity: 2 }));
      store.write(0, fieldsKind.fill(Fields.zero(), 1));
      const slot = rawSlot(bed.keep(openSegment(name)).buffer, 0);
      const stopped = bed.native('interrupt', name, 0, step, 'stop');
      await stopped.ready;
      await until('its stop', () => isStopped(stopped));

      await expectNotRobbed(bed, name, slot, isCommittedAt(step) ? 2 : 1);

      letGoOn(stopped);
      expect(await stopped.result()).toEqual({ value: 2 });
      expect(fieldsKind.valueOf(store.read(0))).toBe(2);
      store.update(0, (draft) => void fieldsKind.fill(draft, draft.a + 1));
      expect(fieldsKind.valueOf(store.read(0))).toBe(3);
      expect(store.generation(0)).toBe(3);
    },
  );

  test('a Node one is not robbed', async () => {
    const bed = new Bed();
    const name = bed.name('stopped');
    const store = bed.keep(createStore({ name, layout: Fields, capacity: 2 }));
    const slot = rawSlot(bed.keep(openSegment(name)).buffer, 0);
    const stopped = bed.node(tier, 'write', name, 'fields', 8, 'write');
    await stopped.ready;
    await stopInside(stopped, slot, luck());

    const generation = store.generation(0);
    await expectNotRobbed(bed, name, slot, fieldsKind.valueOf(store.read(0)));
    expect(store.generation(0)).toBe(generation);

    letGoOn(stopped);
    await until('its next writes', () => store.generation(0) > generation + 100);
    const { writes } = await stopped.end();
    expect(store.generation(0)).toBe(writes);
    expect(fieldsKind.valueOf(store.read(0))).toBe(writes);
  });
});
