// The keys of a record that somebody wants written: what counts as given, and that all are known.
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

/** Tells whether a record names a field, itself or as a view or an instance does; what every object inherits does not count. */
export function gives(record: object, name: string): boolean {
  return name in record && (Object.hasOwn(record, name) || !(name in Object.prototype));
}

/** Copies what `record` gives of the fields `names`, and every other key that would be looked at. Each value is read once. */
export function copyGiven(record: object, names: readonly string[]): Record<string, unknown> {
  const keys = new Set(names.filter((name) => gives(record, name)));
  for (const key in record) keys.add(key);
  return Object.fromEntries([...keys].map((key) => [key, (record as Record<string, unknown>)[key]]));
}
