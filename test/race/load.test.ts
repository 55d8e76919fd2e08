// Some processes and threads on one store; test/torture/load.ts lists what must hold, `npm run torture -- --only load` has 64
// processes and 16 threads.
import { expect, test } from 'vitest';
import { Bed } from '../support/bed.ts';
import { luck } from '../support/luck.ts';
import { loadStore } from '../torture/load.ts';

test('4 processes and 4 threads that read, update, watch, join and leave keep every invariant', async () => {
  const crowd = { processes: 4, threadsOf: [2, 2], milliseconds: 4000 };
  const { figures, violations } = await loadStore(new Bed(), luck(), crowd);
  expect(violations).toEqual([]);
  for (const what of ['updates', 'changes watched', 'joins']) expect(figures[what], what).toBeGreaterThan(0);
});
