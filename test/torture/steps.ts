// Campaign: kill -9 at every step of every scenario, again and again in another order.
import { type Campaign, inLanes, isOver } from './campaign.ts';
import { killAt, type Point, pointsOf, SCENARIOS, traceOf } from './scenarios.ts';

const LANES = 2;

export const steps: Campaign = {
  name: 'steps',
  promise: 'a process killed at any step loses nothing, tears nothing, blocks nobody and leaves no name',
  async run(run) {
    const { house, chance } = run;
    const points: Point[] = [];
    for (const scenario of SCENARIOS) points.push(...pointsOf(scenario, await traceOf(house, scenario)));
    const violations: string[] = [];
    let [deaths, rounds, slowest] = [0, 0, 0];
    do {
      const next = rounds++ % 2 === 0 ? 'create' : 'join';
      await inLanes(
        LANES,
        chance.shuffle(points),
        async (point) => {
          deaths++;
          try {
            slowest = Math.max(slowest, (await killAt(house, point, next)).recoveryMs);
          } catch (error) {
            violations.push(`${point.scenario}, ${point.step}, pass ${point.pass}: ${String(error)}`);
          }
        },
        () => rounds > 1 && isOver(run),
      );
    } while (!isOver(run));
    const figures = {
      steps: new Set(points.map(({ step }) => step)).size,
      points: points.length,
      deaths,
      'longest recovery, ms': Math.ceil(slowest),
    };
    return { figures, violations };
  },
};
