// C compilers as oracles, one for each ABI. Nothing that they make is run: what they laid out is read out of the object file, so that
// those for Windows can be asked on Linux.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Abi } from '../../src/layout/abi.ts';

interface Compiler {
  readonly command: string;
  readonly flags: readonly string[];
  readonly objcopy: string;
}

/** Maps each ABI to the compiler that is asked about it. */
export const COMPILERS: Readonly<Record<Abi, Compiler>> = {
  linux64: { command: 'gcc', flags: [], objcopy: 'objcopy' },
  linux32: { command: 'gcc', flags: ['-m32'], objcopy: 'objcopy' },
  win64: { command: 'x86_64-w64-mingw32-gcc', flags: [], objcopy: 'x86_64-w64-mingw32-objcopy' },
  win32: { command: 'i686-w64-mingw32-gcc', flags: [], objcopy: 'i686-w64-mingw32-objcopy' },
};

/** Tells whether the compiler of an ABI is there and accepts `source`. */
export function compiles(abi: Abi, source: string): boolean {
  const { command, flags } = COMPILERS[abi];
  return spawnSync(command, [...flags, '-fsyntax-only', '-xc', '-'], { input: source }).status === 0;
}

/** Runs a compiler in a folder of its own, which `read` may look at; gives the complaints where there are any. */
function compile<R>(
  abi: Abi,
  source: string,
  args: readonly string[],
  read: (folder: string) => R,
): R | { readonly complaints: string } {
  const folder = mkdtempSync(join(tmpdir(), 'layouts-'));
  const { command, flags } = COMPILERS[abi];
  try {
    writeFileSync(join(folder, 'source.c'), source);
    const { status, stderr } = spawnSync(command, [...flags, ...args, 'source.c'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return status === 0 ? read(folder) : { complaints: stderr || `${command} ended with ${status}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Has a compiler check a source; gives its complaints, '' for none. */
export function complaintsAbout(abi: Abi, source: string, args: readonly string[]): string {
  const outcome = compile(abi, source, ['-fsyntax-only', ...args], () => '');
  return typeof outcome === 'string' ? outcome : outcome.complaints;
}

const SECTION = 'images';
/** Declares a constant object whose bytes `imageOf` gives. */
export const IMAGE = `__attribute__((section("${SECTION}"), used))`;

/** Gives the bytes of the constant that the source declares with `IMAGE`. @throws Error with what the compiler complains about */
export function imageOf(abi: Abi, source: string, args: readonly string[] = []): Uint8Array<ArrayBuffer> {
  const { objcopy } = COMPILERS[abi];
  const outcome = compile(abi, source, ['-c', '-w', '-o', 'object.o', ...args], (folder) => {
    const { status, stderr } = spawnSync(
      objcopy,
      [
        '-O',
        'binary',
        '-j',
        SECTION,
        '--set-section-flags',
        `${SECTION}=alloc,contents`,
        'object.o',
        'image',
      ],
      { cwd: folder, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    return new Uint8Array(readFileSync(join(folder, 'image')));
  });
  if ('complaints' in outcome) throw new Error(outcome.complaints);
  return outcome;
}
