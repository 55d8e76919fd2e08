// kill -9 at every step that the sources name; test/torture/deaths.ts lists the verdicts. Here each step dies in two of the
// scenarios that pass it, at its first pass; `npm run torture -- --only steps` has all passes in all scenarios. Under Wine, where
// a process takes seconds to start, a seed chooses some of these deaths: SHARECORD_SEED repeats a choice, SHARECORD_ALL_STEPS=1
// has them all.
import { readdirSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Bed } from '../support/bed.ts';
import { luck } from '../support/luck.ts';
import { onWindows, pathOf } from '../support/system.ts';
import { inLanes } from '../torture/campaign.ts';
import { namedSteps, placesOf } from '../torture/named-steps.ts';
import { killAt } from '../torture/deaths.ts';
import { isPassedHere, type Point, pointsOf, SCENARIOS, tracesOf } from '../torture/scenarios.ts';

const LANES = 2;
const SCENARIOS_PER_STEP = 2;
/** A hundred processes, one after the other; each has a watchdog of its own. */
const WATCHDOG_MS = 600_000;
const SOME_DEATHS = onWindows && process.env['SHARECORD_ALL_STEPS'] !== '1' ? 16 : Infinity;

describe('kill -9', () => {
  test(
    'at every step loses, tears, blocks and leaves nothing',
    async () => {
      const bed = new Bed();
      const chance = luck();
      const traces = await tracesOf(bed, SCENARIOS);
      const points = SCENARIOS.flatMap((scenario) => pointsOf(scenario, traces.steps[scenario]));
      const reached = new Set(points.map(({ step }) => step));
      expect(traces.places).toEqual(placesOf(namedSteps().filter(isPassedHere)));
      const scenariosOf = new Map<string, Set<string>>();
      const isChosen = ({ scenario, step, pass }: Point): boolean => {
        const chosen = scenariosOf.get(step) ?? new Set();
        scenariosOf.set(step, chosen);
        return pass === 1 && chosen.size < SCENARIOS_PER_STEP && chosen.add(scenario).size > 0;
      };
      const chosen = chance.shuffle(points.filter(isChosen)).slice(0, SOME_DEATHS);
      const wrong: string[] = [];
      const recoveriesMs: number[] = [];
      let deaths = 0;
      await inLanes(LANES, chosen, async (point) => {
        try {
          const { recoveryMs } = await killAt(bed, point, deaths++ % 2 === 0 ? 'create' : 'join');
          recoveriesMs.push(recoveryMs);
        } catch (error) {
          wrong.push(`${point.scenario}, ${point.step}: ${String(error)}`);
        }
      });
      expect(wrong).toEqual([]);
      if (onWindows) {
        const longest = Math.ceil(Math.max(...recoveriesMs));
        console.log(
          `${points.length} points, ${reached.size} steps; ${deaths} deaths, seed ${chance.seed}; longest recovery ${longest} ms`,
        );
      }
    },
    WATCHDOG_MS,
  );

  const unfinished = onWindows
    ? ([
        'ready before it is complete',
        'join of a half-made segment',
        'create 3',
        'format version is 0',
      ] as const)
    : (['named before it is complete', 'create', 'create 3', 'the name is in use'] as const);
  test.each([
    ['published before it is filled', 'write', 'write 3, next field', 'record 0 is'],
    unfinished,
  ] as const)(
    'the control, a victim whose store is %s, is found',
    async (mutation, scenario, step, fault) => {
      const death = killAt(new Bed(), { scenario, step, pass: 1, mutation }, 'create');
      await expect(death).rejects.toThrow(fault);
      if (onWindows) return;
      const prefix = `sharecord-test-killed-at-step-${process.pid}-`;
      const left = readdirSync('/dev/shm').filter((name) => name.startsWith(prefix));
      for (const name of left) rmSync(pathOf(name));
    },
  );
});
