// The native peers of the examples: compiled by gcc and Free Pascal on Linux, and by test/wine/run before its tests begin.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compileNative, compilePascal } from '../support/native.ts';
import { ROOT } from './program.ts';

const onWindows = process.platform === 'win32';
const PEER = process.env['SHARECORD_WINDOWS_PEER'];

/** Gives the path of the peer `examples/<example>/native/<name>`; undefined where there is no compiler for it. */
export function nativePeer(example: string, name: string): string | undefined {
  if (!onWindows) {
    const source = join(ROOT, 'examples', example, 'native', name);
    const pascal = `${source}.pas`;
    return existsSync(pascal)
      ? compilePascal(pascal, join(dirname(pascal), 'linux'))
      : compileNative(`${source}-linux.c`);
  }
  const program = PEER === undefined ? undefined : join(dirname(PEER), `${name}.exe`);
  return program !== undefined && existsSync(program) ? program : undefined;
}
