// Mutexes with a name of their own: the system's, or where it has none (POSIX) one at the start of a segment of that name.
import { selectPlatform } from '#platform';
import type { Mutex } from '../platform/platform.ts';
import { MutexGuard, type MutexOptions } from '../sync/mutex-guard.ts';
import { joinPrepared, type MappedSegment, type NewSegment } from './segment.ts';

const platform = selectPlatform();

/** Who may use a mutex that is made now, and whose existing one is accepted. */
export interface MutexRights {
  readonly mode?: number | undefined;
  readonly securityDescriptor?: string | undefined;
  readonly anyOwner?: boolean | undefined;
}

/** A mutex at work, and the way to give it up. */
export interface OpenMutex {
  readonly guard: MutexGuard;
  readonly release: () => void;
}

/**
 * Opens or makes the mutex of that name; `what` it guards is for messages.
 * @throws {SegmentError} SEGMENT_NAME, SEGMENT_DENIED, SEGMENT_FOREIGN, SEGMENT_FORMAT, SEGMENT_NOT_READY
 */
export function openNamedMutex(
  name: string,
  options: MutexOptions,
  rights: MutexRights,
  what: string,
): OpenMutex {
  const own = platform.openMutex?.(name, rights.securityDescriptor);
  if (own !== undefined) {
    const guard = new MutexGuard(own, options, what);
    const release = (): void => {
      guard.close();
      own.close();
    };
    return { guard, release };
  }
  // PLATFORM: POSIX has no mutexes with names; a segment of that name holds one (docs/segment-format.md).
  const { mode, securityDescriptor, anyOwner } = rights;
  const place = { name, size: platform.mutexSize, mode, securityDescriptor, anyOwner } as NewSegment;
  const home = joinPrepared(place, platform.initializeMutex) as MappedSegment;
  let mutex: Mutex;
  try {
    mutex = platform.mutexAt(new Uint8Array(home.buffer, 0, platform.mutexSize), `${home.identity}:0`);
  } catch (error) {
    home.close();
    throw error;
  }
  const guard = new MutexGuard(mutex, options, what);
  home.closeFirst(guard);
  return { guard, release: () => home.close() };
}
