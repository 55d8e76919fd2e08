// What a campaign is: a long form of a race test, repeatable by its seed, that tells figures and violations.
import type { Household } from '../support/household.ts';

/** Numbers below a limit, the same for the same seed (mulberry32). */
export class Chance {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** 0 to 1, 1 excluded. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** A seed for somebody else's choices. */
  seedOfPeer(): number {
    return this.below(2 ** 31);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  shuffle<T>(values: readonly T[]): T[] {
    const shuffled = [...values];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
    }
    return shuffled;
  }
}

/** What a campaign works with. */
export interface Run {
  readonly house: Household;
  readonly chance: Chance;
  /** `performance.now()` at which it should come to its end; a round that has begun is finished. */
  readonly deadline: number;
  /** True if the machine had processors to spare before the run: then what waits for one waits for the library. */
  readonly idleBefore: boolean;
}

/** What a campaign found. */
export interface Findings {
  readonly figures: Readonly<Record<string, number | string>>;
  /** Empty if all that was promised held. */
  readonly violations: readonly string[];
}

/** One row of docs/guarantees.md. */
export interface Campaign {
  readonly name: string;
  readonly promise: string;
  run(run: Run): Promise<Findings>;
}

export const isOver = ({ deadline }: Run): boolean => performance.now() >= deadline;

/** Runs `work` over the items, so many at a time, until all are done or `ended` says so. */
export async function inLanes<T>(
  lanes: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
  ended: () => boolean = () => false,
): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined && !ended(); item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
