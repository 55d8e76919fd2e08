// Compiles the C programs that tests run beside Node, once per content, into node_modules/.cache/native.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

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

const HEADERS = ['sharecord.h', 'named-memory.h'].map((name) => path.join(NATIVE_FOLDER, name));

/**
 * Gives the path of the program, or with `-shared` the library, made of a C file in `native/`, or at an absolute path, with gcc;
 * several processes may ask at once.
 */
export function compileNative(source: string, options: readonly string[] = []): string {
  const file = path.resolve(NATIVE_FOLDER, source);
  const flags = [...FLAGS, ...options];
  const hash = createHash('sha256').update(flags.join(' '));
  for (const part of [file, ...HEADERS]) hash.update(fs.readFileSync(part));
  const program = path.join(cache, `${path.parse(source).name}-${hash.digest('hex').slice(0, 16)}`);
  if (fs.existsSync(program)) return program;
  fs.mkdirSync(cache, { recursive: true });
  // Renamed into place when it is complete: another process never runs half a program.
  const draft = `${program}.${process.pid}.${process.hrtime.bigint()}`;
  execFileSync('gcc', [...flags, '-I', NATIVE_FOLDER, '-o', draft, file], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  fs.renameSync(draft, program);
  return program;
}
