// Races between processes of Node alone, under every guard of a store: native programs join those under a latch only.
//
//   what the reader sees             library    control that does not look at the sequence
//   all elements equal, rising       allowed    allowed
//   elements that differ (torn)      forbidden  required, or this file could not see a tear
//   a smaller value than before      forbidden  -
//
//   additions at once                update     control that reads, then writes
//   all of them                      required   forbidden, or this file could not see a lost one
//
// Lost wake-ups have the verdicts of lost-wakeups.test.ts.
import { describe, expect, test } from 'vitest';
import { createStore, namedMutex } from '../../src/index.ts';
import { Bed, sleep, TIERS, until } from '../support/bed.ts';
import { luck } from '../support/luck.ts';
import { onWindows } from '../support/system.ts';
import { Fields, fieldsKind, layoutOf, Seen, type Spelling } from './records.ts';

// Wine takes ten times as long for a process.
const CHANGES = onWindows ? 100 : 300;
const ADDITIONS = onWindows ? 2000 : 10_000;
const ROUNDS = 40;
const TORN_ENOUGH = 10;
const START = 1;

type Guard = 'latch' | 'seqlock' | 'namedMutex';
/** Elsewhere the latch races against native peers: torn-reads.test.ts and the others. */
const guards: readonly Guard[] = onWindows ? ['latch', 'seqlock', 'namedMutex'] : ['seqlock', 'namedMutex'];
const guardOf = (bed: Bed, guard: Guard) =>
  guard === 'namedMutex' ? namedMutex(bed.name('mutex'), { timeoutMs: 60_000 }) : guard;

/** Under Wine a process takes seconds to start: there each race runs under the guard that it can break. */
const runs = (guard: Guard, race: 'torn' | 'lost' | 'asleep'): boolean =>
  !onWindows || guard === 'latch' || (guard === 'seqlock' ? race === 'torn' : race === 'lost');

const SHAPES: readonly { spelling: Spelling; elements: number }[] = [
  { spelling: 'fields', elements: 8 },
  { spelling: 'array', elements: 512 },
];

describe.each(TIERS)('$tier', (tier) => {
  describe.each(guards)('a store under %s', (guard) => {
    test.runIf(runs(guard, 'torn')).each(onWindows ? SHAPES.slice(1) : SHAPES)(
      'gives whole records of $elements doubles while they are written, and the control tears',
      async ({ spelling, elements }) => {
        const bed = new Bed();
        const name = bed.name('node-torn');
        bed.keep(
          createStore({
            name,
            layout: layoutOf(spelling, elements),
            capacity: 1,
            guard: guardOf(bed, guard),
          }),
        );
        const writer = bed.node(tier, 'write', name, spelling, elements, 'write');
        await writer.ready;
        const seen = await bed.node(tier, 'read', name, spelling, elements, 'readInto', CHANGES).result();
        expect(seen).toMatchObject({ torn: 0, backwards: 0 });
        expect(seen['changes']).toBeGreaterThanOrEqual(CHANGES);
        const how = guard === 'seqlock' ? 'one-cell' : 'unchecked';
        const { torn } = await bed.node(tier, 'read-broken', name, how, TORN_ENOUGH).result();
        expect(torn, 'control did not tear').toBeGreaterThanOrEqual(TORN_ENOUGH);
        await writer.end();
      },
    );

    test.runIf(runs(guard, 'lost'))(
      'loses no update of two processes with two threads each, and the control loses some',
      async () => {
        const bed = new Bed();
        for (const how of onWindows && guard !== 'latch' ? ['update'] : ['update', 'plain']) {
          const name = bed.name('node-adders');
          const store = bed.keep(
            createStore({ name, layout: Fields, capacity: 2, guard: guardOf(bed, guard) }),
          );
          const writers = [1, 1].map((threads) =>
            bed.node(tier, 'add', name, ADDITIONS, how, START, threads),
          );
          await Promise.all(writers.map((writer) => writer.ready));
          store.write(START, fieldsKind.fill(Fields.zero(), 1));
          await Promise.all(writers.map((writer) => writer.result()));
          expect(store.generation(0)).toBe(4 * ADDITIONS);
          const value = fieldsKind.valueOf(store.read(0));
          if (how === 'update') expect(value).toBe(4 * ADDITIONS);
          else expect(value, 'control lost nothing').toBeLessThan(4 * ADDITIONS);
        }
      },
    );

    test.runIf(runs(guard, 'asleep'))(`${ROUNDS} random bursts lose no wake-up`, async () => {
      const bed = new Bed();
      const chance = luck();
      const [name, seenName, control] = [bed.name('node-watched'), bed.name('seen'), bed.name('rounds')];
      const store = bed.keep(createStore({ name, layout: Fields, capacity: 50, guard: guardOf(bed, guard) }));
      const seen = bed.keep(createStore({ name: seenName, layout: Seen, capacity: 2 }));
      const rounds = bed.keep(createStore({ name: control, layout: Fields, capacity: 2 }));
      const watcher = bed.script(tier, 'watch-peer.ts', 'watch', 'store', name, seenName, 0, 1, 'both');
      const writer = bed.script(
        tier,
        'watch-peer.ts',
        'burst',
        'store',
        name,
        control,
        1,
        chance.seedOfPeer(),
      );
      await Promise.all([watcher.ready, writer.ready]);
      for (let round = 1; round <= ROUNDS; round++) {
        rounds.write(0, fieldsKind.fill(Fields.zero(), round));
        for (let left = chance.below(20); left > 0; left--)
          store.update(left % 50, (draft) => void fieldsKind.fill(draft, draft.a + 1));
        await until(`burst ${round}`, () => rounds.read(1).a === round);
        let all = 0;
        for (let i = 0; i < store.capacity; i++) all += store.generation(i);
        const one = store.generation(0);
        for (const at of [0, 1]) {
          await until(`round ${round}, watcher ${at}: states ${one} and ${all}`, () => {
            if (!watcher.running) throw new Error('the watcher has ended');
            return seen.read(at).one === one && seen.read(at).all === all;
          });
        }
        await sleep(chance.fraction() * 3);
      }
      await writer.end();
      const report = await watcher.end();
      expect(report['byTimer'], 'states that only the timer brought').toBe(0);
      expect(report['delivered']).toBeGreaterThan(ROUNDS);
    });
  });
});
