// kill -9 at every step of a search and a change of a map that the sources name; test/torture/map-scenarios.ts lists the verdicts. Under Wine a
// seed chooses some of these deaths, as in killed-at-steps.test.ts.
import { readdirSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Bed } from '../support/bed.ts';
import { luck } from '../support/luck.ts';
import { onWindows } from '../support/system.ts';
import { inLanes } from '../torture/campaign.ts';
import {
  killMapAt,
  MAP_SCENARIOS,
  type MapPoint,
  pointsOfFinishers,
  pointsOfMaps,
} from '../torture/map-scenarios.ts';
import { namedSteps, placesOf } from '../torture/named-steps.ts';

const LANES = 2;
/** A step that several scenarios pass dies in so many of them. */
const SCENARIOS_PER_STEP = 2;
/** A busy machine takes seconds to start a process; there are about a hundred. */
const WATCHDOG_MS = 600_000;
const SOME_DEATHS = onWindows && process.env['SHARECORD_ALL_STEPS'] !== '1' ? 8 : Infinity;
/** Where the steps of maps are. */
const MAP_SOURCE = /map-/;

/** Kills at all of the points and gives what was wrong. */
async function killAtAll(bed: Bed, points: readonly MapPoint[]): Promise<string[]> {
  const wrong: string[] = [];
  await inLanes(LANES, points, async (point) => {
    try {
      await killMapAt(bed, point);
    } catch (error) {
      const { scenario, step, finisher } = point;
      wrong.push(`${scenario.title}, ${step}, ${finisher?.step ?? 'nobody else'}: ${String(error)}`);
    }
  });
  return wrong;
}

/** A check that threw has closed nothing. */
function removeNames(): void {
  if (onWindows) return;
  const prefix = `sharecord-test-map-killed-at-step-${process.pid}-`;
  for (const left of readdirSync('/dev/shm').filter((name) => name.startsWith(prefix)))
    rmSync(`/dev/shm/${left}`);
}

describe('kill -9', () => {
  test(
    'at every step of a search and a change of a map loses no key, no slot and no word, and stops nobody',
    async () => {
      const bed = new Bed();
      const chance = luck();
      const { points, places } = await pointsOfMaps(bed);
      expect(places.filter((place) => MAP_SOURCE.test(place))).toEqual(
        placesOf(namedSteps().filter(({ source }) => MAP_SOURCE.test(source))),
      );
      const deaths = new Map<string, number>();
      const often = points.filter(({ step }) => {
        deaths.set(step, (deaths.get(step) ?? 0) + 1);
        return deaths.get(step)! <= SCENARIOS_PER_STEP;
      });
      const chosen = chance.shuffle(often).slice(0, SOME_DEATHS);
      expect(await killAtAll(bed, chosen)).toEqual([]);
      if (onWindows) console.log(`${points.length} points; ${chosen.length} deaths, seed ${chance.seed}`);
    },
    WATCHDOG_MS,
  );

  test(
    'at every step of finishing what a dead writer began loses nothing either',
    async () => {
      const bed = new Bed();
      const chance = luck();
      const points = chance.shuffle(await pointsOfFinishers(bed)).slice(0, SOME_DEATHS);
      expect(await killAtAll(bed, points)).toEqual([]);
    },
    WATCHDOG_MS,
  );

  test.each([
    ['adds a key without a note', 'insert into a fresh slot', 'insert 3', 'all 8 entries are in use'],
    [
      'names a slot before it is noted',
      'insert into a slot used before',
      'change 4',
      'all 8 entries are in use',
    ],
    ['clears its note first', 'delete of key 1 of eight', 'finish 3', 'all 8 entries are in use'],
    [
      'leaves a slot that it took in the free list',
      'insert behind a free slot that another holds',
      'change 7',
      'its index is damaged',
    ],
  ] as const)('the control, a victim that %s, is found', async (mutation, title, step, fault) => {
    const scenario = MAP_SCENARIOS.find((each) => each.title === title)!;
    const death = killMapAt(new Bed(), { scenario, step, pass: 1, mutation });
    await expect(death).rejects.toThrow(fault);
    removeNames();
  });

  test('the control, one that clears the note before it has finished, is found', async () => {
    const scenario = MAP_SCENARIOS.find(({ title }) => title === 'delete of key 5 of eight')!;
    const finisher = { step: 'finish 3', pass: 1, mutation: 'clears its note first' };
    const death = killMapAt(new Bed(), { scenario, step: 'write 5', pass: 1, finisher });
    await expect(death).rejects.toThrow('all 8 entries are in use');
    removeNames();
  });
});
