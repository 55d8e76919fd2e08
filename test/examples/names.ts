// Names of memory that a test of the examples uses, and that are gone when it is over.
import { randomUUID } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { isNamed, onWindows, pathOf } from '../support/system.ts';

/** Gives a name of this test alone; what is left under it and the names derived from it fails the test, and is removed. */
export function uniqueName(derived: (name: string) => readonly string[]): string {
  const name = `sharecord-test-example-${randomUUID()}`;
  onTestFinished(() => {
    const left = [name, ...derived(name)].filter(isNamed);
    if (!onWindows) for (const each of left) unlinkSync(pathOf(each));
    expect(left).toEqual([]);
  });
  return name;
}
