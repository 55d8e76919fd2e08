// The work of every `update`: a draft made of the record's bytes goes through the caller's function and back.
import { ValueError } from '../errors.ts';
import { changedFields, hasLengths } from '../layout/changes.ts';
import { codecOf } from '../layout/codec.ts';
import type { AnyLayout } from '../layout/types.ts';
import { optionError } from './options.ts';

/** Refuses what is no function. @throws {ValueError} VALUE_TYPE */
export function requireChange(change: unknown, layout: AnyLayout): void {
  if (typeof change !== 'function')
    throw optionError(`update ${layout.name}`, 'change', change, 'function', 'a function');
}

/** Runs the caller's function on a draft. @throws {ValueError} VALUE_TYPE if it is not done when it returns */
export function runChange(change: (draft: object) => unknown, draft: object, what: () => string): void {
  const result = change(draft);
  if (typeof (result as { then?: unknown } | undefined | null)?.then === 'function') {
    throw new ValueError(
      'VALUE_TYPE',
      `cannot update ${what()}: the callback returned a promise, expected it to be done`,
    );
  }
}

/** Gives a function that changes the record at byte `at` as `change` leaves the draft; what `change` throws passes through. */
export function draftChange(
  layout: AnyLayout,
  what: () => string,
  change: (draft: object) => unknown,
): (view: DataView, at: number) => void {
  const codec = codecOf(layout);
  const compares = hasLengths(layout);
  return (view, at) => {
    const draft = codec.decode(view, at);
    runChange(change, draft, what);
    if (!compares) return codec.encode(view, at, draft);
    // A length that a sibling keeps is only given if the callback changed it; else it follows its text or array.
    const changes = changedFields(layout, codec.decode(view, at), draft);
    return changes === undefined ? undefined : codec.patch(view, at, changes);
  };
}
