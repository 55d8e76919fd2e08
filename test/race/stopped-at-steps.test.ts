// A Node writer stopped at steps of a write; test/torture/stops.ts lists the verdicts. `npm run torture -- --only stops` has
// all steps, and those inside the gate.
import { test } from 'vitest';
import { Bed } from '../support/bed.ts';
import { stopInsideWrite } from '../torture/stops.ts';

test.each([
  ['write', 'write 3, next field'],
  ['update', 'write 4'],
  ['write', 'write 5'],
  ['write under a seqlock', 'seqlock write 4'],
  ['write under a seqlock', 'seqlock write 6'],
  ['update under a mutex', 'write 4'],
] as const)(
  'a writer stopped in a %s at step "%s" is not stolen from, and others go on',
  async (scenario, step) => {
    await stopInsideWrite(new Bed(), { scenario, step, pass: 1 });
  },
);
