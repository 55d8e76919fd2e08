// The guard of stores whose writers take one mutex with a name, which native programs take too: who holds it keeps every
// writer out. Records are those of the latch, so readers never wait, and a writer killed inside tears nothing.
import type { CellMemory } from './cells.ts';
import { Latch } from './latch.ts';
import type { MutexGuard } from './mutex-guard.ts';

/** A latch whose commits hold the mutex besides. */
export class MutexLatch extends Latch {
  readonly #mutex: MutexGuard;

  constructor(memory: CellMemory, mutex: MutexGuard) {
    super(memory);
    this.#mutex = mutex;
  }

  /** @throws {GuardError} LOCK_TIMEOUT; WRITER_DIED once after an owner died with the mutex, unless `onAbandoned` is there */
  override commit(index: number, source: Int32Array, expected?: number): boolean {
    return this.#mutex.hold(() => super.commit(index, source, expected));
  }
}
