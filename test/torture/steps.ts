// Campaign: kill -9 at every step of every scenario, again and again in another order.
import { type Campaign, inLanes, isOver } from './campaign.ts';
import { killAt } from './deaths.ts';
import { killMapAt, pointsOfFinishers, pointsOfMaps } from './map-scenarios.ts';
import { pointsOf, SCENARIOS, tracesOf } from './scenarios.ts';

const LANES = 2;

/** A place to die. */
interface Death {
  readonly step: string;
  readonly title: string;
  /** Gives how long the others were kept waiting, in milliseconds, where it was measured. */
  readonly die: (next: 'create' | 'join') => Promise<number | void>;
}

export const steps: Campaign = {
  name: 'steps',
  promise: 'a process killed at any step loses nothing, tears nothing, blocks nobody and leaves no name',
  async run(run) {
    const { house, chance } = run;
    const points: Death[] = [];
    const traces = await tracesOf(house, SCENARIOS);
    for (const scenario of SCENARIOS) {
      for (const point of pointsOf(scenario, traces.steps[scenario])) {
        const die = async (next: 'create' | 'join'): Promise<number> =>
          (await killAt(house, point, next)).recoveryMs;
        points.push({ step: point.step, title: `${scenario}, ${point.step}, pass ${point.pass}`, die });
      }
    }
    for (const point of [...(await pointsOfMaps(house)).points, ...(await pointsOfFinishers(house))]) {
      const { scenario, step, finisher } = point;
      const title = `map: ${scenario.title}, ${step}${finisher === undefined ? '' : `, then ${finisher.step}`}`;
      points.push({ step, title, die: () => killMapAt(house, point) });
    }
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
            slowest = Math.max(slowest, (await point.die(next)) ?? 0);
          } catch (error) {
            violations.push(`${point.title}: ${String(error)}`);
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
