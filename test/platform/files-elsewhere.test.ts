// Files on file systems that have no files without a name: made under a name of their own that nobody takes for a segment.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { NATIVE_FOLDER } from '../support/native.ts';

const script = fileURLToPath(new URL('./file-child.ts', import.meta.url));

test.each([
  ['with nameless files', false],
  ['without nameless files', true],
])('a file system %s makes, keeps and removes the same files', (_, without) => {
  const folder = mkdtempSync(join(tmpdir(), 'sharecord-test-elsewhere-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const library = join(folder, 'no-tmpfile.so');
  const source = join(NATIVE_FOLDER, 'no-tmpfile.c');
  execFileSync('gcc', [
    '-std=c11',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-shared',
    '-fPIC',
    '-o',
    library,
    source,
  ]);
  // The control: with the library loaded the first way is really barred.
  const opens = `require('fs').closeSync(require('fs').openSync('${folder}', 0o20200002))`;
  const env = { ...process.env, NODE_OPTIONS: '', ...(without ? { LD_PRELOAD: library } : {}) };
  expect(spawnSync(process.execPath, ['-e', opens], { env }).status).toBe(without ? 1 : 0);

  const data = mkdtempSync(join(folder, 'data-'));
  const child = spawnSync(process.execPath, ['--conditions=@sharecord/source', script, data], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  });
  expect(child.stderr).toBe('');
  expect(child.stdout).toBe('[1,5,"SEGMENT_EXISTS",1,"SEGMENT_LIMIT",0]\n');
});
