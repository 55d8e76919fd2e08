// What a row of the benchmark is, and the lines of the table that it gives.
import type { NativeLimit } from './native.ts';
import { quantile, type Rounds, type Sampling } from './sampling.ts';

/** What a figure of ours is held against. */
export interface Comparison {
  /** Name of the contender. */
  readonly name: string;
  /** Its median. */
  readonly value: number;
  /** `ratio`: ours divided by it; `faster`: it divided by ours; `more`: ours minus it. */
  readonly kind: 'ratio' | 'faster' | 'more';
  readonly figure: number;
  /** Quartiles of the same over the rounds. */
  readonly low: number;
  readonly high: number;
  /** The target: the highest ratio or difference, the lowest `faster`. */
  readonly limit?: number | undefined;
}

/** One line of the table. */
export interface Line {
  readonly operation: string;
  readonly unit: 'ns' | 'µs';
  readonly ours: number;
  /** Against hand-written JavaScript, or another store. */
  readonly script?: Comparison | undefined;
  /** Against C. */
  readonly native?: Comparison | undefined;
  /** Every figure of every contender. */
  readonly rounds: Readonly<Record<string, readonly number[]>>;
}

/** What a row has to work with. */
export interface Bench {
  readonly sampling: Sampling;
  readonly quick: boolean;
  readonly large: boolean;
  /** Undefined where no C compiler was found. */
  readonly native: NativeLimit | undefined;
}

/** One idea. Each variant is measured in a process of its own, so that none changes what the engine knows about another's code. */
export interface Row {
  readonly variants: readonly string[];
  run(bench: Bench, variant: string): Promise<readonly Line[]>;
}

interface Opponent {
  /** Contenders; the fastest of them counts. */
  readonly names: readonly string[];
  readonly limit?: number | undefined;
  readonly kind?: Comparison['kind'];
}

const FIGURES: Readonly<Record<Comparison['kind'], (ours: number, other: number) => number>> = {
  ratio: (ours, other) => ours / other,
  faster: (ours, other) => other / ours,
  more: (ours, other) => ours - other,
};

function against(
  rounds: Rounds,
  ours: string,
  { names, limit, kind = 'ratio' }: Opponent,
): Comparison | undefined {
  const present = names.filter((name) => rounds.figures.has(name));
  if (present.length === 0) return undefined;
  const name = rounds.fastest(present);
  const figureOf = FIGURES[kind];
  const others = rounds.of(name);
  const each = rounds.of(ours).map((value, round) => figureOf(value, others[round] as number));
  return {
    name,
    value: rounds.median(name),
    kind,
    figure: figureOf(rounds.median(ours), rounds.median(name)),
    low: quantile(each, 0.25),
    high: quantile(each, 0.75),
    limit,
  };
}

/** Makes a line of the table from what was measured. */
export function lineOf(
  operation: string,
  rounds: Rounds,
  ours: string,
  opponents: { readonly script?: Opponent; readonly native?: Opponent; readonly unit?: Line['unit'] } = {},
): Line {
  const { script, native, unit = 'ns' } = opponents;
  return {
    operation,
    unit,
    ours: rounds.median(ours),
    script: script === undefined ? undefined : against(rounds, ours, script),
    native: native === undefined ? undefined : against(rounds, ours, native),
    rounds: Object.fromEntries(rounds.figures),
  };
}

/** Tells whether the target was reached; undefined where there is none. */
export function isReached({ kind, figure, limit }: Comparison): boolean | undefined {
  if (limit === undefined) return undefined;
  return kind === 'faster' ? figure >= limit : figure <= limit;
}

/** Stops a benchmark whose sides do not do the same. */
export function requireEqual(what: string, ours: unknown, theirs: unknown): void {
  const show = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
  if (show(ours) !== show(theirs))
    throw new Error(`${what}: ours is ${show(ours)}, theirs is ${show(theirs)}`);
}
