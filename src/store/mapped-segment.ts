// One open of a segment by one thread, raw or with a format of ours on top: its memory, what was built on it, and its end.
import { selectPlatform } from '#platform';
import { StoreClosedError } from '../errors.ts';
import type { Access, Backing, Handle, Mapping, SegmentObject } from '../platform/platform.ts';
import { PARTICIPANT_SLOTS } from '../sync/participants.ts';
import { passGate } from './lifetime.ts';
import { optionError } from './options.ts';
import { runAll } from './run-all.ts';

const platform = selectPlatform();
/** For the locks of segments that keep no owners in their memory. */
export const noOwners = new Int32Array(PARTICIPANT_SLOTS + 1);

/** A region of memory that processes or threads share. Use it from the thread that opened it. */
export interface Segment extends Disposable {
  readonly name: string | undefined;
  readonly backing: Backing;
  readonly access: Access;
  /** Bytes of this mapping; exact on POSIX. */
  readonly size: number;
  /** True if this call made the segment, false if it took an existing one. */
  readonly created: boolean;
  readonly closed: boolean;
  /**
   * The memory itself, unguarded: the one such door. A store through a read-only mapping ends the process; after `close()`
   * typed arrays over it are empty (those of a `process` segment, which no close can take away, are not).
   * @throws {StoreClosedError} STORE_CLOSED
   */
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Plain data that opens this segment in another thread or process while this one has it open. */
  readonly handle: Handle;
  /** Gives a handle for process `pid`; on POSIX the same as `handle`. */
  duplicateFor(pid: number): Handle;
  /** Waits until the changes of a read-write mapping are in its file; does nothing for memory. */
  flush(): void;
  /** Removes the name or file now; those who have the segment keep it. */
  unlink(): void;
  /** Detaches the buffer, unmaps it and gives up this use of the segment. May be called again. */
  close(): void;
}

interface SegmentParts {
  readonly object: SegmentObject;
  readonly mapping: Mapping;
  /** First byte of the mapping in the segment. Default 0. */
  readonly start?: number;
  readonly access: Access;
  readonly created: boolean;
  /** Gives up this open's share in the segment; the last one removes the name. */
  readonly leave: () => void;
}

/** What was built on a segment. */
interface Dependent {
  close(): void;
  /** True while it holds a mutex. */
  readonly isHeld?: boolean;
}

/** The one implementation of `Segment`. */
export class MappedSegment implements Segment {
  readonly #parts: SegmentParts;
  readonly #forgetExit: () => void;
  readonly access: Access;
  readonly created: boolean;
  readonly size: number;
  readonly #dependents = new Set<Dependent>();
  #closed = false;

  constructor(parts: SegmentParts) {
    this.#parts = parts;
    this.access = parts.access;
    this.created = parts.created;
    this.size = parts.mapping.buffer.byteLength;
    this.#forgetExit = platform.onExit(() => {
      // A thread that ends with a mutex in its hands leaves it to the kernel, which tells the next owner of a death.
      for (const dependent of this.#dependents) if (dependent.isHeld) return;
      this.close();
    });
    platform.markUncloneable(this);
  }

  /** Closes `dependent` before this segment's memory goes; the returned function takes that back. */
  closeFirst(dependent: Dependent): () => void {
    this.#dependents.add(dependent);
    return () => this.#dependents.delete(dependent);
  }

  /** Closes the number that it was opened by, if that was handed over for good. */
  adopt(): void {
    this.#parts.object.adopt();
  }

  get name(): string | undefined {
    return this.#parts.object.name;
  }
  get backing(): Backing {
    return this.#parts.object.backing;
  }
  /** Equal for all opens of this segment in this process. */
  get identity(): string {
    return this.#parts.object.identity;
  }
  /** First byte of this window in the segment, from which alignment and identity count. */
  get start(): number {
    return this.#parts.start ?? 0;
  }
  get closed(): boolean {
    return this.#closed;
  }
  get buffer(): ArrayBuffer | SharedArrayBuffer {
    this.#requireOpen('use');
    return this.#parts.mapping.buffer;
  }
  get handle(): Handle {
    this.#requireOpen('hand over');
    return this.#parts.object.handle;
  }
  duplicateFor(pid: number): Handle {
    if (!Number.isInteger(pid) || pid < 1)
      throw optionError('hand over segment', 'pid', pid, 'number', 'a process id');
    this.#requireOpen('hand over');
    const { object } = this.#parts;
    return object.handleFor === undefined ? object.handle : object.handleFor(pid);
  }
  flush(): void {
    this.#requireOpen('flush');
    this.#parts.mapping.flush();
  }
  unlink(): void {
    this.#requireOpen('unlink');
    const { object } = this.#parts;
    if (!object.outlivesUsers) return object.unlink();
    // Inside the gate: between the look at the name and its removal nobody else may remove it, and a third one take it.
    passGate(object.locks(noOwners), object.place, () => object.unlink());
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetExit();
    // STEP: close 1
    const { leave, mapping, object } = this.#parts;
    const dependents = [...this.#dependents];
    runAll([
      ...dependents.map((dependent) => () => dependent.close()),
      leave,
      () => {
        // PLATFORM: a mutex that could not be given back stays in the C library's list of those that this thread holds, and the
        // next lock of another one writes into its memory (get_robust_list(2)): better a leak than a crash.
        if (dependents.some(({ isHeld }) => isHeld)) return;
        // STEP: close 6
        mapping.unmap();
      },
      () => {
        // STEP: close 6, descriptor
        object.close();
      },
    ]);
  }
  [Symbol.dispose](): void {
    this.close();
  }

  #requireOpen(act: string): void {
    if (this.#closed)
      throw new StoreClosedError(
        `cannot ${act} segment ${JSON.stringify(this.#parts.object.place ?? 'anonymous')}: it is closed`,
      );
  }
}
