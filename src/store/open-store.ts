// Making, joining and opening stores; open-managed.ts does what they have in common with maps.
import { selectPlatform } from '#platform';
import type { AnyLayout } from '../layout/types.ts';
import type { Source } from '../platform/platform.ts';
import type { CellGuard, CellMemory } from '../sync/cells.ts';
import { Latch } from '../sync/latch.ts';
import { MutexLatch } from '../sync/mutex-latch.ts';
import { Seqlock } from '../sync/seqlock.ts';
import type { OpenMutex } from './named-mutex.ts';
import {
  checkManaged,
  createManaged,
  DEFAULT_MUTEX_OPTIONS,
  joinManaged,
  type OpenParts,
  openManaged,
  type Plan,
} from './open-managed.ts';
import { namedMutex } from './guards.ts';
import { optionError, requireLayout, requireObject } from './options.ts';
import { accessRecords } from './record-access.ts';
import type { SegmentHeader } from './segment-header.ts';
import { Reader, Writer } from './store.ts';
import type {
  OpenStoreOptions,
  StoreAccess,
  StoreByAccess,
  StoreOptions,
  StoreReader,
  StoreWriter,
} from './types.ts';

const platform = selectPlatform();

function checkStoreGuard(
  guard: StoreOptions<AnyLayout>['guard'],
  name: string | undefined,
  act: string,
): Pick<Plan<object>, 'guard' | 'mutexOptions'> {
  if (guard === 'latch' || guard === 'seqlock') {
    return { guard: { kind: guard }, mutexOptions: DEFAULT_MUTEX_OPTIONS };
  }
  if (typeof guard !== 'object' || guard === null || guard.kind !== 'namedMutex') {
    throw optionError(act, 'guard', guard, 'string', "'latch', 'seqlock' or a namedMutex");
  }
  const mutex = namedMutex(guard.name, guard);
  const mutexName = platform.normalizeName(mutex.name);
  if (mutexName === name)
    throw optionError(act, 'guard', mutexName, 'string', 'a mutex with another name than the store');
  return { guard: { kind: 'namedMutex', name: mutexName }, mutexOptions: mutex };
}

function planStore(options: StoreOptions<AnyLayout>, act: string): Plan<Reader> {
  const checked = checkManaged('store', options, act);
  const { guard = 'latch' } = options;
  return { ...checked, ...checkStoreGuard(guard, checked.place, act), make: makeStore };
}

function guardOf({ guard }: SegmentHeader, memory: CellMemory, mutex: OpenMutex | undefined): CellGuard {
  if (guard.kind === 'seqlock') return new Seqlock(memory);
  return mutex === undefined ? new Latch(memory) : new MutexLatch(memory, mutex.guard);
}

function makeStore({ opening, header, access, segment, memory, hub }: OpenParts): Reader {
  const { layout, capacity } = header;
  const records = accessRecords(layout, capacity, memory, guardOf(header, memory, opening.mutex));
  const replaced = (): boolean => opening.object.replaced();
  const parts = { layout, capacity, segment, access: records, hub, replaced };
  return access === 'read' ? new Reader(parts) : new Writer(parts);
}

/**
 * Creates a store and opens it for reading and writing. What a crashed writer left under the name is replaced.
 * @throws {SegmentError} SEGMENT_EXISTS when somebody uses the name or file; SEGMENT_NAME, SEGMENT_LIMIT, SEGMENT_DENIED
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE for bad options
 * @example
 * const quotes = createStore({ name: 'quotes', layout: Quote, capacity: 1024 });
 */
export function createStore<L extends AnyLayout>(options: StoreOptions<L>): StoreWriter<L> {
  return createManaged(planStore(options, 'create store')) as unknown as StoreWriter<L>;
}

/**
 * Opens the store of that name for reading and writing, or creates it; `created` tells which.
 * @throws {SegmentError} SEGMENT_TOO_SMALL when the existing one has less capacity; those of `createStore` and `openStore`
 * @throws {LayoutError} LAYOUT_MISMATCH
 */
export function joinStore<L extends AnyLayout>(options: StoreOptions<L>): StoreWriter<L> {
  return joinManaged(planStore(options, 'join store')) as unknown as StoreWriter<L>;
}

/**
 * Opens an existing store by name or handle: for reading, or with `access: 'read-write'` for writing too. Without a layout
 * the segment's own description serves, and records are untyped.
 * @throws {SegmentError} SEGMENT_NOT_FOUND, SEGMENT_NOT_READY, SEGMENT_FOREIGN, SEGMENT_FORMAT, SEGMENT_DENIED, SEGMENT_LIMIT
 * @throws {LayoutError} LAYOUT_MISMATCH, with the first field that differs
 */
export function openStore<L extends AnyLayout, const A extends StoreAccess = 'read'>(
  source: Source,
  layout: L,
  options?: OpenStoreOptions<A>,
): StoreByAccess<L, A>;
export function openStore(source: Source): StoreReader;
export function openStore(source: Source, layout?: AnyLayout, options: OpenStoreOptions = {}): unknown {
  const act = 'open store';
  requireObject(options, act);
  const expected = layout === undefined ? undefined : requireLayout(layout, act);
  return openManaged('store', source, expected, options, makeStore);
}
