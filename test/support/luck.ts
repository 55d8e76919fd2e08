// What a test leaves to chance: a failure shows the seed, and SHARECORD_SEED repeats its choices (not what the scheduler did).
import { onTestFailed } from 'vitest';
import { Chance } from '../torture/campaign.ts';

/** Gives the running test its choices. */
export function luck(): Chance {
  const chance = new Chance(Number(process.env['SHARECORD_SEED'] ?? Date.now() % 2 ** 32));
  onTestFailed(() => console.error(`SHARECORD_SEED=${chance.seed} repeats the choices of this test`));
  return chance;
}
