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
import { available, foundByCSharp, foundByPascal, statedByC } from '../support/peer-offsets.ts';
import { PROGRAMS } from '../support/published-programs.ts';
import { withCode } from '../support/with-code.ts';

const Everything = struct('Everything', {
  int: u8, while: be(u16), class: i32, 'odd name': u32, 'odd-name': u32, INT: u8,
  mode: enumOf(u8, { Idle: 0, Run: 1 }), wideMode: enumOf(u64, { Top: 2n ** 63n }), flags: bits(u16, { ready: 1, level: 3 }),
  yes: bool, delphi: longBool, at: filetime, day: tDateTime, ms: unixMs,
  name: utf8(12), ansi: char(7, { encoding: 'gbk' }), wide: char16(5), wider: char32(3), short: shortString(15), raw: bytes(3),
  _spare: pad(5), point: struct('Point', { x: f64, y: f64 }, { pack: 4 }), list: array(struct('Point', { x: u16 }), 3), grid: array(array(u16, 2), 3),
  value: union('Value', { real: f64, word: u64, raw: bytes(9) }),
}); // prettier-ignore
const Pinned = struct('Pinned', { a: u8, b: u32, c: u64 }, { offsets: { b: 5, c: 16 }, size: 30 });

/** Records that programs publish, one behind the other. */
const Programs = struct<Fields>(
  'Programs',
  Object.fromEntries(PROGRAMS.map(([, type, layout]) => [type, layout])),
);

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

  test.skipIf(!available(command))(
    'declares every kind of field, pins and packs included, and published records',
    () => {
      expect(judge(Everything)).toBe('accepted');
      expect(judge(Pinned)).toBe('accepted');
      expect(judge(Clashing)).toBe('accepted');
      expect(judge(Programs)).toBe('accepted');
    },
  );

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

// Names that are types, fields and constants at once, and that differ in case only.
const Clashing = struct('Point', {
  point: struct('Point', { Size: u8, POINT: u16, x: enumOf(u8, { y: 1 }), point_2_x_y: u8 }),
  POINT_2: array(struct('point', { first: u32 }), 2),
  PointLayout: struct('PointLayout', { Point_2: u8, program: u8, Value: u8 }),
  other: struct('x', { x: u8 }), x: u8, X: u8, result: u8,
}); // prettier-ignore

describe.each<readonly [PeerLanguage, string, (source: string) => number[]]>([
  ['pascal', 'fpc', foundByPascal],
  ['csharp', 'mono', foundByCSharp],
])('%s source, compiled and run by %s', (language, command, found) => {
  const compilerIsHere = available(command) && (command !== 'mono' || available('mcs'));
  const check = (layout: Layout): void => {
    expect(found(codegen(layout, language))).toEqual(statedByC(codegen(layout, 'c')));
  };

  test.skipIf(!compilerIsHere)(
    'has the sizes and offsets of every kind of field, and of published records',
    () => {
      check(Everything);
      check(Pinned);
      check(Clashing);
      check(Programs);
      check(Programs.on('win32'));
    },
  );

  test.skipIf(!compilerIsHere)('has the sizes and offsets of arbitrary layouts', () => {
    for (const { layout } of fc.sample(layoutsWithRecords, { numRuns: 12, seed: 11 })) check(layout);
  });

  test.skipIf(!compilerIsHere)('shows a field that is elsewhere', () => {
    const stated = statedByC(codegen(Pinned, 'c'));
    expect(stated).toEqual([30, 0, 1, 5, 9, 16, 24]);
    const source = codegen(Pinned, language);
    const moved = source.replace('[FieldOffset(5)]', '[FieldOffset(6)]').replace('<> 30', '<> 31');
    expect(moved).not.toBe(source);
    const outcome = (): unknown => found(moved);
    if (language === 'pascal') expect(outcome).toThrow('size of Pinned');
    else expect(outcome()).not.toEqual(stated);
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
      expect(() => codegen(Pinned, language as PeerLanguage)).toThrow(withCode('VALUE_TYPE'));
    }
  });
});
