// The snippets of docs/segments.md and docs/records.md run as one program each and print what the comments beside them say; the one
// about window messages runs on Windows alone.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { onWindows } from '../support/system.ts';
import { ROOT } from './program.ts';

const snippets = (page: string, language: string): string =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))]
    .map(([, snippet]) => snippet)
    .join('\n')
    // Names of this run, as long as those of the page's comments are not shown by the program.
    .replaceAll("'docs-", `'sharecord-test-${process.pid}-docs-`);

/** Runs a program and compares what it prints with the comments of its `console.log` lines. */
function check(code: string, type: string): void {
  const said = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
  expect(said.length).toBe(code.split(/(?<!=> )console\.log\(/).length - 1);
  expect(said.length).toBeGreaterThan(0);
  const child = spawnSync(
    process.execPath,
    ['--conditions=@sharecord/source', `--input-type=${type}`, '--eval', code],
    { cwd: ROOT, encoding: 'utf8', timeout: 60_000 },
  );
  expect(child.stderr).toBe('');
  const printed = child.stdout.trimEnd().replaceAll(`sharecord-test-${process.pid}-docs-`, 'docs-');
  expect(printed.split(/\r?\n/)).toEqual(said);
}

describe.each(['segments', 'records'])('docs/%s.md', (name) => {
  const page = readFileSync(join(ROOT, 'docs', `${name}.md`), 'utf8');

  test('has snippets that print what they say', () => check(snippets(page, 'ts'), 'module-typescript'));

  test('has links that lead somewhere', () => {
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link as string);
    for (const link of links) expect(existsSync(join(ROOT, 'docs', link)), link).toBe(true);
  });
});

test.skipIf(!onWindows)('window messages of docs/records.md come as it says (on Windows alone)', () => {
  const page = readFileSync(join(ROOT, 'docs', 'records.md'), 'utf8');
  check(snippets(page, 'js'), 'module');
});
