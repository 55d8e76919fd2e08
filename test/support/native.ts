// Compiles the programs that tests run beside Node, in C and Pascal, once per content, into node_modules/.cache/native.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { onWindows } from './system.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cache = path.join(root, 'node_modules/.cache/native');
/** SHARECORD_CFLAGS adds flags, for instance "-fsanitize=address,undefined". */
const FLAGS = [
  '-std=c11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-pedantic',
  ...(process.env['SHARECORD_CFLAGS'] ?? '').split(' '),
].filter(Boolean);

/** Folder of the C sources. */
export const NATIVE_FOLDER = path.join(root, 'native');

const headersIn = (folder: string): readonly string[] =>
  fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.h'))
    .map((name) => path.join(folder, name));

/** Gives the path of the program that `build` makes of these sources; several processes may ask at once. */
function compileOnce(
  name: string,
  sources: readonly string[],
  flags: readonly string[],
  build: (draft: string) => void,
): string {
  const hash = createHash('sha256').update(flags.join(' '));
  for (const source of sources) hash.update(fs.readFileSync(source));
  const program = path.join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (fs.existsSync(program)) return program;
  fs.mkdirSync(cache, { recursive: true });
  // Renamed into place when it is complete: another process never runs half a program.
  const draft = `${program}.${process.pid}.${process.hrtime.bigint()}`;
  build(draft);
  fs.renameSync(draft, program);
  return program;
}

/** Gives the path of the program, or with `-shared` the library, made of a C file in `native/`, or at an absolute path, with gcc. */
export function compileNative(source: string, options: readonly string[] = []): string {
  // No compiler runs there: test/wine/run has made the program before.
  if (onWindows)
    return path.join(root, 'node_modules/.cache/windows/native', `${path.parse(source).name}.exe`);
  const file = path.resolve(NATIVE_FOLDER, source);
  const flags = [...FLAGS, ...options];
  const headers = new Set([NATIVE_FOLDER, path.dirname(file)].flatMap(headersIn));
  return compileOnce(path.parse(source).name, [file, ...headers], flags, (draft) =>
    execFileSync('gcc', [...flags, '-I', NATIVE_FOLDER, '-o', draft, file], {
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  );
}

/** Gives the path of the program made of a Pascal file with Free Pascal; its units lie beside it and in `folder`. */
export function compilePascal(file: string, folder: string): string {
  const folders = [path.dirname(file), folder];
  const sources = folders.flatMap((each) =>
    fs
      .readdirSync(each)
      .filter((name) => name.endsWith('.pas'))
      .map((name) => path.join(each, name)),
  );
  return compileOnce(path.parse(file).name, sources, [], (draft) => {
    const objects = `${draft}.objects`;
    fs.mkdirSync(objects);
    const units = folders.map((each) => `-Fu${each}`);
    execFileSync('ppcx64', ['-v0we', '-O2', `-FU${objects}`, ...units, `-o${draft}`, file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    fs.rmSync(objects, { recursive: true });
  });
}
