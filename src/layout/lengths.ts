// Lengths that a sibling field holds: how many elements a field can have, and what a stored length may be.
import { Fault } from './fault.ts';
import { lengthFieldOf, type PlacedField, type Shape } from './shape.ts';

/** Gives a stored length if the field can have it. @throws Fault VALUE_RANGE */
export function checkLength(stored: number | bigint, capacity: number, sibling: string): number {
  if (stored < 0 || stored > capacity) {
    throw new Fault('VALUE_RANGE', `its length in ${sibling} is ${stored}, expected 0 to ${capacity}`);
  }
  return Number(stored);
}

/** Elements that the field of a sibling length can hold. */
export function capacityOf(shape: Shape): number {
  return shape.kind === 'text' ? shape.units : shape.kind === 'array' ? shape.length : shape.size;
}

const MOSTS = new WeakMap<readonly PlacedField[], ReadonlyMap<string, number>>();

/** Gives the largest length that every field counted by `holder` can have; undefined if it counts none. */
export function mostIn(holder: string, fields: readonly PlacedField[]): number | undefined {
  let mosts = MOSTS.get(fields);
  if (mosts === undefined) MOSTS.set(fields, (mosts = mostsOf(fields)));
  return mosts.get(holder);
}

function mostsOf(fields: readonly PlacedField[]): ReadonlyMap<string, number> {
  const mosts = new Map<string, number>();
  for (const { shape } of fields) {
    const holder = lengthFieldOf(shape);
    if (holder !== undefined) mosts.set(holder, Math.min(mosts.get(holder) ?? Infinity, capacityOf(shape)));
  }
  return mosts;
}
