// Some processes and threads on one store, under each guard; test/torture/load.ts lists what must hold, `npm run torture -- --only
// load` has 64 processes and 16 threads.
import { expect, test } from 'vitest';
import { Bed, TIERS } from '../support/bed.ts';
import { luck } from '../support/luck.ts';
import { LOAD_GUARDS, loadStore } from '../torture/load.ts';

test.each(LOAD_GUARDS)(
  '4 processes and 4 threads that read, update, watch, join and leave keep every invariant, under a %s',
  async (guard) => {
    const crowd = { processes: 4, threadsOf: [2, 2], milliseconds: 4000, tier: TIERS[0]!, guard };
    const { figures, violations } = await loadStore(new Bed(), luck(), crowd);
    expect(violations).toEqual([]);
    for (const what of ['updates', 'changes watched', 'joins'])
      expect(figures[what], what).toBeGreaterThan(0);
  },
);
