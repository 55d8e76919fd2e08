// Samples contenders in turn, A B C A B C …, so that a slow second of the machine falls on all of them; what counts is the
// ratio of their medians.
import { measure } from 'mitata';
import { QuietRound } from './quiet.ts';

/** How long to measure. */
export interface Sampling {
  readonly rounds: number;
  /** Per contender and round, in milliseconds. */
  readonly sampleMs: number;
  /** Per contender, in milliseconds: the optimising compiler works beside the program, and slowly where other programs want the machine. */
  readonly warmUpMs: number;
}

/** Gives one figure per call: nanoseconds, or microseconds where a row says so. */
export type Sampler = () => Promise<number>;

/** Does its operation `count` times. Results stay alive or are used, on both sides of a comparison the same way. */
export type Loop = (count: number) => unknown;

const NS_PER_MS = 1e6;
/** Operations per timed call: short enough for many samples, long enough for the clock not to count. */
const TIMED_CALL_MS = 0.5;
const FIRST_COUNT = 4096;
/** Disturbed rounds that are run again, per round wanted. */
const MOST_REPEATS = 2;

/** Makes a sampler of a loop: the median of many timed calls, per operation. */
export function timed(loop: Loop, { sampleMs }: Sampling): Sampler {
  let count = FIRST_COUNT;
  return async () => {
    const { p50 } = await measure(() => loop(count), {
      min_cpu_time: sampleMs * NS_PER_MS,
      batch_threshold: 0,
    });
    const perOperation = p50 / count;
    count = Math.max(
      FIRST_COUNT,
      Math.round((TIMED_CALL_MS * NS_PER_MS) / perOperation / FIRST_COUNT) * FIRST_COUNT,
    );
    return perOperation;
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Gives the value below which `part` of the values lie. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** One figure per contender and round. */
export class Rounds {
  readonly figures: ReadonlyMap<string, number[]>;

  constructor(names: readonly string[]) {
    this.figures = new Map(names.map((name) => [name, []]));
  }

  of(name: string): number[] {
    const found = this.figures.get(name);
    if (found === undefined) throw new Error(`no contender is called ${name}`);
    return found;
  }

  median(name: string): number {
    return median(this.of(name));
  }

  /** Gives the fastest of several ways to do the same. */
  fastest(names: readonly string[]): string {
    return names.toSorted((a, b) => this.median(a) - this.median(b))[0] as string;
  }
}

/**
 * Runs all contenders in turn, first until the compilers are done. A round that other programs disturbed is run again, as
 * long as the machine gives quiet ones; `alone` is false for contenders that keep other processes of ours busy.
 */
export async function compare(
  contenders: Readonly<Record<string, Sampler>>,
  { rounds, warmUpMs }: Sampling,
  { alone = true } = {},
): Promise<Rounds> {
  const entries = Object.entries(contenders);
  const result = new Rounds(Object.keys(contenders));
  const warmUntil = performance.now() + entries.length * warmUpMs;
  let done = 0;
  for (let tries = 0; done < rounds;) {
    const warm = performance.now() > warmUntil;
    const round = new QuietRound();
    const figures: number[] = [];
    for (const [, sample] of entries) {
      // oxlint-disable-next-line no-await-in-loop -- in turn is the point
      figures.push(await sample());
    }
    if (!warm) continue;
    if (alone && !round.wasQuiet() && tries++ < MOST_REPEATS * rounds) continue;
    entries.forEach(([name], i) => result.of(name).push(figures[i] as number));
    done++;
  }
  return result;
}
