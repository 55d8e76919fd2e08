// The steps of the protocol have the same names in docs/protocol.md, in the sources and in the models of test/protocol. What only
// two of them have is listed here, with the reason.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { namedSteps } from '../torture/named-steps.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/protocol.md', root), 'utf8');
const rows = [...page.matchAll(/^\| `([a-z ]+)` \| (\d+) to (\d+) \|/gm)];
const numbered = (name: string, first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => `${name} ${first + i}`);
const onPage = new Set(rows.flatMap(([, name, first, last]) => numbered(name!, Number(first), Number(last))));

/** Steps that have no comment in the sources. */
const NOT_IN_SOURCES: Readonly<Record<string, string>> = {
  'join 5': 'is gate 2',
  'close 4': 'is remove 1 to 3',
  'close 5': 'is gate 2',
  'write 6': 'is announce 1',
  'seqlock write 7': 'is announce 1',
  'change 1': 'is acquire 1 to 6',
  'change 2': 'is finish 1 to 5',
  'change 3': 'is find 1 to 4',
  'change 5': 'is insert 1 to 3 or delete 1',
  'change 6': 'is finish 1 to 5',
};

/** Steps that no model has. */
const NOT_IN_MODELS: Readonly<Record<string, string>> = {
  'close 1': 'inside one thread',
  'close 6': 'inside one process',
  'write 6': 'the models of guards end with the unlock; watch.pml begins with the publish',
  'seqlock write 7': 'the same',
  'watch 0': 'watchers of watch.pml listen from the beginning',
  'watch 1': 'a look that delivers what is there, or leaves all to watch 3, which is the same look',
  'change 5': 'is insert 1 to 3 or delete 1, which map.pml has',
  'change 6': 'is finish 1 to 5, which map.pml has',
  'finish 2': 'map.pml has no generations',
  'rebuild 2': 'map.pml counts no filled words: it makes the index anew whenever it likes',
  'lock 1': 'a lock of Windows is one step of the models, as every kernel lock',
  'lock 2': 'the same',
  'unlock 1': 'the same',
  'unlock 2': 'the same',
  'probe 1': 'latch.pml has the three as two steps (PROBE_TAKES)',
  'probe 2': 'the same',
  'probe 3': 'the same',
  'presence 1': 'tells listSegments of an open, nobody else',
  'presence 2': 'the same',
  'listen 1': 'the bell of watch.pml is one that every listener hears',
  'listen 2': 'the same',
  'listen 3': 'the same',
  'stop listening 1': 'the same',
  'stop listening 2': 'the same',
  'ring 1': 'the same',
  'ring 2': 'the same',
};

const missing = (found: ReadonlySet<string>): string[] =>
  [...onPage].filter((step) => !found.has(step)).toSorted();
const unknown = (found: ReadonlySet<string>): string[] =>
  [...found].filter((step) => !onPage.has(step)).toSorted();

test('each step on the page is in the sources, but for those that are steps of another name', () => {
  // What stands behind a comma is a part of a step.
  const found = new Set(namedSteps().map(({ step }) => step.replace(/,.*/, '')));
  expect(unknown(found)).toEqual([]);
  expect(missing(found)).toEqual(Object.keys(NOT_IN_SOURCES).toSorted());
});

test('each step on the page is in the models, but for those that they leave out', () => {
  // The longest names first: `seqlock write` is not `write`.
  const names = rows.map(([, name]) => name!).toSorted((a, b) => b.length - a.length);
  const cited = new RegExp(`\\b(${names.join('|')}) (\\d+)(?: to (\\d+)|, (\\d+)\\b)?`, 'g');
  const found = new Set<string>();
  for (const file of readdirSync(new URL('test/protocol/', root))) {
    if (!file.endsWith('.pml')) continue;
    const model = readFileSync(new URL(`test/protocol/${file}`, root), 'utf8');
    // Create and join of Windows have numbers of their own on the page, and no row.
    if (file === 'section.pml') continue;
    for (const [comment] of model.matchAll(/\/\*[^]*?\*\//g))
      for (const [, name, first, last, next] of comment.matchAll(cited))
        for (const step of numbered(name!, Number(first), Number(last ?? next ?? first))) found.add(step);
  }
  expect(unknown(found)).toEqual([]);
  expect(missing(found)).toEqual(Object.keys(NOT_IN_MODELS).toSorted());
});
