// How a process gets the fault points, and the mistakes that tests must find.
import type { Tier } from '../support/household.ts';

const FAULT_POINTS = new URL('./fault-points.ts', import.meta.url).href;

/** The flag of Node that loads the library with fault points, and with a mistake of theirs if one is named. */
export const faultPoints = (mutation = ''): string =>
  `--import=${FAULT_POINTS}?mutation=${encodeURIComponent(mutation)}`;

/** For peers whose library has a mistake: negative controls. */
export const withMistake = (mutation: string): Tier => ({ tier: mutation, flags: [faultPoints(mutation)] });
