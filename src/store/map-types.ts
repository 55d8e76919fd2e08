// What users of a map see: types only.
import type { AnyLayout, FieldType, Infer, InferInput, NumberType } from '../layout/types.ts';
import type { Handle } from '../platform/platform.ts';
import type { SegmentOptions } from './options.ts';
import type { Segment } from './mapped-segment.ts';
import type { StoreAccess, SyncCallback, WatchOptions } from './types.ts';

/** A key type: a text that is stored whole, or an integer. Floats, and texts that are cut or replaced, are refused. */
export type KeyType =
  // oxlint-disable-next-line typescript/no-explicit-any -- any text or integer type at all: inference needs `any`
  FieldType<string, any, any> | NumberType<number, any> | NumberType<bigint, any>;

/** Key type and record layout of a map. */
export interface MapDefinition<K extends KeyType, L extends AnyLayout> {
  readonly key: K;
  readonly layout: L;
}

/** One state of one key. */
export interface MapChange<K, R> {
  readonly key: K;
  /** Grows with every write of the key, over its deletion too. */
  readonly generation: number;
  /** Undefined after a delete. */
  readonly record: R | undefined;
}

/**
 * Reads a map, by the conventions of JavaScript's `Map`; each record is a fresh object. A key that the key type cannot hold (too
 * long, out of range) is not there; one of another type is `VALUE_TYPE`. Iteration gives every key that is there all the time
 * exactly once, in the order of insertion as long as nothing is deleted. Use it from the thread that opened it; post its
 * `handle` to others.
 */
export interface MapReader<K extends KeyType = KeyType, L extends AnyLayout = AnyLayout>
  extends Disposable, ReadonlyMap<Infer<K>, Infer<L>> {
  readonly layout: L;
  readonly key: K;
  /** The most entries. */
  readonly capacity: number;
  /** True if this call made the map. */
  readonly created: boolean;
  /** Plain data that opens the map in another thread or process. Keeps nothing alive. */
  readonly handle: Handle;
  readonly segment: Segment;
  readonly closed: boolean;
  /** True once the name means another segment: a restarted writer made a new one. */
  readonly orphaned: boolean;
  /** Entries. @throws {StoreClosedError} STORE_CLOSED */
  readonly size: number;
  /**
   * Reads the record of `key` into a fresh object, never a mix of two writes or of two keys; undefined if it is not there.
   * @throws {GuardError} READ_CONTENDED when writers publish without a pause for 100 ms
   * @throws {ValueError} VALUE_TYPE
   * @throws {StoreClosedError} STORE_CLOSED
   */
  get(key: Infer<K>): Infer<L> | undefined;
  has(key: Infer<K>): boolean;
  /**
   * Follows all keys, from the call on; states in between may be skipped, the last never. The call reads each entry once; later
   * looks give the thread back after every 65 536 entries. What a look throws `next` throws once, and the watch is over.
   * @throws {SegmentError} SEGMENT_FORMAT
   */
  watch(options?: WatchOptions): AsyncIterableIterator<MapChange<Infer<K>, Infer<L>>>;
  /** Follows one key; the first item is its present state if it is there. @throws {ValueError} for what cannot be a key */
  watch(key: Infer<K>, options?: WatchOptions): AsyncIterableIterator<MapChange<Infer<K>, Infer<L>>>;
  /** Ends every watch, detaches the memory and unmaps it; the last writer removes the name. May be called again. */
  close(): void;
}

/** Reads and writes a map. */
export interface MapWriter<K extends KeyType = KeyType, L extends AnyLayout = AnyLayout> extends MapReader<
  K,
  L
> {
  /**
   * Sets the whole record of `key`. Key and record are checked before anything is written.
   * @throws {ValueError} VALUE_TYPE, VALUE_RANGE, VALUE_TOO_LONG, VALUE_UNMAPPABLE
   * @throws {StoreFullError} STORE_FULL for a new key when all entries are in use
   * @throws {GuardError} LOCK_TIMEOUT when a live writer stays inside its write for 1 s
   */
  set(key: Infer<K>, record: InferInput<L>): this;
  /** Takes the key away; false if it was not there. @throws {GuardError} LOCK_TIMEOUT */
  delete(key: Infer<K>): boolean;
  /** Takes all keys away, one after the other: keys that others set meanwhile may stay. @throws {GuardError} LOCK_TIMEOUT */
  clear(): void;
  /**
   * Runs `change` on a fresh copy of the record and commits what it left there; false, without a call, if the key is not there.
   * No lock is held meanwhile; when another writer committed first, `change` runs again on the new state, so it must have no
   * side effects. What it throws passes through.
   */
  update<R>(key: Infer<K>, change: SyncCallback<Infer<L>, R>): boolean;
}

export type MapByAccess<K extends KeyType, L extends AnyLayout, A> = A extends 'read'
  ? MapReader<K, L>
  : MapWriter<K, L>;

/** Describes a map to create or join. */
export interface MapOptions<K extends KeyType, L extends AnyLayout>
  extends SegmentOptions, MapDefinition<K, L> {
  /** The most entries, 1 to 2^30. */
  readonly capacity: number;
}

/** How to open an existing map. */
export interface OpenMapOptions<A extends StoreAccess = StoreAccess> {
  /** Default `read`. */
  readonly access?: A;
  /** Accepts a segment of another user. */
  readonly anyOwner?: boolean;
}
