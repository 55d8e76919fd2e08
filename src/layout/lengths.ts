// Lengths that a sibling field holds: how many elements a field can have, and what a stored length may be.
import { Fault } from './fault.ts';
import type { Shape } from './shape.ts';

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
