// What an error of the library looks like to `toThrow` and `toEqual`: its code tells it from others.
import { expect } from 'vitest';

/** Matches errors with that code. */
export const withCode = (code: string): unknown => expect.objectContaining({ code });
