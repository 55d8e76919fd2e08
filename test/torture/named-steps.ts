// The steps that the sources name: `STEP` comments, each with the source that it stands in.
import { readdirSync, readFileSync } from 'node:fs';

const sources = new URL('../../src/', import.meta.url);

/** A step and its source, by the path in `src`. */
export interface NamedStep {
  readonly source: string;
  readonly step: string;
}

/** Gives all of them. */
export function namedSteps(): NamedStep[] {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts'));
  return files.flatMap((source) => {
    const text = readFileSync(new URL(source, sources), 'utf8');
    return [...text.matchAll(/^\s*\/\/ STEP: (.+)$/gm)].map(([, step]) => ({ source, step: step! }));
  });
}

/** Places of the steps, as a trace tells them, in rising order. */
export const placesOf = (steps: readonly NamedStep[]): string[] =>
  [...new Set(steps.map(({ source, step }) => `${source}: ${step}`))].toSorted();
