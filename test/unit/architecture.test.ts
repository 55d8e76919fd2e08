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

/** What a source asks for: by a declaration, for its effects, by a call, or as a type. A name that is worked out is given as its expression. */
const importsOf = (text: string): string[] =>
  [
    ...text.matchAll(/\bfrom\s*['"]([^'"]+)['"]/g),
    ...text.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm),
    ...text.matchAll(/\b(?:import|require|getBuiltinModule)\s*\(\s*['"`]?([^'"`)]+)/g),
  ].map(([, from]) => from as string);

test('one file reads process.platform', () => {
  expect(filesWith(/process\.platform\b/)).toEqual(['platform/select.ts']);
});

test('one file turns text into code', () => {
  expect(filesWith(/new Function\b|\beval\(|compileFunction/)).toEqual(['layout/evaluate.ts']);
});

test('layouts import nothing but errors and each other', () => {
  for (const { file, text } of sources.filter(({ file: name }) => name.startsWith('layout/'))) {
    for (const from of importsOf(text)) expect(from, file).toMatch(/^(\.\/[a-z0-9-]+|\.\.\/errors)\.ts$/);
  }
});

test('every form of an import is seen', () => {
  const forms = [
    "import { a } from 'one';",
    "export * from 'two';",
    "import 'three';",
    "const b = await import('four');",
    "const c = require('five');",
    'import { d } from "six";',
    'const e = import(`seven`);',
    "type F = import('eight').F;",
    'const g = import(name);',
    "const h = process.getBuiltinModule('nine');",
  ];
  expect(forms.flatMap(importsOf)).toEqual(
    ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'name', 'nine'], // prettier-ignore
  );
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
