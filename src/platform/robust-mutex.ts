// Mutexes on Linux: a process-shared, robust pthread_mutex_t in shared memory, as native programs of the same C library use it.
import { SegmentError } from '../errors.ts';
import { libc } from './libc.ts';
import type { Mutex } from './platform.ts';

/** sizeof (pthread_mutex_t) on 64-bit Linux, glibc and musl. */
export const ROBUST_MUTEX_SIZE = 40;

const PTHREAD_PROCESS_SHARED = 1;
const PTHREAD_MUTEX_ROBUST = 1;
// Larger than pthread_mutexattr_t of any C library.
const ATTRIBUTES_SIZE = 64;
const EPERM = 1;
const EBUSY = 16;
const EOWNERDEAD = 130;
const ENOTRECOVERABLE = 131;

function require0(errno: unknown, syscall: string): void {
  if (errno === 0) return;
  throw new SegmentError('SEGMENT_OS', `cannot use mutex: ${syscall} failed with errno ${String(errno)}`, {
    syscall,
    osCode: Number(errno),
  });
}

/** Makes a robust mutex of 40 zeroed bytes that nobody else sees yet (pthread_mutexattr_setrobust(3)). */
export function initializeRobustMutex(bytes: Uint8Array): void {
  const attributes = new Uint8Array(ATTRIBUTES_SIZE);
  require0(libc().mutexattrInit(attributes), 'pthread_mutexattr_init');
  require0(libc().mutexattrSetpshared(attributes, PTHREAD_PROCESS_SHARED), 'pthread_mutexattr_setpshared');
  require0(libc().mutexattrSetrobust(attributes, PTHREAD_MUTEX_ROBUST), 'pthread_mutexattr_setrobust');
  require0(libc().mutexInit(bytes, attributes), 'pthread_mutex_init');
}

let made: Uint8Array | undefined;

/** Refuses memory that holds no robust, process-shared mutex: a lock there could be lost with its owner, or be nobody else's. */
function requireRobust(bytes: Uint8Array): void {
  if (bytes.every((byte) => byte === 0)) {
    throw new SegmentError('SEGMENT_NOT_READY', 'cannot use mutex: it is not initialised yet');
  }
  if (made === undefined) {
    const fresh = new Uint8Array(ROBUST_MUTEX_SIZE);
    initializeRobustMutex(fresh);
    made = fresh;
  }
  // PLATFORM: where a C library keeps the attributes is its own affair; a free mutex shows them (glibc: 0x90 at byte 16).
  if (made.every((bits, at) => (bytes[at]! & bits) === bits)) return;
  throw new SegmentError(
    'SEGMENT_FORMAT',
    'cannot use mutex: its memory holds no robust, process-shared mutex of this C library',
  );
}

/** A robust mutex in shared memory. */
export class RobustMutex implements Mutex {
  readonly identity: string;
  readonly #bytes: Uint8Array;

  /** @throws {SegmentError} SEGMENT_NOT_READY, SEGMENT_FORMAT when there is no such mutex in `bytes` */
  constructor(bytes: Uint8Array, identity: string) {
    requireRobust(bytes);
    this.#bytes = bytes;
    this.identity = identity;
  }

  tryLock(): 'taken' | 'abandoned' | 'busy' {
    const errno: unknown = libc().mutexTrylock(this.#bytes);
    if (errno === 0) return 'taken';
    if (errno === EBUSY) return 'busy';
    if (errno === EOWNERDEAD) {
      // PLATFORM: granted; without this call before the unlock it would be lost for ever (pthread_mutex_consistent(3)).
      require0(libc().mutexConsistent(this.#bytes), 'pthread_mutex_consistent');
      return 'abandoned';
    }
    if (errno === ENOTRECOVERABLE) {
      throw new SegmentError('SEGMENT_FORMAT', 'cannot lock mutex: a peer gave it up as not recoverable', {
        syscall: 'pthread_mutex_trylock',
        osCode: ENOTRECOVERABLE,
      });
    }
    require0(errno, 'pthread_mutex_trylock');
    return 'busy';
  }

  unlock(): void {
    const errno: unknown = libc().mutexUnlock(this.#bytes);
    // EPERM: this thread is not the owner; nothing was unlocked.
    require0(errno, errno === EPERM ? 'pthread_mutex_unlock (not the owner)' : 'pthread_mutex_unlock');
  }
}
