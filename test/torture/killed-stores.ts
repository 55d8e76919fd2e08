// The ground of killed writers that is a store: a record counts what all of them committed, another one per lane what its calls
// acknowledged.
//
// Under a mutex the next call of the others is WRITER_DIED, once, and does nothing: they repeat it. Not under a seqlock: a record that
// its writer tore is gone, so that nothing is left to count (killed-at-steps.test.ts).
import { createStore, namedMutex } from '../../src/index.ts';
import { Tally } from '../race/records.ts';
import type { Household, Tier } from '../support/household.ts';
import type { Ground } from './random-kills.ts';

/** Lays the ground, under a guard where a death loses nothing. Half of the four writers are native under the latch, both of two are Node's under a mutex. */
export function storeGround(house: Household, tier: Tier, guard: 'latch' | 'namedMutex'): Ground {
  const name = house.name('killed');
  const store = house.keep(
    createStore({
      name,
      layout: Tally,
      capacity: 5,
      guard: guard === 'latch' ? guard : namedMutex(house.name('killed-mutex'), { timeoutMs: 1000 }),
    }),
  );
  const lanes = [1, 2].map((at) => ({ isNative: false, start: () => house.node(tier, 'tally', name, at) }));
  if (guard === 'latch') {
    for (const at of [3, 4]) lanes.push({ isNative: true, start: () => house.native('tally', name, at) });
  }
  /** Committed updates that the killed writers of each lane had not acknowledged. */
  const unacknowledged = lanes.map(() => 0);
  const committed = (lane: number): number => store.read(0).by[lane]!;
  const acknowledged = (lane: number): number => store.read(lane + 1).total;
  const surplus = (lane: number): number => committed(lane) - acknowledged(lane) - unacknowledged[lane]!;
  const total = (): number => {
    const { total: found, by } = store.read(0);
    const sum = by.reduce((left, count) => left + count, 0);
    if (sum !== found) throw new Error(`torn: the lanes have ${sum}, the total is ${found}`);
    return found;
  };
  return {
    lanes,
    acknowledged,
    settle(lane) {
      const found = surplus(lane);
      // One update may have been committed whose call had not returned; none that had returned may be gone.
      if (found !== 0 && found !== 1)
        throw new Error(`lane ${lane}: ${found} more committed than acknowledged`);
      unacknowledged[lane]! += found;
    },
    check: () => void total(),
    async finish() {
      for (let lane = 0; lane < lanes.length; lane++) {
        const found = surplus(lane);
        if (found !== 0) throw new Error(`lane ${lane}: ${found} more committed than told of`);
      }
      const found = total();
      store.close();
      return found;
    },
  };
}
