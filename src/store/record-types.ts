// What users of somebody else's record see: types only.
import type { AnyLayout, FieldPath, Infer, InferInput, InferPatch, IntegerBase } from '../layout/types.ts';
import type { Access } from '../platform/platform.ts';
import type { MutexOptions } from '../sync/mutex-guard.ts';
import type { SegmentOptions } from './options.ts';
import type { Segment } from './mapped-segment.ts';
import type { SyncCallback, WatchOptions } from './types.ts';

declare const GUARDED: unique symbol;

/** A guard names fields by their paths: `W` are integer words, `B` are bytes; it alone writes them. */
export interface Guard<W extends string = string, B extends string = string> {
  readonly kind: string;
  readonly [GUARDED]?: { readonly words: W; readonly bytes: B };
}

/** Marks guards that can be held across several calls. */
export interface Lockable {
  readonly lockable: true;
}

/** A mutex that has a name of its own. */
export interface NamedMutex extends Guard<never, never>, Lockable, MutexOptions {
  readonly kind: 'namedMutex';
  readonly name: string;
}
/** A `pthread_mutex_t` inside the record. */
export interface RecordMutex<B extends string> extends Guard<never, B>, Lockable, MutexOptions {
  readonly kind: 'robustMutex';
  readonly at: B;
}
/** A 32-bit word that is odd while somebody writes. */
export interface SequenceWord<W extends string> extends Guard<W, never> {
  readonly kind: 'seqlock';
  readonly sequence: W;
}
/** Two 32-bit words: `begin` moves before a write, `end` behind it. */
export interface VersionWords<W extends string> extends Guard<W, never> {
  readonly kind: 'versionPair';
  readonly begin: W;
  readonly end: W;
}
/** No protocol at all. */
export interface Unguarded extends Guard<never, never> {
  readonly kind: 'unguarded';
  /** How many copies in a row must be equal. */
  readonly agree: number;
}
export type AnyGuard =
  | NamedMutex
  | RecordMutex<string>
  | SequenceWord<string>
  | VersionWords<string>
  | Unguarded;

type GuardPaths<G> = G extends Guard<infer W, infer B> ? W | B : never;
type Behind<K, P> = K extends string ? (P extends `${K}.${infer Rest}` ? Rest : never) : never;
/** `T` without the fields at the paths `P` through structs. */
type WithoutPaths<T, P> = {
  [K in keyof T as K extends P ? never : K]: [Behind<K, P>] extends [never]
    ? T[K]
    : WithoutPaths<T[K], Behind<K, P>>;
} & {};
type WithoutGuard<T, G> = WithoutPaths<T, GuardPaths<G>>;
/** Guards whose fields the layout has, with the types they need. */
export type GuardFor<L> = Guard<FieldPath<L, IntegerBase>, FieldPath<L>>;

/** Reads one record of a segment. Use it from the thread that opened it. */
export interface RecordReader<L extends AnyLayout = AnyLayout, G = AnyGuard> extends Disposable {
  readonly layout: L;
  readonly guard: G;
  /** True if this call made the segment. */
  readonly created: boolean;
  readonly segment: Segment;
  readonly closed: boolean;
  /**
   * Reads the record into a fresh object, by the guard's rules.
   * @throws {GuardError} READ_CONTENDED; LOCK_TIMEOUT and WRITER_DIED under a mutex
   * @throws {StoreClosedError} STORE_CLOSED
   */
  read(): Infer<L>;
  /** Does the same as `read`, but gives undefined where that throws READ_CONTENDED. */
  tryRead(): Infer<L> | undefined;
  readInto(target: Infer<L>): Infer<L>;
  /**
   * Looks every `intervalMs`, without blocking the event loop; yields the present record first, then each newest one that
   * differs. What a look throws, other than READ_CONTENDED and LOCK_TIMEOUT, `next` throws once, and the watch is over.
   */
  watch(options?: WatchOptions): AsyncIterableIterator<{ readonly record: Infer<L> }>;
  /** Closes the segment too, unless the caller brought it. May be called again. */
  close(): void;
}

/** The calls that write. What the guard writes is left out of them, and ignored there. */
export interface RecordWrites<L extends AnyLayout, G> {
  /** Writes all fields; padding and the guard's fields stay as they are. */
  write(record: WithoutGuard<InferInput<L>, G>): void;
  /** Writes the given fields; all other bytes stay as they are. */
  assign(patch: WithoutGuard<InferPatch<L>, G>): void;
  /** Writes the fields whose value `change` changed. Under a mutex it runs once, with the mutex held; else again after a conflict. */
  update<R>(change: SyncCallback<WithoutGuard<Infer<L>, G>, R>): void;
}

/** What a `withLock` callback works on; its calls take no lock. */
export interface LockedRecord<L extends AnyLayout, G> extends RecordWrites<L, G> {
  read(): Infer<L>;
  readInto(target: Infer<L>): Infer<L>;
}

/** How long to wait for the mutex. */
export interface LockOptions {
  /** Milliseconds; default: the guard's own. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

interface Locking<L extends AnyLayout, G> {
  /**
   * Takes the mutex without blocking the event loop, and gives it back when `work` is done. Other `withLock`s of this thread
   * queue, so do not wait for one of the same mutex in `work`. Everything that is thrown rejects the promise.
   * @throws {GuardError} LOCK_TIMEOUT, WRITER_DIED
   * @throws {ValueError} VALUE_TYPE, VALUE_RANGE for bad options
   * @throws {StoreClosedError} STORE_CLOSED
   */
  withLock<R>(work: (locked: LockedRecord<L, G>) => R | PromiseLike<R>, options?: LockOptions): Promise<R>;
}

/** Reads and writes one record of a segment. */
export type RecordWriter<L extends AnyLayout = AnyLayout, G = AnyGuard> = RecordReader<L, G> &
  RecordWrites<L, G> &
  (G extends Lockable ? Locking<L, G> : unknown);
export type RecordByAccess<L extends AnyLayout, G, A> = A extends 'read'
  ? RecordReader<L, G>
  : RecordWriter<L, G>;

/** How to find and guard a record. */
export interface RecordOptions<G> {
  readonly guard: G;
  /** First byte of the record in the segment. Default 0. */
  readonly offset?: number;
  /** Accepts a segment of another user. */
  readonly anyOwner?: boolean;
}
export interface OpenRecordOptions<G, A extends Access = Access> extends RecordOptions<G> {
  /** Default `read`; `copy-on-write` for unguarded records only. */
  readonly access?: A;
}
export interface CreateRecordOptions<G> extends RecordOptions<G>, Omit<SegmentOptions, 'name'> {
  /** Bytes of the segment. Default: just enough for the record. */
  readonly size?: number;
}
