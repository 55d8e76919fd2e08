// Waiting until something exists and is ready: tries again until it opens, the time is over, or a signal ends it.
import { SegmentError } from '../errors.ts';
import type { AnyLayout } from '../layout/types.ts';
import type { Access, Source } from '../platform/platform.ts';
import type { KeyType, MapByAccess, MapDefinition, OpenMapOptions } from './map-types.ts';
import { openMap } from './open-map.ts';
import { openRecord } from './open-record.ts';
import { openStore } from './open-store.ts';
import { optionError, requireObject, requireSignal } from './options.ts';
import type { GuardFor, OpenRecordOptions, RecordByAccess } from './record-types.ts';
import type { Segment } from './mapped-segment.ts';
import { EmptySegmentError, openSegment, type OpenSegmentOptions } from './segment.ts';
import type { OpenStoreOptions, StoreAccess, StoreByAccess } from './types.ts';
import { abortError } from './watch.ts';

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;

/** How long to wait. */
export interface WaitOptions {
  /** Milliseconds, 0 or more; default: no limit. */
  readonly timeoutMs?: number;
  /** Ends the wait with an `AbortError` whose cause is the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Resolves after the pause, or as soon as the signal aborts. */
function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });
}

// PLATFORM: between shm_open(3) and ftruncate(2) of its maker a segment has its name and no bytes.
const isNotThereYet = (error: unknown): boolean =>
  error instanceof EmptySegmentError ||
  (error instanceof SegmentError &&
    (error.code === 'SEGMENT_NOT_FOUND' || error.code === 'SEGMENT_NOT_READY'));

async function waitFor<T>(open: () => T, options: WaitOptions): Promise<T> {
  requireObject(options, 'wait');
  const { timeoutMs = Infinity, signal } = options;
  requireSignal(signal, 'wait');
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
    throw optionError('wait', 'timeoutMs', timeoutMs, 'number', 'milliseconds, 0 or more');
  }
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    if (signal?.aborted === true) throw abortError(signal);
    try {
      return open();
    } catch (error) {
      const left = deadline - performance.now();
      if (!isNotThereYet(error) || left <= 0) throw error;
      await pause(Math.min(pauseMs, left), signal);
    }
  }
}

/**
 * Opens a store as `openStore` does, as soon as it exists and is ready.
 * @throws {SegmentError} SEGMENT_NOT_FOUND or SEGMENT_NOT_READY after `timeoutMs`; at once what else `openStore` throws
 */
export function waitForStore<L extends AnyLayout, const A extends StoreAccess = 'read'>(
  source: Source,
  layout: L,
  options: OpenStoreOptions<A> & WaitOptions = {},
): Promise<StoreByAccess<L, A>> {
  return waitFor(() => openStore(source, layout, options), options);
}

/**
 * Opens a map as `openMap` does, as soon as it exists and is ready.
 * @throws {SegmentError} SEGMENT_NOT_FOUND or SEGMENT_NOT_READY after `timeoutMs`; at once what else `openMap` throws
 */
export function waitForMap<K extends KeyType, L extends AnyLayout, const A extends StoreAccess = 'read'>(
  source: Source,
  definition: MapDefinition<K, L>,
  options: OpenMapOptions<A> & WaitOptions = {},
): Promise<MapByAccess<K, L, A>> {
  return waitFor(() => openMap(source, definition, options), options);
}

/**
 * Opens a segment as `openSegment` does, as soon as it exists and has a size.
 * @throws {SegmentError} SEGMENT_NOT_FOUND, or SEGMENT_TOO_SMALL for one without bytes, after `timeoutMs`; at once what else `openSegment` throws
 */
export function waitForSegment(
  source: Source,
  options: OpenSegmentOptions & WaitOptions = {},
): Promise<Segment> {
  return waitFor(() => openSegment(source, options), options);
}

/**
 * Opens a record as `openRecord` does, as soon as its segment exists and has a size.
 * @throws {SegmentError} SEGMENT_NOT_FOUND, or SEGMENT_TOO_SMALL for one without bytes, after `timeoutMs`; at once what else `openRecord` throws
 */
export function waitForRecord<
  L extends AnyLayout,
  const G extends GuardFor<NoInfer<L>>,
  const A extends Access = 'read',
>(
  source: Source | Segment,
  layout: L,
  options: OpenRecordOptions<G, A> & WaitOptions,
): Promise<RecordByAccess<L, G, A>> {
  return waitFor(() => openRecord(source, layout, options), options);
}
