// One record in somebody else's format: read and written in place, by the rules of its guard. Attaching writes nothing.
import { GuardError, StoreClosedError, ValueError } from '../errors.ts';
import { changedFields } from '../layout/changes.ts';
import { codecOf, type RecordCodec } from '../layout/codec.ts';
import { type FieldAccess, fieldAccess } from '../layout/field-access.ts';
import type { AnyLayout } from '../layout/types.ts';
import { LOCK_BOUND_MS } from '../sync/lock-word.ts';
import { MutexGuard } from '../sync/mutex-guard.ts';
import { requireChange, runChange } from './draft.ts';
import { FEWEST_RUNS, overtaken } from './record-access.ts';
import type { RecordGuard } from '../sync/record-guard.ts';
import { optionError, requireObject, requireSignal } from './options.ts';
import type { AnyGuard, LockOptions } from './record-types.ts';
import type { Segment } from './mapped-segment.ts';
import { RecordWatch } from './record-watch.ts';
import type { WatchOptions } from './types.ts';
import { abortError } from './watch.ts';

/** What a record is made of. */
export interface RecordParts {
  readonly layout: AnyLayout;
  readonly guard: AnyGuard;
  readonly protocol: RecordGuard;
  readonly segment: Segment;
  /** First byte in the segment. MAPPED: checked against the segment's size, with the layout's. */
  readonly offset: number;
  /** Names of the fields that the guard alone writes. */
  readonly guardFields: readonly string[];
  /** Ends what this record alone uses. */
  readonly release: () => void;
}

type Fields = Record<string, unknown>;

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
  protected decodeCopy(): Fields {
    return this.codec.decode(this.#copyView, 0);
  }

  /** Gives the copy that `take` made once more, to try a write on. */
  protected stage(): DataView {
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

  watch(options: WatchOptions = {}): AsyncIterableIterator<{ record: object }> {
    this.requireOpen();
    requireObject(options, 'watch');
    const source = { tryCopy: () => this.#tryCopy(), decode: () => this.decodeCopy() };
    const watch = new RecordWatch(source, options, (ended) => this.#watches.delete(ended));
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

/** Reads and writes. Every write is tried on a copy first: only values that were read back from it reach the record. */
export class ForeignWriter extends ForeignReader {
  readonly #fields = new Map<string, FieldAccess>();

  write(record: unknown): void {
    const fields = this.#withoutGuard(record, 'write');
    const { guardFields } = this.parts;
    const names = Object.keys(this.layout.offsets).filter((name) => !guardFields.includes(name));
    this.#revise((before, staged) => {
      const whole = { ...fields };
      for (const name of guardFields) whole[name] = (before ?? this.layout.zero())[name];
      this.codec.encode(staged, 0, whole);
      return this.#settle(staged, names);
    });
  }

  assign(patch: unknown): void {
    const fields = this.#withoutGuard(patch, 'assign');
    this.#revise((before, staged) => {
      this.codec.patch(staged, 0, fields);
      return this.#changes(before, staged, Object.keys(fields));
    });
  }

  update(change: (draft: object) => unknown): void {
    requireChange(change, this.layout);
    this.#revise((before, staged) => {
      const draft = this.decodeCopy();
      runChange(change, draft, () => this.layout.name);
      // A draft was decoded, so the record decodes.
      const old = before as Fields;
      for (const name of this.parts.guardFields) draft[name] = old[name];
      const changes = changedFields(this.layout, old, draft);
      if (changes === undefined) return undefined;
      this.codec.patch(staged, 0, changes);
      return this.#changes(old, staged, Object.keys(changes));
    });
  }

  /** Reads fields back from a staged copy: plain values, without getters or other code of the caller's. */
  #settle(staged: DataView, names: readonly string[]): Fields {
    const settled: [string, unknown][] = [];
    for (const name of names) {
      let access = this.#fields.get(name);
      if (access === undefined) this.#fields.set(name, (access = fieldAccess(this.layout, name)));
      settled.push([name, access.read(staged, 0)]);
    }
    return Object.fromEntries(settled);
  }

  /** Of the fields in a staged copy: those whose value differs from before, all if that did not decode. */
  #changes(before: Fields | undefined, staged: DataView, names: readonly string[]): Fields | undefined {
    const settled = this.#settle(staged, names);
    return before === undefined ? settled : changedFields(this.layout, before, { ...before, ...settled });
  }

  /** Reads the record, lets `decide` stage a write and say what to write, and does so if nobody else wrote since. */
  #revise(decide: (before: Fields | undefined, staged: DataView) => Fields | undefined): void {
    const { protocol } = this.parts;
    const attempt = (): boolean => {
      const token = this.take();
      const patch = decide(this.#before(), this.stage());
      this.requireOpen();
      if (patch === undefined) return true;
      return protocol.exclusive(() => this.codec.patch(this.live, 0, patch), token);
    };
    if (protocol instanceof MutexGuard) {
      protocol.hold(attempt);
      return;
    }
    const deadline = performance.now() + LOCK_BOUND_MS;
    for (let runs = 0; !attempt(); runs++) {
      this.requireOpen();
      if (runs >= FEWEST_RUNS && performance.now() > deadline) throw overtaken(this.layout.name);
    }
  }

  /** What the record is before a write; undefined if its bytes do not decode, which is no obstacle to writing better ones. */
  #before(): Fields | undefined {
    try {
      return this.decodeCopy();
    } catch (error) {
      if (error instanceof ValueError) return undefined;
      throw error;
    }
  }

  #withoutGuard(record: unknown, act: string): Fields {
    if (typeof record !== 'object' || record === null) {
      throw new ValueError(
        'VALUE_TYPE',
        `cannot ${act} ${this.layout.name}: expected an object, found ${typeof record}`,
      );
    }
    const fields: Fields = { ...record };
    for (const name of this.parts.guardFields) delete fields[name];
    return fields;
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
