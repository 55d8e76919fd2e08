// Segments inside one process: a SharedArrayBuffer, without any object of the operating system. Also the only backing in a
// browser, so this file imports nothing of Node.
import { SegmentError } from '../errors.ts';
import type {
  Access,
  Doorbell,
  KernelLocks,
  Listener,
  Mapping,
  ProcessHandle,
  SegmentObject,
} from './platform.ts';

interface WorkerLike {
  readonly threadId: number;
  once(event: 'exit', listener: () => void): unknown;
}
interface ProcessLike {
  getBuiltinModule?(name: string): { readonly threadId: number } | undefined;
  on?(event: 'worker', listener: (worker: WorkerLike) => void): unknown;
}
const host = (globalThis as { process?: ProcessLike }).process;

/** A number above 0 that no other thread of this process has. */
const owner =
  1 +
  (host?.getBuiltinModule?.('node:worker_threads')?.threadId ??
    Math.floor(Math.random() * 0x3fff_ffff) + 0x4000);

/** Owner words of every segment that this thread has, or had, open. */
const tables = new Set<WeakRef<Int32Array>>();
/** The same, kept alive while a worker that this thread started may hold a lock in them. */
const keptForWorkers = new Set<Int32Array>();
let liveWorkers = 0;

/** Calls `use` for each table that still exists. */
function forEachTable(use: (owners: Int32Array) => void): void {
  for (const reference of tables) {
    const owners = reference.deref();
    if (owners === undefined) tables.delete(reference);
    else use(owners);
  }
}

// PLATFORM: nothing frees a lock word when its thread ends, so the thread that started it does (event 'worker' of
// `process`, Node 16.2 and later). A browser tells nobody: there a lock that died with its worker times out.
host?.on?.('worker', (worker) => {
  const dead = worker.threadId + 1;
  liveWorkers++;
  forEachTable((owners) => keptForWorkers.add(owners));
  worker.once('exit', () => {
    forEachTable((owners) => {
      for (let slot = 0; slot < owners.length; slot++) Atomics.compareExchange(owners, slot, dead, 0);
    });
    if (--liveWorkers === 0) keptForWorkers.clear();
  });
});

/** Owner words in the segment stand in for the kernel's locks: one word per byte that can be locked. */
class WordLocks implements KernelLocks {
  readonly #owners: Int32Array;
  readonly #mine = new Set<number>();
  constructor(owners: Int32Array) {
    this.#owners = owners;
    tables.add(new WeakRef(owners));
    if (liveWorkers > 0) keptForWorkers.add(owners);
  }
  tryLock(at: number): boolean {
    if (Atomics.compareExchange(this.#owners, at, 0, owner) !== 0) return false;
    this.#mine.add(at);
    return true;
  }
  unlock(at: number): void {
    if (this.#mine.delete(at)) Atomics.store(this.#owners, at, 0);
  }
  isHeld(at: number, length: number): boolean {
    for (let slot = at; slot < at + length; slot++) {
      if (!this.#mine.has(slot) && Atomics.load(this.#owners, slot) !== 0) return true;
    }
    return false;
  }
}

/** Counts rings in a word that listeners wait on. */
class WordDoorbell implements Doorbell {
  readonly #words: Int32Array;
  readonly #bell: number;
  constructor(words: Int32Array, bell: number) {
    this.#words = words;
    this.#bell = bell;
  }

  ring(): void {
    Atomics.add(this.#words, this.#bell, 1);
    Atomics.notify(this.#words, this.#bell);
  }

  listen(onRing: () => void): Listener | undefined {
    if (typeof Atomics.waitAsync !== 'function') return undefined;
    let open = true;
    let heard = Atomics.load(this.#words, this.#bell);
    const listenOn = (): void => {
      const wait = Atomics.waitAsync(this.#words, this.#bell, heard);
      // A ring since the last one answers at once; a promise keeps its call stack short all the same.
      void Promise.resolve(wait.value).then(() => {
        if (!open) return;
        heard = Atomics.load(this.#words, this.#bell);
        onRing();
        listenOn();
      });
    };
    listenOn();
    return {
      close: () => {
        open = false;
        // Lets go of the pending wait; other listeners look once more and find nothing.
        Atomics.notify(this.#words, this.#bell);
      },
    };
  }
}

/** A text for each buffer of this thread. The same memory received twice is two buffers, and gets two. */
const identities = new WeakMap<SharedArrayBuffer, string>();
let serial = 0;

function identityOf(buffer: SharedArrayBuffer): string {
  let identity = identities.get(buffer);
  if (identity === undefined) identities.set(buffer, (identity = `process:${serial++}`));
  return identity;
}

class ProcessObject implements SegmentObject {
  readonly backing = 'process';
  readonly name = undefined;
  readonly place = undefined;
  readonly outlivesUsers = false;
  readonly identity: string;
  readonly foreignOwner = false;
  readonly #buffer: SharedArrayBuffer;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    this.identity = identityOf(buffer);
  }
  get size(): number {
    return this.#buffer.byteLength;
  }
  get handle(): ProcessHandle {
    return { backing: 'process', buffer: this.#buffer, size: this.size };
  }
  map(access: Access, offset: number, length: number): Mapping {
    if (access === 'copy-on-write') {
      throw new SegmentError(
        'SEGMENT_UNSUPPORTED',
        'cannot map a process segment copy-on-write: everybody has the one buffer',
      );
    }
    if (offset !== 0 || length !== this.size) {
      throw new SegmentError(
        'SEGMENT_UNSUPPORTED',
        'cannot map a window of a process segment: it is one buffer',
      );
    }
    return { buffer: this.#buffer, flush() {}, unmap() {} };
  }
  mapControl(): Mapping {
    return { buffer: this.#buffer, flush() {}, unmap() {} };
  }
  locks(owners: Int32Array): KernelLocks {
    return new WordLocks(owners);
  }
  doorbell(words: Int32Array, bell: number): Doorbell {
    return new WordDoorbell(words, bell);
  }
  publish(): boolean {
    throw new SegmentError(
      'SEGMENT_UNSUPPORTED',
      'cannot name a process segment: it is known by its handle only',
    );
  }
  named(): boolean {
    return false;
  }
  replaced(): boolean {
    return false;
  }
  unlink(): void {}
  adopt(): void {}
  close(): void {}
}

/** Makes a segment of a new SharedArrayBuffer of that many bytes, or of one that another thread sent. */
export function createProcessObject(source: number | SharedArrayBuffer): SegmentObject {
  if (typeof source !== 'number') {
    if (source instanceof SharedArrayBuffer) return new ProcessObject(source);
    throw new SegmentError(
      'SEGMENT_UNSUPPORTED',
      'cannot open a process segment: its handle has no SharedArrayBuffer',
    );
  }
  try {
    return new ProcessObject(new SharedArrayBuffer(source));
  } catch (error) {
    throw new SegmentError('SEGMENT_LIMIT', `cannot create a process segment: no room for ${source} bytes`, {
      cause: error,
    });
  }
}
