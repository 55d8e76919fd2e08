// The calls into the C library that Linux backends make through koffi, loaded at the first use; and the translation of
// errno into the error family.
import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import { SegmentError, type SegmentErrorCode } from '../errors.ts';
import { shownSegment } from './names.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MS_SYNC = 4;
const MFD_CLOEXEC = 1;
const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
// PLATFORM: an offset must be a multiple of the page size (mmap(2)), which is 4, 16 or 64 KiB.
const LARGEST_PAGE = 65536;
const EINTR = 4;
const EAGAIN = 11;
const EACCES = 13;
export const EEXIST = 17;
const F_SETFD = 2;
// PLATFORM: pidfd_open(2) and pidfd_getfd(2) have no wrappers in older C libraries; their numbers are the same everywhere.
const SYS_PIDFD_OPEN = 434;
const SYS_PIDFD_GETFD = 438;
// PLATFORM: open file description locks, fcntl(2); struct flock is 32 bytes on 64-bit Linux: type and whence (16 bits
// each), start and length (64 bits each, 8-aligned), pid.
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_WRLCK = 1;
const F_UNLCK = 2;
const FLOCK_SIZE = 32;

/** The numbers of <errno.h> on Linux that have a code of their own. */
const CODES: Readonly<Record<number, SegmentErrorCode>> = {
  1: 'SEGMENT_DENIED', // EPERM
  2: 'SEGMENT_NOT_FOUND', // ENOENT
  3: 'SEGMENT_NOT_FOUND', // ESRCH
  6: 'SEGMENT_FOREIGN', // ENXIO: a FIFO or socket
  12: 'SEGMENT_LIMIT', // ENOMEM
  13: 'SEGMENT_DENIED', // EACCES
  [EEXIST]: 'SEGMENT_EXISTS',
  20: 'SEGMENT_NOT_FOUND', // ENOTDIR
  21: 'SEGMENT_FOREIGN', // EISDIR
  23: 'SEGMENT_LIMIT', // ENFILE
  24: 'SEGMENT_LIMIT', // EMFILE
  27: 'SEGMENT_LIMIT', // EFBIG
  26: 'SEGMENT_DENIED', // ETXTBSY
  28: 'SEGMENT_LIMIT', // ENOSPC
  30: 'SEGMENT_DENIED', // EROFS
  36: 'SEGMENT_NAME', // ENAMETOOLONG
  37: 'SEGMENT_LIMIT', // ENOLCK
  40: 'SEGMENT_DENIED', // ELOOP: O_NOFOLLOW met a symbolic link
  95: 'SEGMENT_UNSUPPORTED', // EOPNOTSUPP: a file system without nameless files
  122: 'SEGMENT_LIMIT', // EDQUOT
};

/** Translates an errno into the error family. */
export function systemError(
  act: string,
  segment: string | undefined,
  syscall: string,
  errno: number,
  reason?: string,
  what = shownSegment(segment),
): SegmentError {
  return new SegmentError(
    CODES[errno] ?? 'SEGMENT_OS',
    `cannot ${act} ${what}: ${reason ?? `${syscall} failed with errno ${errno}`}`,
    { syscall, osCode: errno, segment },
  );
}

/** The C library's functions by their own names; each returns what the function returns. */
function load() {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const libc = koffi.load(null);
  return {
    koffi,
    mmap: libc.func('intptr_t mmap(intptr_t, size_t, int, int, int, int64_t)'),
    munmap: libc.func('int munmap(intptr_t, size_t)'),
    msync: libc.func('int msync(intptr_t, size_t, int)'),
    fcntl: libc.func('int fcntl(int, int, void *)'),
    syscall: libc.func('long syscall(long, long, long, long)'),
    memfdCreate: libc.func('int memfd_create(const char *, unsigned int)'),
    posixFallocate: libc.func('int posix_fallocate(int, int64_t, int64_t)'),
    linkat: libc.func('int linkat(int, const char *, int, const char *, int)'),
    close: libc.func('int close(int)'),
    mutexattrInit: libc.func('int pthread_mutexattr_init(void *)'),
    mutexattrSetpshared: libc.func('int pthread_mutexattr_setpshared(void *, int)'),
    mutexattrSetrobust: libc.func('int pthread_mutexattr_setrobust(void *, int)'),
    mutexInit: libc.func('int pthread_mutex_init(void *, void *)'),
    mutexTrylock: libc.func('int pthread_mutex_trylock(void *)'),
    mutexUnlock: libc.func('int pthread_mutex_unlock(void *)'),
    mutexConsistent: libc.func('int pthread_mutex_consistent(void *)'),
  };
}

let loaded: ReturnType<typeof load> | undefined;
/** Gives the functions, loading koffi at the first call. */
export const libc = (): ReturnType<typeof load> => (loaded ??= load());

/** Reserves memory for all of the file, so that a full tmpfs is an error here and not a SIGBUS at the first touch. */
export function allocate(fd: number, size: number, segment: string | undefined): void {
  let errno: number;
  do {
    errno = libc().posixFallocate(fd, 0, size) as number;
  } while (errno === EINTR);
  if (errno !== 0)
    throw systemError('create', segment, 'posix_fallocate', errno, `no room for ${size} bytes`);
}

/** Makes a nameless file in memory. */
export function createMemoryFile(): number {
  const fd = libc().memfdCreate('sharecord', MFD_CLOEXEC) as number;
  if (fd < 0) throw systemError('create', undefined, 'memfd_create', libc().koffi.errno());
  return fd;
}

/** Lets child processes have the descriptor under the same number. */
export function keepOnExec(fd: number): void {
  if (libc().fcntl(fd, F_SETFD, null) !== 0)
    throw systemError('create', undefined, 'fcntl', libc().koffi.errno());
}

/** Copies descriptor `fd` of process `pid`, with the rights that it has; undefined if that is not permitted. */
export function copyDescriptor(pid: number, fd: number): number | undefined {
  const { syscall } = libc();
  const owner = Number(syscall(SYS_PIDFD_OPEN, pid, 0, 0));
  if (owner < 0) return undefined;
  const copy = Number(syscall(SYS_PIDFD_GETFD, owner, fd, 0));
  closeDescriptor(owner);
  return copy < 0 ? undefined : copy;
}

/** Closes a descriptor that did not come from Node's `fs`. */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}

/** Gives the nameless file behind `fd` the name `path`; false if that exists. */
export function linkDescriptor(fd: number, path: string, segment: string): boolean {
  if (libc().linkat(AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, path, AT_SYMLINK_FOLLOW) === 0) return true;
  const errno = libc().koffi.errno();
  if (errno === EEXIST) return false;
  throw systemError('create', segment, 'linkat', errno);
}

/** A mapped range of pages and the buffer over the part that was asked for. */
export interface MappedRange {
  readonly buffer: ArrayBuffer;
  readonly address: number;
  readonly length: number;
}

/** Maps `length` bytes at `offset` of the file; neither need be aligned. MAPPED: the caller keeps both inside the file. */
export function mapDescriptor(
  fd: number,
  writable: boolean,
  shared: boolean,
  offset: number,
  length: number,
  segment: string | undefined,
): MappedRange {
  const { mmap, koffi } = libc();
  const lead = offset % LARGEST_PAGE;
  const protection = PROT_READ | (writable ? PROT_WRITE : 0);
  const sharing = shared ? MAP_SHARED : MAP_PRIVATE;
  const address = Number(mmap(0, lead + length, protection, sharing, fd, offset - lead));
  if (address === -1) throw systemError('map', segment, 'mmap', koffi.errno());
  try {
    const buffer = koffi.view(BigInt(address + lead), length);
    return { buffer, address, length: lead + length };
  } catch (error) {
    libc().munmap(address, lead + length);
    throw new SegmentError(
      'SEGMENT_UNSUPPORTED',
      `cannot map ${shownSegment(segment)}: ` +
        'this runtime refuses buffers over foreign memory (Electron does)',
      { cause: error, segment },
    );
  }
}

/** Detaches the buffer, then unmaps the range. */
export function unmap(range: MappedRange): void {
  // A buffer that the caller transferred elsewhere still has the memory: better a leak than a crash.
  if (range.buffer.detached) return;
  // `transfer` leaves every view of the buffer without memory; the second one drops the buffer that still has it.
  range.buffer.transfer().transfer(0);
  libc().munmap(range.address, range.length);
}

/** Waits until the range's changes are in the file. */
export function synchronize(range: MappedRange, segment: string | undefined): void {
  if (libc().msync(range.address, range.length, MS_SYNC) !== 0) {
    throw systemError('flush', segment, 'msync', libc().koffi.errno());
  }
}

const request = new DataView(new ArrayBuffer(FLOCK_SIZE));

function fillRequest(type: number, at: number, length: number): DataView {
  request.setInt16(0, type, true);
  request.setInt16(2, 0, true);
  request.setBigInt64(8, BigInt(at), true);
  request.setBigInt64(16, BigInt(length), true);
  request.setInt32(24, 0, true);
  return request;
}

/** Sets or clears a lock of `fd`'s open file description; false if another description is in the way. */
function setLock(fd: number, type: number, at: number, segment: string | undefined): boolean {
  const { fcntl, koffi } = libc();
  if (fcntl(fd, F_OFD_SETLK, fillRequest(type, at, 1)) === 0) return true;
  const errno = koffi.errno();
  if (errno === EAGAIN || errno === EACCES) return false;
  throw systemError('lock', segment, 'fcntl', errno);
}

export const lockByte = (fd: number, at: number, segment: string | undefined): boolean =>
  setLock(fd, F_WRLCK, at, segment);
export const unlockByte = (fd: number, at: number, segment: string | undefined): boolean =>
  setLock(fd, F_UNLCK, at, segment);

/** True if another open file description holds a lock on any of the `length` bytes from `at`. */
export function bytesHeld(fd: number, at: number, length: number, segment: string | undefined): boolean {
  const { fcntl, koffi } = libc();
  const answer = fillRequest(F_WRLCK, at, length);
  if (fcntl(fd, F_OFD_GETLK, answer) !== 0) throw systemError('probe', segment, 'fcntl', koffi.errno());
  return answer.getInt16(0, true) !== F_UNLCK;
}
