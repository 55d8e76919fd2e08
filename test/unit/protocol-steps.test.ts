// The steps of the protocol have the same names in docs/protocol.md, in the sources and in the models of test/protocol. The page lists
// which steps are others under another name, and which are outside the models.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { namedSteps } from '../torture/named-steps.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/protocol.md', root), 'utf8');
const rows = [...page.matchAll(/^\| `([a-z ]+)` \| (\d+) to (\d+) \|/gm)];
const numbered = (name: string, first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => `${name} ${first + i}`);
const onPage = new Set(rows.flatMap(([, name, first, last]) => numbered(name!, Number(first), Number(last))));

/** The steps that a cell of a table spells, as `close 4` and `remove 1 to 3`. */
const spelled = (cell: string): string[] =>
  [...cell.matchAll(/`([a-z ]+) (\d+)(?: to (\d+))?`/g)].flatMap(([, name, first, last]) =>
    numbered(name!, Number(first), Number(last ?? first)),
  );
/** The rows of the page's table with that head, each with its two cells. */
function tableOf(head: string): readonly (readonly [string, string])[] {
  const [, below = ''] = page.split(`${head}\n|---|---|\n`);
  const [table = ''] = below.split('\n\n');
  return [...table.matchAll(/^\| (.+?) \| (.+) \|$/gm)].map(([, left, right]) => [left!, right!]);
}
const otherNames = new Map(
  tableOf('| step | is |').flatMap(([steps, is]) =>
    spelled(steps).map((step) => [step, spelled(is)] as const),
  ),
);
const outsideModels = tableOf('| outside the models | because |').flatMap(([steps]) => spelled(steps));

/** The steps that are in neither `found` nor, by their other names, wholly in it. */
const missing = (found: ReadonlySet<string>): string[] =>
  [...onPage].filter((step) => {
    const is = otherNames.get(step);
    return !found.has(step) && !is?.every((other) => found.has(other) || outsideModels.includes(other));
  });
const unknown = (found: ReadonlySet<string>): string[] => [...found].filter((step) => !onPage.has(step));

// The longest names first: `seqlock write` is not `write`.
const names = rows.map(([, name]) => name!).toSorted((a, b) => b.length - a.length);
/** A statement of a model with its step behind it. */
const STATEMENT = new RegExp(
  `^(?!#|\\s*/\\*).*\\S.*/\\* (${names.join('|')}) (\\d+)(?:, (\\d+)\\b)?(?=[ ,:]).*\\*/$`,
);

/** The steps beside the statements of a model, without those of its mutations. */
function stepsOf(model: string): string[] {
  const branches: { isMutation: boolean; readonly elseIsMutation: boolean }[] = [];
  return model.split('\n').flatMap((line) => {
    const [, directive, condition = ''] = /^#(ifdef|ifndef|if|elif|else|endif)\b(.*)/.exec(line) ?? [];
    const isUnless = directive === 'ifndef' || condition.includes('!defined');
    const isMutation = condition.includes('MUT_') && !isUnless;
    if (directive?.startsWith('if'))
      branches.push({ isMutation, elseIsMutation: condition.includes('MUT_') && isUnless });
    else if (directive === 'elif') branches.at(-1)!.isMutation = isMutation;
    else if (directive === 'else') branches.at(-1)!.isMutation = branches.at(-1)!.elseIsMutation;
    else if (directive === 'endif') branches.pop();
    const [, name, first, next] = STATEMENT.exec(line) ?? [];
    if (name === undefined || branches.some((branch) => branch.isMutation)) return [];
    return numbered(name, Number(first), Number(next ?? first));
  });
}

test('each step on the page is in the sources, by its own name or its other one', () => {
  // What stands behind a comma is a part of a step.
  const found = new Set(namedSteps().map(({ step }) => step.replace(/,.*/, '')));
  expect(unknown(found)).toEqual([]);
  expect([...onPage].filter((step) => !found.has(step)).toSorted()).toEqual(
    [...otherNames.keys()].toSorted(),
  );
  expect([...otherNames.values()].flat().filter((step) => !found.has(step))).toEqual([]);
});

test('each step on the page is beside a statement of a model, but for those that the page says are outside', () => {
  const models = readdirSync(new URL('test/protocol/', root)).filter((file) => file.endsWith('.pml'));
  const found = new Set(
    models.flatMap((file) => stepsOf(readFileSync(new URL(`test/protocol/${file}`, root), 'utf8'))),
  );
  expect(unknown(found)).toEqual([]);
  expect(missing(found).toSorted()).toEqual(outsideModels.toSorted());
});
