// A record guarded by a mutex that native programs take too. The mutex belongs to a thread, so it is locked and unlocked on
// the thread that uses it; who waits without blocking tries again and again (docs/decisions.md has why).
import { GuardError, StoreClosedError } from '../errors.ts';
import type { Mutex } from '../platform/platform.ts';
import { BackOff } from './back-off.ts';
import type { RecordGuard } from './record-guard.ts';

/** How long to wait for a mutex, and what to do when its last owner died. */
export interface MutexOptions {
  /** Milliseconds, 0 or more. */
  readonly timeoutMs: number;
  /**
   * Runs with the mutex held, before the call that found its owner dead goes on. Calls in it on any record of this mutex take
   * no lock; it is done when it returns.
   */
  readonly onAbandoned?: () => void;
}

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 16;

/** Mutexes that this thread holds, by their identity. */
const heldHere = new Set<string>();
/** Of those: where an `onAbandoned` is at work. Every record of the mutex is its to mend. */
const inRepair = new Set<string>();
/** The last `withLock` of this thread in line for a mutex. */
const queues = new Map<string, Promise<void>>();

/** Takes a mutex around reads and writes. */
export class MutexGuard implements RecordGuard {
  readonly #mutex: Mutex;
  readonly #options: MutexOptions;
  readonly #what: string;
  /** Above 0 while calls take no lock, since this guard holds the mutex around them. */
  #depth = 0;
  #isHeld = false;
  #isClosed = false;

  constructor(mutex: Mutex, options: MutexOptions, what: string) {
    this.#mutex = mutex;
    this.#options = options;
    this.#what = what;
  }

  /** True from the lock to the unlock, also across the waits of a `withLock`; for ever if the unlock failed. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Gives a held mutex back, before the memory or handle that it needs goes; every later call throws STORE_CLOSED. */
  close(): void {
    try {
      this.#unlock();
    } finally {
      this.#isClosed = true;
    }
  }

  #unlock(): void {
    if (!this.#isHeld || this.#isClosed) return;
    heldHere.delete(this.#mutex.identity);
    this.#mutex.unlock();
    // Only now: the memory of a mutex that could not be given back must stay.
    this.#isHeld = false;
  }

  snapshot(copy: () => Uint8Array): number {
    this.hold(copy);
    return 0;
  }

  /** @throws {GuardError} WRITER_DIED */
  trySnapshot(copy: () => Uint8Array): number | undefined {
    if (heldHere.has(this.#mutex.identity) || !this.#tryLock()) return undefined;
    this.#run(copy);
    return 0;
  }

  exclusive(store: () => void): boolean {
    this.hold(store);
    return true;
  }

  /**
   * Runs `work` with the mutex held.
   * @throws {GuardError} LOCK_TIMEOUT after `timeoutMs`, or at once where this thread holds it for somebody else; WRITER_DIED
   */
  hold<T>(work: () => T): T {
    const { identity } = this.#mutex;
    if (this.#depth > 0 || inRepair.has(identity)) return work();
    if (heldHere.has(identity)) {
      throw new GuardError(
        'LOCK_TIMEOUT',
        `cannot lock ${this.#what}: this thread holds the mutex already, in a withLock or a call around this one`,
      );
    }
    const backOff = new BackOff(this.#options.timeoutMs);
    while (!this.#tryLock()) if (!backOff.pause()) throw this.#timeOut(this.#options.timeoutMs);
    return this.#run(work);
  }

  #timeOut(milliseconds: number): GuardError {
    const owner = heldHere.has(this.#mutex.identity) ? 'a withLock of this thread' : 'another owner';
    return new GuardError(
      'LOCK_TIMEOUT',
      `cannot lock ${this.#what}: ${owner} has held the mutex for ${milliseconds} ms`,
    );
  }

  #run<T>(work: () => T): T {
    this.#depth++;
    try {
      return work();
    } finally {
      this.#depth--;
      this.#unlock();
    }
  }

  /** False if another owner holds the mutex. */
  #tryLock(): boolean {
    if (this.#isClosed) throw new StoreClosedError(`cannot lock ${this.#what}: it is closed`);
    const answer = this.#mutex.tryLock();
    if (answer === 'busy') return false;
    const { identity } = this.#mutex;
    this.#isHeld = true;
    heldHere.add(identity);
    if (answer === 'taken') return true;
    const { onAbandoned } = this.#options;
    try {
      if (onAbandoned === undefined) {
        throw new GuardError(
          'WRITER_DIED',
          `cannot lock ${this.#what}: its last owner died while it held the mutex`,
        );
      }
      inRepair.add(identity);
      try {
        onAbandoned();
      } finally {
        inRepair.delete(identity);
      }
      if (this.#isClosed) throw new StoreClosedError(`cannot lock ${this.#what}: its onAbandoned closed it`);
    } catch (error) {
      this.#unlock();
      throw error;
    }
    return true;
  }

  /**
   * Takes the mutex without blocking the thread and runs `work`, which may wait; others of this thread queue.
   * @throws {GuardError} LOCK_TIMEOUT, WRITER_DIED
   */
  async holdWhile<T>(
    work: () => T | PromiseLike<T>,
    timeoutMs: number | undefined,
    ended: (() => Error | undefined) | undefined,
  ): Promise<T> {
    const { identity } = this.#mutex;
    const before = queues.get(identity);
    const { promise: turn, resolve: pass } = Promise.withResolvers<void>();
    queues.set(identity, turn);
    const bound = timeoutMs ?? this.#options.timeoutMs;
    const deadline = performance.now() + bound;
    try {
      if (before !== undefined) await waitFor(before, deadline, ended);
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
        const error = ended?.();
        if (error !== undefined) throw error;
        if (!heldHere.has(identity) && this.#tryLock()) break;
        if (performance.now() >= deadline) throw this.#timeOut(bound);
        await pause(pauseMs);
      }
      try {
        return await work();
      } finally {
        this.#unlock();
      }
    } finally {
      // Who gave up early still lets those behind it wait for those before it.
      void Promise.resolve(before).then(() => pass());
      void turn.then(() => queues.get(identity) === turn && queues.delete(identity));
    }
  }

  /** Runs `work` inside `holdWhile`: the mutex is held already. */
  inside<T>(work: () => T): T {
    this.#depth++;
    try {
      return work();
    } finally {
      this.#depth--;
    }
  }
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Resolves with `before`, or when the time is over or the caller gave up, whichever is first. */
async function waitFor(
  before: Promise<void>,
  deadline: number,
  ended: (() => Error | undefined) | undefined,
): Promise<void> {
  const passed = before.then(() => true);
  for (;;) {
    const isOver = await Promise.race([passed, pause(LONGEST_PAUSE_MS).then(() => false)]);
    if (isOver || ended?.() !== undefined || performance.now() >= deadline) return;
  }
}
