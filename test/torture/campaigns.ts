// All campaigns, in the order in which they run.
import type { Campaign } from './campaign.ts';
import { hostile } from './hostile.ts';
import { load } from './load.ts';
import { randomKills } from './random-kills.ts';
import { steps } from './steps.ts';
import { stops } from './stops.ts';
import { wakeups } from './wakeups.ts';

export const CAMPAIGNS: readonly Campaign[] = [steps, randomKills, stops, wakeups, hostile, load];
