// How checks of campaigns and tests say what is wrong.
import { SharecordError } from '../../src/errors.ts';

export function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Gives the code with which the call of the library ends, `done` if it returns. */
export function codeOf(call: () => unknown): string {
  try {
    call();
    return 'done';
  } catch (error) {
    if (error instanceof SharecordError) return error.code;
    throw error;
  }
}
