// Mutexes with a name of their own: the system's, or where it has none (POSIX) one at the start of a segment of that name.
//
//   offset  bytes
//      0     40    pthread_mutex_t, robust and process-shared
//     40      8    "SHAREMTX" if this library made the segment: then its last user removes the name
import { selectPlatform } from '#platform';
import { SegmentError } from '../errors.ts';
import { MutexGuard, type MutexOptions } from '../sync/mutex-guard.ts';
import { MappedSegment } from './mapped-segment.ts';
import { runAll } from './run-all.ts';
import { joinPrepared, type NewSegment, openSegment } from './segment.ts';

const platform = selectPlatform();
const TAG = new TextEncoder().encode('SHAREMTX');
const HOME_SIZE = platform.mutexSize + TAG.length;

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

function prepare(bytes: Uint8Array): void {
  platform.initializeMutex(bytes.subarray(0, platform.mutexSize));
  bytes.set(TAG, platform.mutexSize);
}

/** True if this library made it. MAPPED: bytes behind the segment's end read as undefined. */
const isOurs = (bytes: Uint8Array): boolean => TAG.every((byte, i) => bytes[platform.mutexSize + i] === byte);

const isCode = (error: unknown, code: string): boolean =>
  error instanceof SegmentError && error.code === code;

/** Opens the segment of a mutex that a native program made, which is that program's to remove; undefined if there is none. */
function openForeignHome(name: string, anyOwner: boolean | undefined): MappedSegment | undefined {
  let segment: MappedSegment;
  try {
    segment = openSegment(name, { access: 'read-write', anyOwner: anyOwner === true }) as MappedSegment;
  } catch (error) {
    if (isCode(error, 'SEGMENT_NOT_FOUND')) return undefined;
    throw error;
  }
  if (!isOurs(new Uint8Array(segment.buffer))) return segment;
  segment.close();
  return undefined;
}

function openHome(name: string, { mode, securityDescriptor, anyOwner }: MutexRights): MappedSegment {
  for (;;) {
    const foreign = openForeignHome(name, anyOwner);
    if (foreign !== undefined) return foreign;
    try {
      const place = { name, size: HOME_SIZE, mode, securityDescriptor, anyOwner } as NewSegment;
      return joinPrepared(place, prepare, isOurs) as MappedSegment;
    } catch (error) {
      // A native program was faster, with a segment as small as its mutex.
      if (!isCode(error, 'SEGMENT_TOO_SMALL')) throw error;
    }
  }
}

/**
 * Opens or makes the mutex of that name; `what` it guards is for messages.
 * @throws {SegmentError} SEGMENT_NAME, SEGMENT_DENIED, SEGMENT_FOREIGN, SEGMENT_FORMAT, SEGMENT_NOT_READY, SEGMENT_TOO_SMALL
 */
export function openNamedMutex(
  name: string,
  options: MutexOptions,
  rights: MutexRights,
  what: string,
): OpenMutex {
  const own = platform.openMutex?.(name, rights.securityDescriptor);
  if (own !== undefined) {
    if (own.foreignOwner && rights.anyOwner !== true) {
      own.close();
      throw new SegmentError('SEGMENT_DENIED', `cannot open mutex "${name}": it belongs to another user`, {
        segment: name,
      });
    }
    const guard = new MutexGuard(own, options, what);
    return { guard, release: () => runAll([() => guard.close(), () => own.close()]) };
  }
  // PLATFORM: POSIX has no mutexes with names (docs/segment-format.md, named mutexes).
  const home = openHome(name, rights);
  try {
    if (home.size < platform.mutexSize) {
      throw new SegmentError(
        'SEGMENT_TOO_SMALL',
        `cannot open mutex "${name}": its segment is ${home.size} bytes, expected at least ${platform.mutexSize}`,
        { segment: name },
      );
    }
    const mutex = platform.mutexAt(new Uint8Array(home.buffer, 0, platform.mutexSize), `${home.identity}:0`);
    const guard = new MutexGuard(mutex, options, what);
    home.closeFirst(guard);
    return { guard, release: () => home.close() };
  } catch (error) {
    home.close();
    throw error;
  }
}
