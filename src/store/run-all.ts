// Ends of what has several parts: one part that fails keeps none of the others open.

/** Runs all of `acts`, also those behind one that throws; then throws what the first of those threw. */
export function runAll(acts: readonly (() => unknown)[]): void {
  const failures: unknown[] = [];
  for (const act of acts) {
    try {
      act();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
