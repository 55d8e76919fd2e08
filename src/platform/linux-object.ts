// One open of a segment on Linux: its descriptor, mappings, locks, doorbell and its place in the file system.
import * as fs from 'node:fs';
import { SegmentError } from '../errors.ts';
import * as libc from './libc.ts';
import { shownSegment } from './names.ts';
import type {
  Access,
  Backing,
  Doorbell,
  KernelLocks,
  Listener,
  Mapping,
  NativeHandle,
  SegmentObject,
} from './platform.ts';

// PLATFORM: glibc and musl open shared memory objects as files here (shm_open(3), shm_overview(7)).
export const FOLDER = '/dev/shm';
const O_CLOEXEC = 0o2000000;
// PLATFORM: statfs(2); and stat(2): st_blocks counts units of 512 bytes, whatever the file system's own are.
const TMPFS_MAGIC = 0x0102_1994;
const BLOCK = 512;

export const pathOf = (name: string): string => `${FOLDER}/${name}`;
export const ownPath = (fd: number): string => `/proc/self/fd/${fd}`;
const identityOf = (stats: fs.BigIntStats): string => `${stats.dev}:${stats.ino}`;

export const flagsFor = (writable: boolean): number =>
  (writable ? fs.constants.O_RDWR : fs.constants.O_RDONLY) | O_CLOEXEC;

/** What is there instead of a file. */
function kindOf(stats: fs.BigIntStats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return stats.isSymbolicLink() ? 'a symbolic link' : 'a device';
}

/** Gives what the system tells of `fd`, which must be a file. */
function requireFile(fd: number, place: string | undefined): fs.BigIntStats {
  const stats = attempt('open', place, () => fs.fstatSync(fd, { bigint: true }));
  if (stats.isFile()) return stats;
  throw new SegmentError(
    'SEGMENT_FOREIGN',
    `cannot open ${shownSegment(place)}: it is ${kindOf(stats)}, expected a file or memory`,
    { segment: place },
  );
}

/**
 * True if a file of memory lacks pages. PLATFORM: they are found at the first touch of a mapping, and if there are none left that is
 * SIGBUS (mmap(2), tmpfs(5)). On a disk, holes read as zeros, and a file system that compresses has fewer blocks than bytes.
 */
function lacksMemory(fd: number, stats: fs.BigIntStats): boolean {
  if (Number(stats.blocks) * BLOCK >= Number(stats.size)) return false;
  try {
    return fs.statfsSync(ownPath(fd)).type === TMPFS_MAGIC;
  } catch {
    return true;
  }
}

/** Runs a call of `fs` and translates its error. */
export function attempt<T>(act: string, segment: string | undefined, call: () => T, what?: string): T {
  try {
    return call();
  } catch (error) {
    const { errno, syscall, code } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    throw libc.systemError(
      act,
      segment,
      syscall ?? 'fs',
      -errno,
      `${syscall ?? 'a call'} failed with ${code}`,
      what,
    );
  }
}

/**
 * Locks of an open file description of their own. PLATFORM: whatever has a description keeps its locks: a mapping until
 * munmap, which a terminated worker never does, and a child process that inherited it (mmap(2), fcntl(2)). So this one is
 * neither mapped nor handed over.
 */
class DescriptorLocks implements KernelLocks {
  readonly #source: number;
  readonly #place: () => string | undefined;
  #own: number | undefined;
  /** `place` is for messages. */
  constructor(source: number, place: () => string | undefined) {
    this.#source = source;
    this.#place = place;
  }
  get #fd(): number {
    return (this.#own ??= attempt('lock', this.#place(), () =>
      fs.openSync(ownPath(this.#source), flagsFor(true)),
    ));
  }
  tryLock(at: number): boolean {
    return libc.lockByte(this.#fd, at, this.#place());
  }
  unlock(at: number): void {
    libc.unlockByte(this.#fd, at, this.#place());
  }
  isHeld(at: number, length: number): boolean {
    // PLATFORM: the question needs no permission to write (fcntl(2), F_OFD_GETLK), and who holds no lock here needs no
    // description for it: a reader asks with what it has.
    return libc.bytesHeld(this.#own ?? this.#source, at, length, this.#place());
  }
  close(): void {
    if (this.#own !== undefined) fs.closeSync(this.#own);
  }
}

/** The segment's file is its own doorbell: inotify reports write(2) to it, and nothing that happens in a mapping. */
class FileDoorbell implements Doorbell {
  readonly #fd: number;
  readonly #byte: number;
  readonly #clapper = new Uint8Array(1);
  constructor(fd: number, byte: number) {
    this.#fd = fd;
    this.#byte = byte;
  }

  ring(): void {
    try {
      fs.writeSync(this.#fd, this.#clapper, 0, 1, this.#byte);
    } catch {
      // The write is committed; watchers find it by their timed sleep.
    }
  }

  listen(onRing: () => void, onDeaf: () => void): Listener | undefined {
    let watcher: fs.FSWatcher | undefined;
    let closed = false;
    const start = (): boolean => {
      try {
        watcher = fs.watch(ownPath(this.#fd), { persistent: false });
      } catch {
        return false;
      }
      watcher.on('error', () => {
        watcher?.close();
        if (!closed) onDeaf();
      });
      watcher.on('change', (kind) => {
        // PLATFORM: the kernel drops the watch with the file's last name (IN_DELETE_SELF, inotify(7)); the file lives on.
        if (kind === 'rename' && !closed) {
          watcher?.close();
          if (!start()) onDeaf();
        }
        onRing();
      });
      return true;
    };
    if (!start()) return undefined;
    return {
      close() {
        closed = true;
        watcher?.close();
      },
    };
  }
}

/** The file behind a segment, as one thread has it open. */
export class LinuxObject implements SegmentObject {
  readonly backing: Backing;
  readonly size: number;
  readonly foreignOwner: boolean;
  readonly peekSparse: ((length: number) => Uint8Array) | undefined;
  /** A name that a new file has until it is published. */
  draft: string | undefined;
  /** A descriptor of this process that was handed over for good. */
  original: number | undefined;
  readonly #fd: number;
  readonly #closeFd: (fd: number) => void;
  readonly #locks: DescriptorLocks;
  readonly #identity: string;
  /** What errors are about. */
  readonly #intended: string | undefined;
  #place: string | undefined;

  /**
   * Takes over `fd`, also when it throws; `closeFd` closes it. `place` is a segment name or, with backing `file`, an absolute
   * path; `intended` is where it will be when it is published.
   */
  constructor(
    fd: number,
    backing: Backing,
    place: string | undefined,
    closeFd: (fd: number) => void = fs.closeSync,
    intended = place,
  ) {
    this.#fd = fd;
    this.#closeFd = closeFd;
    this.#locks = new DescriptorLocks(fd, () => this.#named);
    this.backing = backing;
    this.#place = place;
    this.#intended = intended;
    let stats: fs.BigIntStats;
    try {
      stats = requireFile(fd, intended);
    } catch (error) {
      closeFd(fd);
      throw error;
    }
    this.size = Number(stats.size);
    this.foreignOwner = Number(stats.uid) !== process.geteuid?.();
    this.peekSparse = lacksMemory(fd, stats) ? (length) => this.#peek(length) : undefined;
    this.#identity = identityOf(stats);
  }

  get name(): string | undefined {
    return this.backing === 'named' ? this.#place : undefined;
  }

  get place(): string | undefined {
    return this.#place;
  }

  get outlivesUsers(): boolean {
    return this.#place !== undefined;
  }

  get #named(): string | undefined {
    return this.#place ?? this.#intended;
  }

  #peek(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const count = attempt('open', this.#place, () => fs.readSync(this.#fd, bytes, 0, length, 0));
    return bytes.subarray(0, count);
  }

  /** Where the place is in the file system. */
  get #path(): string | undefined {
    return this.backing === 'named' && this.#place !== undefined ? pathOf(this.#place) : this.#place;
  }

  get identity(): string {
    return this.#identity;
  }

  get handle(): NativeHandle {
    return {
      backing: this.backing as NativeHandle['backing'],
      ...(this.#place === undefined ? {} : { [this.backing === 'file' ? 'file' : 'name']: this.#place }),
      osHandle: this.#fd,
      pid: process.pid,
      identity: this.#identity,
      size: this.size,
    };
  }

  map(access: Access, offset: number, length: number): Mapping {
    const place = this.#named;
    const isShared = access !== 'copy-on-write';
    const range = libc.mapDescriptor(this.#fd, access !== 'read', isShared, offset, length, place);
    return {
      buffer: range.buffer,
      flush: () => libc.synchronize(range, place),
      unmap: () => libc.unmap(range),
    };
  }

  mapControl(length: number): Mapping | undefined {
    let fd: number | undefined;
    try {
      fd = fs.openSync(ownPath(this.#fd), flagsFor(true));
      const range = libc.mapDescriptor(fd, true, true, 0, Math.min(length, this.size), this.#place);
      return { buffer: range.buffer, flush() {}, unmap: () => libc.unmap(range) };
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
    }
  }

  locks(): KernelLocks {
    return this.#locks;
  }

  doorbell(_words: Int32Array, _bell: number, byte: number): Doorbell {
    return new FileDoorbell(this.#fd, byte);
  }

  publish(place: string): boolean {
    const path = this.backing === 'named' ? pathOf(place) : place;
    if (!libc.linkDescriptor(this.#fd, path, place)) {
      const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (stats === undefined || stats.isFile()) return false;
      throw libc.systemError('create', place, 'linkat', libc.EEXIST, `the name belongs to ${kindOf(stats)}`);
    }
    this.#place = place;
    this.#dropDraft();
    return true;
  }

  /** What the place means now: this object, another, or nothing. */
  #meaning(): 'this' | 'another' | 'nothing' {
    const path = this.#path;
    if (path === undefined) return 'nothing';
    const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return 'nothing';
    return identityOf(stats) === this.#identity ? 'this' : 'another';
  }

  named(): boolean {
    return this.#meaning() === 'this';
  }

  replaced(): boolean {
    return this.#meaning() === 'another';
  }

  unlink(): void {
    const path = this.#path;
    // STEP: unlink 1
    if (path === undefined || !this.named()) return;
    // STEP: unlink 2
    attempt('unlink', this.#place, () => fs.rmSync(path, { force: true }));
  }

  #dropDraft(): void {
    if (this.draft !== undefined) fs.rmSync(this.draft, { force: true });
    this.draft = undefined;
  }

  adopt(): void {
    const { original } = this;
    this.original = undefined;
    if (original !== undefined) fs.closeSync(original);
  }

  close(): void {
    this.#dropDraft();
    this.#locks.close();
    this.#closeFd(this.#fd);
  }
}
