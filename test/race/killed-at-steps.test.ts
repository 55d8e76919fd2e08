// kill -9 at every step that the sources name; test/torture/scenarios.ts lists the verdicts. Here each step dies in two of the
// scenarios that pass it, at its first pass; `npm run torture -- --only steps` has all passes in all scenarios.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Bed } from '../support/bed.ts';
import { inLanes } from '../torture/campaign.ts';
import { killAt, type Point, pointsOf, SCENARIOS, traceOf } from '../torture/scenarios.ts';

const LANES = 2;
const SCENARIOS_PER_STEP = 2;
/** A hundred processes, one after the other; each has a watchdog of its own. */
const WATCHDOG_MS = 600_000;
const root = new URL('../../', import.meta.url);

/** Steps that the sources name; the files of Windows have none of their own, those of maps: map-killed-at-steps.test.ts. */
function namedSteps(): Set<string> {
  const files = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' });
  const texts = files
    .filter((file) => file.endsWith('.ts') && !/win32|map-/.test(file))
    .map((file) => readFileSync(new URL(`src/${file}`, root), 'utf8'));
  return new Set(texts.flatMap((text) => [...text.matchAll(/\/\/ STEP: (.+)$/gm)].map(([, step]) => step!)));
}

describe('kill -9', () => {
  test(
    'at every step loses, tears, blocks and leaves nothing',
    async () => {
      const bed = new Bed();
      const points: Point[] = [];
      await inLanes(LANES, SCENARIOS, async (scenario) => {
        points.push(...pointsOf(scenario, await traceOf(bed, scenario)));
      });
      const reached = new Set(points.map(({ step }) => step));
      reached.delete('write 3, next field'); // between the fields of a generated write: fault-points.ts
      expect([...reached].toSorted()).toEqual([...namedSteps()].toSorted());
      const scenariosOf = new Map<string, Set<string>>();
      const isChosen = ({ scenario, step, pass }: Point): boolean => {
        const chosen = scenariosOf.get(step) ?? new Set();
        scenariosOf.set(step, chosen);
        return pass === 1 && chosen.size < SCENARIOS_PER_STEP && chosen.add(scenario).size > 0;
      };
      const wrong: string[] = [];
      let deaths = 0;
      await inLanes(LANES, points.filter(isChosen), async (point) => {
        try {
          await killAt(bed, point, deaths++ % 2 === 0 ? 'create' : 'join');
        } catch (error) {
          wrong.push(`${point.scenario}, ${point.step}: ${String(error)}`);
        }
      });
      expect(wrong).toEqual([]);
    },
    WATCHDOG_MS,
  );

  test.each([
    ['published before it is filled', 'write', 'write 3, next field', 'record 0 is'],
    ['named before it is complete', 'create', 'create 3', 'the name is in use'],
  ] as const)(
    'the control, a victim whose store is %s, is found',
    async (mutation, scenario, step, fault) => {
      const death = killAt(new Bed(), { scenario, step, pass: 1, mutation }, 'create');
      await expect(death).rejects.toThrow(fault);
      const prefix = `sharecord-test-killed-at-step-${process.pid}-`;
      const left = readdirSync('/dev/shm').filter((name) => name.startsWith(prefix));
      for (const name of left) rmSync(`/dev/shm/${name}`);
    },
  );

  test('docs/protocol.md has every step that the sources name', () => {
    const page = readFileSync(new URL('docs/protocol.md', root), 'utf8');
    const missing = [...namedSteps()].filter((step) => {
      const [, what, number] = /^([a-z ]+) (\d+)/.exec(step) ?? [];
      const [, last] = new RegExp(`\\| \`${what}\` \\| [0-9] to (\\d+) `).exec(page) ?? [];
      return last === undefined || Number(number) > Number(last);
    });
    expect(missing).toEqual([]);
  });
});
