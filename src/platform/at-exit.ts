// What a thread still does when it ends in an orderly way.

// One listener for all, or Node warns of a leak at the eleventh store.
const pending = new Set<() => void>();
function run(): void {
  for (const finish of pending) {
    try {
      finish();
    } catch {
      // The process ends; what one store could not finish, the next join of its name does.
    }
  }
}

/** Runs `finish` when this thread ends; the returned function takes that back. */
export function atExit(finish: () => void): () => void {
  if (pending.size === 0) process.once('exit', run);
  pending.add(finish);
  return () => {
    pending.delete(finish);
    if (pending.size === 0) process.off('exit', run);
  };
}
