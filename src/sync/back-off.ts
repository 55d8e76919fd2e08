// The only place that waits without giving the thread back: spin first, then sleep in growing steps, up to a deadline.

const SPINS = 40;
const FIRST_SLEEP_MS = 0.05;
const LONGEST_SLEEP_MS = 2;

const bed = typeof SharedArrayBuffer === 'function' ? new Int32Array(new SharedArrayBuffer(4)) : undefined;

function sleep(milliseconds: number): void {
  if (bed === undefined) return;
  try {
    Atomics.wait(bed, 0, 0, milliseconds);
  } catch {
    // A browser's main thread may not sleep; there it spins until the deadline.
  }
}

/** Counts the turns of one wait. */
export class BackOff {
  readonly #deadline: number;
  #turns = 0;
  #sleepMs = FIRST_SLEEP_MS;

  constructor(boundMs: number) {
    this.#deadline = performance.now() + boundMs;
  }

  /** True once the cheap turns are used up: time to ask the kernel who holds the lock. */
  get patient(): boolean {
    return this.#turns >= SPINS;
  }

  /** Waits one turn; false when the bound is over. */
  pause(): boolean {
    if (this.#turns++ < SPINS) return true;
    if (performance.now() >= this.#deadline) return false;
    sleep(this.#sleepMs);
    this.#sleepMs = Math.min(this.#sleepMs * 2, LONGEST_SLEEP_MS);
    return true;
  }
}
