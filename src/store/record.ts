// One record in somebody else's format: read and written in place, by the rules of its guard. Attaching writes nothing.
import { GuardError, StoreClosedError, ValueError } from '../errors.ts';
import { changedFields } from '../layout/changes.ts';
import { codecOf, type RecordCodec } from '../layout/codec.ts';
import { show } from '../layout/fault.ts';
import type { AnyLayout } from '../layout/types.ts';
import { copyRuns, valueRuns } from '../layout/value-runs.ts';
import { MutexGuard } from '../sync/mutex-guard.ts';
import { requireChange, runChange } from './draft.ts';
import { boundRuns } from './record-access.ts';
import type { RecordGuard } from '../sync/record-guard.ts';
import type { GuardFields, Values } from './guard-fields.ts';
import { optionError, requireObject, requireSignal } from './options.ts';
import type { AnyGuard, LockOptions } from './record-types.ts';
import type { Segment } from './mapped-segment.ts';
import { RecordWatch } from './record-watch.ts';
import type { WatchOptions } from './types.ts';
import { abortError, takeWatchOptions } from './watch.ts';

/** What a record is made of. */
export interface RecordParts {
  readonly layout: AnyLayout;
  readonly guard: AnyGuard;
  readonly protocol: RecordGuard;
  readonly segment: Segment;
  /** First byte in the segment. MAPPED: checked against the segment's size, with the layout's. */
  readonly offset: number;
  /** What the guard alone writes. */
  readonly guardFields: GuardFields;
  /** Ends what this record alone uses. */
  readonly release: () => void;
}

/** Reads. */
export class ForeignReader {
  readonly layout: AnyLayout;
  readonly guard: AnyGuard;
  readonly segment: Segment;
  protected readonly parts: RecordParts;
  protected readonly codec: RecordCodec;
  protected readonly live: DataView;
  readonly #liveBytes: Uint8Array;
  readonly #copy: Uint8Array;
  readonly #copyView: DataView;
  readonly #watches = new Set<RecordWatch>();
  readonly #copyNow = (): Uint8Array => {
    this.#copy.set(this.#liveBytes);
    return this.#copy;
  };
  #closed = false;

  constructor(parts: RecordParts) {
    const { layout, segment, offset } = parts;
    this.parts = parts;
    this.layout = layout;
    this.guard = parts.guard;
    this.segment = segment;
    this.codec = codecOf(layout);
    this.live = new DataView(segment.buffer, offset, layout.size);
    this.#liveBytes = new Uint8Array(segment.buffer, offset, layout.size);
    this.#copy = new Uint8Array(layout.size);
    this.#copyView = new DataView(this.#copy.buffer);
  }

  get created(): boolean {
    return this.segment.created;
  }
  get closed(): boolean {
    return this.#closed || this.segment.closed;
  }

  protected requireOpen(): void {
    if (this.closed) throw new StoreClosedError(`cannot use record ${this.layout.name}: it is closed`);
  }

  /** Copies the record as one whole; gives the guard's token of that state. */
  protected take(): number {
    this.requireOpen();
    return this.parts.protocol.snapshot(this.#copyNow);
  }

  /** Copies the record as one whole if that needs no wait. */
  #tryCopy(): Uint8Array | undefined {
    this.requireOpen();
    return this.parts.protocol.trySnapshot(this.#copyNow) === undefined ? undefined : this.#copy;
  }

  /** Decodes the copy that `take` made. */
  protected decodeCopy(): Values {
    return this.codec.decode(this.#copyView, 0);
  }

  /** Gives a copy of the copy that `take` made. */
  protected copyOfCopy(): DataView {
    return new DataView(this.#copy.slice().buffer);
  }

  read(): object {
    this.take();
    return this.decodeCopy();
  }

  tryRead(): object | undefined {
    try {
      return this.read();
    } catch (error) {
      if (error instanceof GuardError && error.code === 'READ_CONTENDED') return undefined;
      throw error;
    }
  }

  readInto(target: object): object {
    this.take();
    return this.codec.decodeInto(this.#copyView, 0, target);
  }

  watch(options?: WatchOptions): AsyncIterableIterator<{ record: object }> {
    this.requireOpen();
    const chosen = takeWatchOptions(options);
    // A getter of the options may have closed the record.
    this.requireOpen();
    const source = { tryCopy: () => this.#tryCopy(), decode: () => this.decodeCopy() };
    const watch = new RecordWatch(source, chosen, (ended) => this.#watches.delete(ended));
    if (!watch.ended) this.#watches.add(watch);
    return watch;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const watch of this.#watches) watch.end();
    this.parts.release();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Reads and writes. Every write is made on a copy first: what it stages there reaches the record, without other code of the caller's. */
export class ForeignWriter extends ForeignReader {
  write(record: unknown): void {
    const fields = this.#withoutGuard(record, 'write');
    const { guardFields } = this.parts;
    this.#revise((staged) => {
      if (guardFields.ranges.length > 0) guardFields.fill(fields, this.#before() ?? this.layout.zero());
      this.codec.encode(staged, 0, fields);
      return 'all values';
    });
  }

  assign(patch: unknown): void {
    const fields = this.#withoutGuard(patch, 'assign');
    this.#revise((staged) => {
      this.codec.patch(staged, 0, fields);
      return 'changed values';
    });
  }

  update(change: (draft: object) => unknown): void {
    requireChange(change, this.layout);
    this.#revise((staged) => {
      const [before, draft] = [this.decodeCopy(), this.decodeCopy()];
      runChange(change, draft, () => this.layout.name);
      const changes = changedFields(this.layout, before, draft);
      if (changes === undefined) return 'nothing';
      this.codec.patch(staged, 0, this.parts.guardFields.strip(changes));
      return 'changed values';
    });
  }

  /** Reads the record, lets `stage` try a write on a copy of its bytes, and does that write if nobody else wrote since. */
  #revise(stage: (staged: DataView) => 'all values' | 'changed values' | 'nothing'): void {
    const { layout, live } = this;
    const { protocol, guardFields } = this.parts;
    const attempt = (): boolean => {
      const token = this.take();
      const [base, staged] = [this.copyOfCopy(), this.copyOfCopy()];
      const what = stage(staged);
      this.requireOpen();
      if (what === 'nothing') return true;
      const runs = valueRuns(layout, base, staged, guardFields.ranges, what === 'all values');
      if (runs.length === 0) return true;
      return protocol.exclusive(() => copyRuns(runs, staged, live), token);
    };
    if (protocol instanceof MutexGuard) {
      protocol.hold(attempt);
      return;
    }
    let deadline = Infinity;
    for (let runs = 1; !attempt(); runs++) {
      this.requireOpen();
      deadline = boundRuns(runs, deadline, () => layout.name);
    }
  }

  /** What the record is before a write; undefined if its bytes do not decode, which is no obstacle to writing better ones. */
  #before(): Values | undefined {
    try {
      return this.decodeCopy();
    } catch (error) {
      if (error instanceof ValueError) return undefined;
      throw error;
    }
  }

  #withoutGuard(record: unknown, act: string): Values {
    if (typeof record !== 'object' || record === null) {
      throw new ValueError(
        'VALUE_TYPE',
        `cannot ${act} ${this.layout.name}: expected an object, found ${show(record)}`,
      );
    }
    return this.parts.guardFields.strip(record);
  }

  // Async for what it refuses: a function that returns a promise never throws.
  async withLock<R>(work: (locked: object) => R | PromiseLike<R>, options: LockOptions = {}): Promise<R> {
    this.requireOpen();
    const { protocol } = this.parts;
    if (!(protocol instanceof MutexGuard)) {
      throw new ValueError('VALUE_TYPE', `cannot lock ${this.layout.name}: its guard is no mutex`);
    }
    requireObject(options, `lock ${this.layout.name}`);
    const { timeoutMs, signal } = options;
    requireSignal(signal, `lock ${this.layout.name}`);
    if (typeof work !== 'function')
      throw optionError(`lock ${this.layout.name}`, 'work', work, 'function', 'a function');
    if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
      throw optionError(
        `lock ${this.layout.name}`,
        'timeoutMs',
        timeoutMs,
        'number',
        'milliseconds, 0 or more',
      );
    }
    const ended = (): Error | undefined => (signal?.aborted === true ? abortError(signal) : undefined);
    let over = false;
    const within =
      <A extends unknown[], T>(call: (...args: A) => T) =>
      (...args: A): T => {
        if (over)
          throw new StoreClosedError(`cannot use locked record ${this.layout.name}: its withLock has ended`);
        return protocol.inside(() => call.apply(this, args));
      };
    const locked = {
      read: within(this.read),
      readInto: within(this.readInto),
      write: within(this.write),
      assign: within(this.assign),
      update: within(this.update),
    };
    return protocol.holdWhile(
      async () => {
        this.requireOpen();
        try {
          return await work(locked);
        } finally {
          over = true;
        }
      },
      timeoutMs,
      ended,
    );
  }
}
