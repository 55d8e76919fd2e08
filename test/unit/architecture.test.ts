// The rules of the house that a linter cannot see, read from the sources.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';

const root = new URL('../../', import.meta.url);
const sources = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(new URL(`src/${file}`, root), 'utf8') }));

const filesWith = (pattern: RegExp): string[] =>
  sources
    .filter(({ text }) => pattern.test(text.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '')))
    .map(({ file }) => file);

test('one file reads process.platform', () => {
  expect(filesWith(/process\.platform\b/)).toEqual(['platform/select.ts']);
});

test('one file turns text into code', () => {
  expect(filesWith(/new Function\b|\beval\(|compileFunction/)).toEqual(['layout/evaluate.ts']);
});

test('layouts import nothing but errors and each other', () => {
  for (const { file, text } of sources.filter(({ file: name }) => name.startsWith('layout/'))) {
    const imports = [...text.matchAll(/from '([^']+)'/g)].map(([, from]) => from as string);
    for (const from of imports) expect(from, file).toMatch(/^(\.\/[a-z0-9-]+|\.\.\/errors)\.ts$/);
  }
});

test('every file says what it owns', () => {
  for (const { file, text } of sources) expect(text, file).toMatch(/^(#!.*\n)?(\/\/|\/\*)/);
});

test('no file awaits at its top level', () => {
  for (const { file, text } of sources) expect(text, file).not.toMatch(/^await /m);
});

test('docs/errors.md has one row for each code and none besides', () => {
  const documented = [
    ...readFileSync(new URL('docs/errors.md', root), 'utf8').matchAll(/^\| `([A-Z_]+)` /gm),
  ].map(([, code]) => code);
  const codes = new Set<string | undefined>(Object.values(ERROR_CODES).flat());
  expect(new Set(documented)).toEqual(codes);
  expect(documented).toHaveLength(codes.size);
});
