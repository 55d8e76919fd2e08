// Compiles generated Pascal and C# into programs that print the size of every record and the offset of every field, in order.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const available = (command: string): boolean => spawnSync(command, ['--version']).status !== null;

function run(folder: string, command: string, args: readonly string[]): string {
  // Mono would keep a file in /dev/shm for as long as it runs, and for ever when it is killed.
  const env = { ...process.env, MONO_DISABLE_SHARED_AREA: '1' };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stdout}${stderr}`);
  return stdout;
}

function inFolder(files: Readonly<Record<string, string>>, work: (folder: string) => string): string {
  const folder = mkdtempSync(join(tmpdir(), 'codegen-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const numbersOf = (text: string): number[] => text.trim().split(/\s+/).map(Number);

/** Sizes and offsets as the C source states them: per record its size, then its fields. */
export const statedByC = (source: string): number[] =>
  [...source.matchAll(/(?:sizeof|offsetof)\(.*?\) == (\d+)/g)].map(([, value]) => Number(value));

/** Has Free Pascal compile a unit and a program that uses it. */
export function foundByPascal(source: string): number[] {
  const unit = /^unit (\w+);$/m.exec(source)?.[1] ?? '';
  const records = [...source.matchAll(/^ {2}(\w+) = packed record\n([\s\S]*?)^ {2}end;$/gm)];
  const lines = records.flatMap(([, name, body]) => [
    `writeln(SizeOf(${name}));`,
    ...[...(body as string).matchAll(/^(?: {4}| {6}\d+: \()(\w+): /gm)].map(
      ([, field]) => `writeln(PtrUInt(@v_${name}.${field}) - PtrUInt(@v_${name}));`,
    ),
  ]);
  const program = [
    '{$MODE DELPHI}',
    'program offsets;',
    `uses ${unit};`,
    'var',
    ...records.map(([, name]) => `  v_${name}: ${unit}.${name};`),
    'begin',
    ...lines,
    'end.',
  ].join('\n');
  return inFolder({ [`${unit.toLowerCase()}.pas`]: source, 'offsets.pas': program }, (folder) => {
    run(folder, 'fpc', ['-l-', '-v0e', 'offsets.pas']);
    return run(folder, join(folder, 'offsets'), []);
  })
    .split(/(?<=\n)/)
    .flatMap(numbersOf);
}

/** What C# 12 brings and older compilers lack; here it only keeps its number. */
const INLINE_ARRAY = `
namespace System.Runtime.CompilerServices {
  [System.AttributeUsage(System.AttributeTargets.Struct)]
  class InlineArrayAttribute : System.Attribute {
    public readonly int Length;
    public InlineArrayAttribute(int length) { Length = length; }
  }
}`;

/** Has Mono compile the structs and a program that looks at them. Its own inline arrays are one element long, so only offsets and sizes count. */
export function foundByCSharp(source: string): number[] {
  const records = [...source.matchAll(/^public struct (\w+)\n\{\n([\s\S]*?)^\}$/gm)];
  const lines = records.flatMap(([, name, body]) => [
    `{ ${name} r = default(${name}); System.Console.WriteLine(sizeof(${name}));`,
    ...[...(body as string).matchAll(/\[FieldOffset\(\d+\)\] public \S+ (\w+);/g)].map(
      ([, field]) => `System.Console.WriteLine((long)((byte*)&r.${field} - (byte*)&r));`,
    ),
    '}',
  ]);
  const program = `${source}\nstatic class OffsetsProgram { static unsafe void Main() {\n${lines.join('\n')}\n} }\n${INLINE_ARRAY}`;
  return numbersOf(
    inFolder({ 'offsets.cs': program }, (folder) => {
      run(folder, 'mcs', ['-unsafe', '-nowarn:169,649', 'offsets.cs']);
      return run(folder, 'mono', ['offsets.exe']);
    }),
  );
}
