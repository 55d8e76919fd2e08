// The modes of a mapping: our program and a native one show the same.
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { isNamed } from '../support/system.ts';
import { type LinePeer, startExample, startProgram } from './line-peer.ts';
import { nativePeer } from './native-peer.ts';

const NATIVE = nativePeer('modes', 'modes');
const uniqueName = (): string => `sharecord-test-modes-${randomUUID()}`;

const steps = (title: string): string[] => [
  `${title}: created, 65536 bytes of zeros`,
  `${title}: a second create is refused, it exists`,
  `${title}: a read-only view shows 1`,
  `${title}: writing through it is refused`,
  `${title}: a read-write view writes 2, the others show 2 and 2`,
  `${title}: a copy-on-write view has 3 for itself, the others show 2`,
];
const EXPECTED = [
  ...steps('memory'),
  'memory: closed by all, it is gone',
  ...steps('file'),
  'file: after a flush the file has 2',
  'file: closed by all, the file has 2',
];

/** Checks all that a program printed. How much it has loaded is a measurement: near 0, a half and all. */
async function check(program: LinePeer): Promise<void> {
  const code = await program.end();
  const lines = [...program.lines];
  const last =
    /^128 MiB of zeros, sum 0: (\d+) % loaded, (\d+) % after reading half, (\d+) % after reading all$/.exec(
      lines.pop() ?? '',
    );
  expect({ code, errors: program.errors, lines }).toEqual({ code: 0, errors: [], lines: EXPECTED });
  const [atFirst, half, all] = last!.slice(1).map(Number) as [number, number, number];
  expect(atFirst).toBeLessThanOrEqual(20);
  expect(Math.abs(half - 50)).toBeLessThanOrEqual(20);
  expect(Math.abs(all - 100)).toBeLessThanOrEqual(20);
}

test('our program walks through all modes and leaves no name', async () => {
  const name = uniqueName();
  await check(startExample('modes/modes.ts', [name]));
  expect(isNamed(name)).toBe(false);
});

test.skipIf(NATIVE === undefined)(
  'a native program that does the same prints the same (left out where none was compiled)',
  async () => {
    const name = uniqueName();
    await check(startProgram(NATIVE as string, [name]));
    expect(isNamed(name)).toBe(false);
  },
);
