// The rule for the keys of a record that somebody wants written: all known, none undefined.
import { atStep, Fault, wrongType } from './fault.ts';

/** What is known about the keys of one record. */
export interface KeyRule {
  readonly what: string;
  readonly known: ReadonlySet<string>;
}

/** Makes the rule for records with these members. */
export function keyReader(what: string, members: readonly { readonly name: string }[]): KeyRule {
  return { what, known: new Set(members.map(({ name }) => name)) };
}

/** Gives `value` back as a record with known keys only. @throws Fault VALUE_TYPE */
export function checkKeys(value: unknown, { known }: KeyRule): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrongType('an object', value);
  for (const key in value) {
    if (!known.has(key)) throw atStep(new Fault('VALUE_TYPE', 'no such field'), key);
  }
  return value as Record<string, unknown>;
}
