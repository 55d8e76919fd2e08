// What users of a store see: types only.
import type {
  AnyLayout,
  ColumnOf,
  FieldName,
  Infer,
  InferInput,
  InferPatch,
  IntegerName,
} from '../layout/types.ts';
import type { Handle } from '../platform/platform.ts';
import type { SegmentOptions } from './options.ts';
import type { NamedMutex } from './record-types.ts';
import type { Segment } from './mapped-segment.ts';

/** How to follow changes. */
export interface WatchOptions {
  /** Ends the watch with an `AbortError` whose cause is the signal's reason. */
  readonly signal?: AbortSignal;
  /** False lets the process end while the watch waits. Default true. */
  readonly persistent?: boolean;
  /** How often to look where the system gives no wake-up, in milliseconds; 1 to 60 000, default 20. */
  readonly intervalMs?: number;
}

/** One state of one record. */
export interface Change<R> {
  readonly index: number;
  readonly generation: number;
  readonly record: R;
}

/** Reads records of a store. Use it from the thread that opened it; post its `handle` to others. */
export interface StoreReader<L extends AnyLayout = AnyLayout> extends Disposable, Iterable<Infer<L>> {
  readonly layout: L;
  /** Records, with indexes 0 to capacity - 1. */
  readonly capacity: number;
  /** True if this call made the store. */
  readonly created: boolean;
  /** Plain data that opens the store in another thread or process. Keeps nothing alive. */
  readonly handle: Handle;
  readonly segment: Segment;
  readonly closed: boolean;
  /** True once the name means another segment: a restarted writer made a new one. */
  readonly orphaned: boolean;
  /**
   * Reads record `index` into a fresh object; never a mix of two writes.
   * @throws {GuardError} READ_CONTENDED when writers publish without a pause for 100 ms; WRITER_DIED under a seqlock
   * @throws {ValueError} INDEX_RANGE
   * @throws {StoreClosedError} STORE_CLOSED
   */
  read(index: number): Infer<L>;
  /** Does the same as `read`, but gives undefined where that throws READ_CONTENDED. */
  tryRead(index: number): Infer<L> | undefined;
  /** Reads record `index` into `target`, an object of the layout's `zero()`, and returns it; a throw leaves it as it was. */
  readInto(index: number, target: Infer<L>): Infer<L>;
  /** Reads one field of all records, each element whole: a typed array for plain numbers, else an array. */
  readColumn<K extends FieldName<L>>(field: K): ColumnOf<L, K>;
  /** The same into `out`, which has at least `capacity` elements. */
  readColumn<K extends FieldName<L>, C extends ColumnOf<L, K>>(field: K, out: C): C;
  /** Tells how often record `index` was written: a safe integer, 0 = never; it never goes back. */
  generation(index: number): number;
  entries(): IterableIterator<[index: number, record: Infer<L>]>;
  /**
   * Follows all records, from the call on; states in between may be skipped, the last never. The call looks at each record once,
   * which takes about half a second for 5 million; later looks give the thread back after every 65 536 records.
   * What a look throws `next` throws once, and the watch is over.
   */
  watch(options?: WatchOptions): AsyncIterableIterator<Change<Infer<L>>>;
  /** Follows record `index`; the first item is its present state if it was ever written. */
  watch(index: number, options?: WatchOptions): AsyncIterableIterator<Change<Infer<L>>>;
  /** Ends every watch, detaches the memory and unmaps it; the last writer removes the name. May be called again. */
  close(): void;
}

/** Refuses an async callback at compile time; at run time a thenable result is `VALUE_TYPE`. */
export type SyncCallback<D, R> = (draft: D) => R extends PromiseLike<unknown> ? never : R;

/** Reads and writes records of a store. */
export interface StoreWriter<L extends AnyLayout = AnyLayout> extends StoreReader<L> {
  /**
   * Writes record `index` whole. The record is checked before anything is written.
   * @throws {ValueError} VALUE_TYPE, VALUE_RANGE, VALUE_TOO_LONG, VALUE_UNMAPPABLE, INDEX_RANGE
   * @throws {GuardError} LOCK_TIMEOUT when a live writer stays inside its write for 1 s; under a mutex WRITER_DIED, once
   */
  write(index: number, record: InferInput<L>): void;
  /** Changes the given fields, nested ones too; the others keep what the last commit gave them. */
  assign(index: number, patch: InferPatch<L>): void;
  /** Adds `delta` to an integer field; VALUE_RANGE, with nothing written, if the sum leaves the field's range. */
  add<K extends IntegerName<L>>(index: number, field: K, delta: Infer<L>[K]): void;
  /**
   * Runs `change` on a fresh copy and commits what it left there. No lock is held meanwhile; when another writer committed
   * first, `change` runs again on the new state, so it must have no side effects. What it throws passes through.
   */
  update<R>(index: number, change: SyncCallback<Infer<L>, R>): void;
}

/** What an open store may be used for. */
export type StoreAccess = 'read' | 'read-write';
export type StoreByAccess<L extends AnyLayout, A> = A extends 'read' ? StoreReader<L> : StoreWriter<L>;

/** Describes a store to create or join. */
export interface StoreOptions<L extends AnyLayout> extends SegmentOptions {
  readonly layout: L;
  /** Records, 1 to 2^32 - 1. */
  readonly capacity: number;
  /**
   * Default `latch`: two cells a record, readers never wait. `seqlock`: one cell, so about half the memory, and a writer
   * killed inside a write leaves its record to be written whole (WRITER_DIED). `namedMutex`: a latch whose writers also take
   * the mutex, so that a native program can keep them all out.
   */
  readonly guard?: 'latch' | 'seqlock' | NamedMutex;
}

/** How to open an existing store. */
export interface OpenStoreOptions<A extends StoreAccess = StoreAccess> {
  /** Default `read`. */
  readonly access?: A;
  /** Accepts a segment of another user. */
  readonly anyOwner?: boolean;
}
