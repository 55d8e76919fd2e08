// Some processes and threads on one store, under each guard; test/torture/load.ts lists what must hold, `npm run torture -- --only
// load` has 64 processes and 16 threads.
import { expect, test } from 'vitest';
import { Bed, TIERS } from '../support/bed.ts';
import { luck } from '../support/luck.ts';
import { LOAD_GUARDS, loadStore, type Mistake } from '../torture/load.ts';

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

const MISTAKES: readonly (readonly [Mistake, RegExp])[] = [
  ['leaves stores open', /held .*descriptors/],
  ['keeps buffers', /heaps and buffers of a process grew/],
  ['keeps native memory', /a process touched/],
  ['forgets a checksum', /a torn record/],
  ['loses updates', /counted, \d+ updates/],
];

test.each(MISTAKES)('control: a crowd that %s is found out', async (mistake, expected) => {
  const crowd = {
    processes: 2,
    threadsOf: [1],
    milliseconds: 3000,
    tier: TIERS[0]!,
    guard: 'latch',
    mistake,
  } as const;
  const { violations } = await loadStore(new Bed(), luck(), crowd);
  expect(violations.join('\n')).toMatch(expected);
});
