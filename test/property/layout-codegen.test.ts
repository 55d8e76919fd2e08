// Source text for peers: compilers and interpreters that are at hand must accept it, with its own checks of sizes and offsets.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codegen, type PeerLanguage } from '../../src/layout/codegen.ts';
import { array, bits, bytes, enumOf, pad } from '../../src/layout/composites.ts';
import {
  be,
  bool,
  f64,
  filetime,
  i32,
  longBool,
  tDateTime,
  u16,
  u32,
  u64,
  u8,
  unixMs,
} from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char, char16, char32, shortString, utf8 } from '../../src/layout/text-types.ts';
import type { Fields, Layout } from '../../src/layout/types.ts';
import { layoutsWithRecords } from '../support/layout-arbitraries.ts';

const Everything = struct('Everything', {
  int: u8, while: be(u16), class: i32, 'odd name': u32, 'odd-name': u32, INT: u8,
  mode: enumOf(u8, { Idle: 0, Run: 1 }), wideMode: enumOf(u64, { Top: 2n ** 63n }), flags: bits(u16, { ready: 1, level: 3 }),
  yes: bool, delphi: longBool, at: filetime, day: tDateTime, ms: unixMs,
  name: utf8(12), ansi: char(7, { encoding: 'gbk' }), wide: char16(5), wider: char32(3), short: shortString(15), raw: bytes(3),
  _spare: pad(5), point: struct('Point', { x: f64, y: f64 }, { pack: 4 }), list: array(struct('Point', { x: u16 }), 3), grid: array(array(u16, 2), 3),
  value: union('Value', { real: f64, word: u64, raw: bytes(9) }),
}); // prettier-ignore
const Pinned = struct('Pinned', { a: u8, b: u32, c: u64 }, { offsets: { b: 5, c: 16 }, size: 30 });

const available = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

/** Runs a compiler or interpreter over a source file; gives what it says. */
function verdict(extension: string, source: string, command: string, args: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'codegen-'));
  try {
    const file = join(folder, `source.${extension}`);
    writeFileSync(file, source);
    const { status, stderr } = spawnSync(command, [...args, file], { cwd: folder, encoding: 'utf8' });
    return status === 0 ? 'accepted' : `${command}: ${stderr}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const JUDGES: readonly (readonly [
  language: PeerLanguage,
  extension: string,
  command: string,
  args: readonly string[],
])[] = [
  ['c', 'h', 'gcc', ['-std=c11', '-Wall', '-Werror', '-fsyntax-only', '-x', 'c']],
  ['c', 'h', 'g++', ['-std=c++11', '-fsyntax-only', '-x', 'c++']],
  ['python', 'py', 'python3', []],
  ['rust', 'rs', 'rustc', ['--edition=2021', '--crate-type=lib', '--emit=metadata', '--out-dir=.']],
];

describe.each(JUDGES)('%s source, judged: .%s by %s', (language, extension, command, args) => {
  const judge = (layout: Layout): string => verdict(extension, codegen(layout, language), command, args);

  test.skipIf(!available(command))('declares every kind of field, pins and packs included', () => {
    expect(judge(Everything)).toBe('accepted');
    expect(judge(Pinned)).toBe('accepted');
  });

  test.skipIf(!available(command))('declares arbitrary layouts', () => {
    const layouts = fc
      .sample(layoutsWithRecords, { numRuns: 12, seed: 7 })
      .map(({ layout }) => layout.on('linux64'));
    for (const layout of layouts) expect(judge(layout)).toBe('accepted');
  });

  test.skipIf(!available(command))('is refused if a size is not the one it says', () => {
    const source = codegen(Pinned, language).replaceAll(/== 30\b/g, '== 31');
    expect(verdict(extension, source, command, args)).not.toBe('accepted');
  });
});

describe('source text', () => {
  test.each<readonly [PeerLanguage, RegExp]>([
    ['pascal', /Pinned = packed record[\s\S]*a: Byte;[\s\S]*\{\$IF SizeOf\(Pinned\) <> 30\}/],
    [
      'csharp',
      /\[StructLayout\(LayoutKind\.Explicit, Size = 30, Pack = 1\)\][\s\S]*\[FieldOffset\(5\)\] public uint b;/,
    ],
  ])('%s states its size and offsets', (language, wanted) => {
    expect(codegen(Pinned, language)).toMatch(wanted);
    expect(codegen(Everything, language).length).toBeGreaterThan(500);
  });

  test('names cannot break out of it', () => {
    const names = [
      '*/ int main() { system("x"); } /*',
      '"; drop',
      '\n#include "/etc/passwd"',
      '{$I evil}',
      "'",
      '//',
      '\\',
      '"""',
      '💥',
    ];
    const layout = struct<Fields>(names.join(''), Object.fromEntries(names.map((name) => [name, u8])));
    for (const language of ['c', 'pascal', 'python', 'csharp', 'rust'] as const) {
      const source = codegen(layout, language);
      expect(source).not.toMatch(/#include "\/|int main\(|\{\$I e|💥/);
    }
  });

  test('another language is VALUE_TYPE', () => {
    for (const language of ['cobol', '__proto__', undefined]) {
      expect(() => codegen(Pinned, language as PeerLanguage)).toThrow(
        expect.objectContaining({ code: 'VALUE_TYPE' }),
      );
    }
  });
});
