// kill -9 at every step of a change of a map that the sources name; test/torture/map-scenarios.ts lists the verdicts. Under Wine a
// seed chooses some of these deaths, as in killed-at-steps.test.ts.
import { readdirSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openMap } from '../../src/index.ts';
import { Bed, until } from '../support/bed.ts';
import { isStopped, letGoOn } from '../support/ending.ts';
import { luck } from '../support/luck.ts';
import { onWindows } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';
import { inLanes } from '../torture/campaign.ts';
import { definition, recordOf } from '../torture/map-acts.ts';
import {
  killMapAt,
  MAP_SCENARIOS,
  pointsOfMaps,
  setMapScene,
  startMapVictim,
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

describe('kill -9', () => {
  test(
    'at every step of a change of a map loses no key, no slot and no word, and stops nobody',
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
      const wrong: string[] = [];
      await inLanes(LANES, chosen, async (point) => {
        try {
          await killMapAt(bed, point);
        } catch (error) {
          wrong.push(`${point.scenario.title}, ${point.step}: ${String(error)}`);
        }
      });
      expect(wrong).toEqual([]);
      if (onWindows) console.log(`${points.length} points; ${chosen.length} deaths, seed ${chance.seed}`);
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
  ] as const)('the control, a victim that %s, is found', async (mutation, title, step, fault) => {
    const scenario = MAP_SCENARIOS.find((each) => each.title === title)!;
    const death = killMapAt(new Bed(), { scenario, step, pass: 1, mutation });
    await expect(death).rejects.toThrow(fault);
    if (onWindows) return;
    const prefix = `sharecord-test-map-killed-at-step-${process.pid}-`;
    for (const left of readdirSync('/dev/shm').filter((name) => name.startsWith(prefix)))
      rmSync(`/dev/shm/${left}`);
  });
});

test.each(['change 4', 'insert 3', 'finish 4'])(
  'a writer stopped inside a change, at %s, is not robbed: others read and set what is there, and wait to add and delete',
  async (step) => {
    const bed = new Bed();
    const name = bed.name('map-stopped');
    const scenario = MAP_SCENARIOS.find(({ title }) => title === 'insert into a fresh slot')!;
    const { map } = setMapScene(bed, scenario, name);
    const reader = bed.keep(openMap(name, definition));
    const stopped = startMapVictim(bed, name, 'stop', { scenario, step, pass: 1 });
    await stopped.ready;
    await until('its stop', () => isStopped(stopped));
    expect(reader.get(1)).toEqual(recordOf(1.5));
    expect([...reader.keys()]).toEqual(step === 'finish 4' ? [1, 2, 3, 4] : [1, 2, 3]);
    map.set(1, recordOf(7));
    expect(map.update(2, (draft) => void Object.assign(draft, recordOf(8)))).toBe(true);
    for (const call of [() => map.set(5, recordOf(5)), () => map.delete(1)])
      expect(call).toThrow(withCode('LOCK_TIMEOUT'));
    letGoOn(stopped);
    await stopped.result();
    map.set(5, recordOf(5));
    expect(map.delete(1)).toBe(true);
    expect(new Map([...reader].map(([key, { value }]) => [key, value]))).toEqual(
      new Map([
        [2, 8],
        [3, 3.5],
        [4, 9],
        [5, 5],
      ]),
    );
    expect(map.size).toBe(4);
  },
);
