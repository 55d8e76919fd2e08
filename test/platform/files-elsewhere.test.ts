// Files on file systems that have no files without a name: made under a name of their own that nobody takes for a segment, and that
// does not stay when its maker is killed.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { until } from '../support/household.ts';
import { NATIVE_FOLDER } from '../support/native.ts';

const script = fileURLToPath(new URL('./file-child.ts', import.meta.url));
const SEEN = '[1,5,"SEGMENT_EXISTS",1,"SEGMENT_LIMIT",0]\n';
const { SIGKILL, SIGSTOP } = constants.signals;

let folder: string;
let library: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sharecord-test-elsewhere-'));
  library = join(folder, 'no-tmpfile.so');
  const source = join(NATIVE_FOLDER, 'no-tmpfile.c');
  const flags = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC'];
  execFileSync('gcc', [...flags, '-o', library, source]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const environment = (without: boolean, signalAtLink = 0): NodeJS.ProcessEnv => ({
  ...process.env,
  NODE_OPTIONS: '',
  ...(without ? { LD_PRELOAD: library } : {}),
  SIGNAL_AT_LINK: String(signalAtLink),
});
const run = (place: string, env: NodeJS.ProcessEnv): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, ['--conditions=@sharecord/source', script, place], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  });
const newPlace = (): string => mkdtempSync(join(folder, 'data-'));

test.each([
  ['with nameless files', false],
  ['without nameless files', true],
])('a file system %s makes, keeps and removes the same files', (_, without) => {
  const env = environment(without);
  // The control: with the library loaded the first way is really barred.
  const opens = `require('fs').closeSync(require('fs').openSync('${folder}', 0o20200002))`;
  expect(spawnSync(process.execPath, ['-e', opens], { env }).status).toBe(without ? 1 : 0);
  expect(run(newPlace(), env)).toMatchObject({ status: 0, stderr: '', stdout: SEEN });
});

test.each([
  ['before its file has its name', SIGKILL, ['UUID.sharecord-new']],
  ['after that', -SIGKILL, ['UUID.sharecord-new', 'data.bin']],
])('what a maker leaves that is killed %s, the next create removes', (_, signal, left) => {
  const place = newPlace();
  expect(run(place, environment(true, signal))).toMatchObject({ signal: 'SIGKILL', stdout: '' });
  const found = readdirSync(place).map((name) => name.replace(/^[\da-f-]{36}/, 'UUID'));
  expect(found.toSorted()).toEqual(left);
  expect(run(place, environment(true))).toMatchObject({ status: 0, stderr: '', stdout: SEEN });
  expect(readdirSync(place)).toEqual([]);
});

test('a file that is being made, or is of somebody else, is left alone', async () => {
  const place = newPlace();
  const [other, alike] = ['mine.sharecord-new', 'ABCDEFGH-0000-0000-0000-000000000000.sharecord-new'];
  for (const name of [other, alike]) writeFileSync(join(place, name), 'mine');
  const maker: ChildProcess = spawn(process.execPath, ['--conditions=@sharecord/source', script, place], {
    env: environment(true, SIGSTOP),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onTestFinished(() => void maker.kill('SIGKILL'));
  const stateOf = (): string | undefined =>
    / ([A-Z]) /.exec(readFileSync(`/proc/${maker.pid}/stat`, 'utf8'))?.[1];
  await until('the maker being stopped', () => stateOf() === 'T');
  const drafts = readdirSync(place).filter((name) => ![other, alike].includes(name));
  expect(drafts).toHaveLength(1);
  // A file of its own in the same folder.
  expect(run(place, environment(true)).stdout).toContain('SEGMENT_EXISTS');
  expect(readdirSync(place).toSorted()).toEqual([other, alike, ...drafts].toSorted());
  const ended = once(maker, 'exit');
  maker.kill('SIGCONT');
  const timer = setInterval(() => maker.kill('SIGCONT'), 20);
  expect(await ended).toEqual([0, null]);
  clearInterval(timer);
  expect(readdirSync(place).toSorted()).toEqual([alike, other].toSorted());
  for (const name of [other, alike]) expect(readFileSync(join(place, name), 'utf8')).toBe('mine');
});
