// Which names a field may have: JavaScript keeps some for itself, and reorders those that look like array indices.
import { refuse } from './shape.ts';

const RESERVED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype', 'toJSON']);
const INTEGER_LIKE = /^(?:0|[1-9]\d*)$/;

/** Checks the name of a field or bit member of `owner`. @throws LayoutError LAYOUT_FIELD_INVALID */
export function checkFieldName(owner: string, name: string): void {
  if (name === '') refuse(owner, 'a field needs a name');
  if (RESERVED.has(name)) refuse(`${owner}.${name}`, 'JavaScript needs that name for itself');
  if (INTEGER_LIKE.test(name))
    refuse(`${owner}[${name}]`, 'an integer-like name would lose its place in the order of keys');
}

/** Checks the name of an enum's member. @throws LayoutError LAYOUT_FIELD_INVALID */
export function checkMemberName(name: string): void {
  if (name === '') refuse('enumOf', 'a member needs a name');
  if (INTEGER_LIKE.test(name))
    refuse(`enumOf[${name}]`, 'a name that looks like a number could not be told from one');
}

/** Gives the `length` option back. @throws LayoutError LAYOUT_FIELD_INVALID if it is no name */
export function requireLengthName(owner: string, name: unknown): string | undefined {
  if (name === undefined) return undefined;
  if (typeof name !== 'string' || name === '') refuse(owner, 'its length must name a sibling field');
  return name;
}
