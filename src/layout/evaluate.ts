// The only place that turns text into functions.

/** Evaluates `body` as a function body with the given free names; undefined where the engine refuses code from strings. */
export function evaluate<T>(bindings: Readonly<Record<string, unknown>>, body: string): T | undefined {
  let make: (...values: unknown[]) => T;
  try {
    // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- the one place, see the head of the file
    make = new Function(...Object.keys(bindings), `"use strict";\n${body}`) as typeof make;
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
  return make(...Object.values(bindings));
}
