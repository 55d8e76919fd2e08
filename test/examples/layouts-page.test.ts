// The snippets of docs/layouts.md run as one program and print what the comments beside them say; the tables name what is exported.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lookUpEncoding } from '../../src/layout/encoding.ts';
import * as sharecord from '../../src/index.ts';
import { ROOT } from './program.ts';

const page = readFileSync(`${ROOT}/docs/layouts.md`, 'utf8');
const code = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, snippet]) => snippet).join('\n');

test('the snippets print what they say', () => {
  const said = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
  expect(said.length).toBe(code.split('console.log(').length - 1);
  expect(said.length).toBeGreaterThan(8);
  const child = spawnSync(
    process.execPath,
    ['--conditions=@sharecord/source', '--input-type=module-typescript', '--eval', code],
    { cwd: ROOT, encoding: 'utf8', timeout: 60_000 },
  );
  expect(child.stderr).toBe('');
  expect(child.stdout.trimEnd().split('\n')).toEqual(said);
});

test('every type that the page lists is exported, and every exported type is listed', () => {
  const table = /## Types\n([^]*?)\n## /.exec(page)?.[1] ?? '';
  const listed = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) =>
    [...(cell ?? '').matchAll(/`([^`]*)`/g)].flatMap(([, text]) =>
      (text ?? '').replace(/\(.*/, '').split(' '),
    ),
  );
  const others =
    /^(create|join|open|waitFor|list|byteLength|codegen|[A-Z]|namedMutex|robustMutex|seqlock|versionPair|unguarded)/;
  expect(listed.toSorted()).toEqual(
    Object.keys(sharecord)
      .filter((name) => !others.test(name))
      .toSorted(),
  );
});

test('every Windows number of the page is known', () => {
  const list = /^Windows numbers: ([^]*?)\n\n/m.exec(page)?.[1] ?? '';
  const numbers = [...list.matchAll(/\b(?!8859|2022|18030)(\d{3,5})\b/g)].map(([, digits]) => Number(digits));
  expect(numbers.length).toBeGreaterThan(20);
  for (const number of numbers) expect(lookUpEncoding(number), String(number)).toBeDefined();
});
