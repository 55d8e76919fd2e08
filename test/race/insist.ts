// Calls that the death of another may end although nothing is wrong.
import { GuardError } from '../../src/index.ts';

/** Far more than a starved machine needs until a killed owner is dead; who waits for progress gives up earlier. */
const WATCHDOG_MS = 60_000;
const DID_NOTHING: readonly unknown[] = ['WRITER_DIED', 'LOCK_TIMEOUT'];

/**
 * Makes a call again that did nothing (docs/guarantees.md): WRITER_DIED, which each dead owner of a mutex causes once, and
 * LOCK_TIMEOUT: the threads of a killed owner must get a processor to die on, and until then it lives.
 */
export function insist<Result>(call: () => Result): Result {
  const deadline = performance.now() + WATCHDOG_MS;
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof GuardError) || !DID_NOTHING.includes(error.code)) throw error;
      if (performance.now() > deadline) throw error;
    }
  }
}
