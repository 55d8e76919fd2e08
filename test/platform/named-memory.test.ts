// Whose names a C program removes that shares memory with this library (native/named-memory.h), on Linux.
import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { joinSegment } from '../../src/index.ts';
import { compileNative } from '../support/native.ts';
import { isNamed, onWindows, pathOf, putForeign } from '../support/system.ts';
import { rmSync } from 'node:fs';

// The header is for Linux.
describe.skipIf(onWindows)('a C program that joins and leaves', () => {
  const [memory, mutex] = ['memory', 'mutex'].map((what) => `sharecord-test-peer-${process.pid}-${what}`) as [
    string,
    string,
  ];
  const run = (...more: string[]): string =>
    execFileSync(compileNative('memory-peer.c'), [memory, mutex, ...more], { encoding: 'latin1' }).trim();
  afterEach(() => {
    for (const name of [memory, mutex]) rmSync(pathOf(name), { force: true });
  });

  test('removes what it made', () => {
    expect(run()).toBe('1 1');
    expect([isNamed(memory), isNamed(mutex)]).toEqual([false, false]);
  });

  test('keeps memory that nobody used, as another program’s; a mutex says whose it is', () => {
    putForeign(memory, new Uint8Array(100));
    expect(run('crash')).toBe('0 1');
    expect([isNamed(memory), isNamed(mutex)]).toEqual([true, true]);
    expect(run()).toBe('0 0');
    expect([isNamed(memory), isNamed(mutex)]).toEqual([true, false]);
    // Nor does it make this library take the name for its own.
    joinSegment({ name: memory, size: 10 }).close();
    expect(isNamed(memory)).toBe(true);
  });

  test('leaves the name to a user of this library, who removes it', () => {
    const segment = joinSegment({ name: memory, size: 10 });
    expect(run()).toBe('0 1');
    expect(isNamed(memory)).toBe(true);
    segment.close();
    expect(isNamed(memory)).toBe(false);
  });
});
