// What a test starts and must not leave behind. A bed belongs to one test and puts everything away when the test is over,
// whatever its outcome.
import { onTestFinished } from 'vitest';
import { Household } from './household.ts';

export * from './household.ts';

/** All that one test started. */
export class Bed extends Household {
  constructor() {
    super();
    onTestFinished(() => this.clear());
  }
}
