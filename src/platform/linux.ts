// Segments on Linux: files of the memory file system behind shm_open(3), and memfd files without a name. Descriptors are
// opened through Node's fs, so that terminating a worker closes them and frees their locks; libc.ts makes the other calls.
import * as fs from 'node:fs';
import { markAsUncloneable } from 'node:worker_threads';
import { SegmentError } from '../errors.ts';
import * as libc from './libc.ts';
import { normalizePosixName } from './names.ts';
import { initializeRobustMutex, ROBUST_MUTEX_SIZE, RobustMutex } from './robust-mutex.ts';
import type {
  Access,
  Backing,
  CreateOptions,
  Doorbell,
  ForeignHandle,
  KernelLocks,
  Listener,
  Mapping,
  NativeHandle,
  Platform,
  SegmentObject,
} from './platform.ts';
import { createProcessObject } from './process-memory.ts';

// PLATFORM: glibc and musl open shared memory objects as files here (shm_open(3), shm_overview(7)).
const FOLDER = '/dev/shm';
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';
// PLATFORM: O_TMPFILE makes a file without a name that linkat(2) can name later (open(2)); it contains O_DIRECTORY.
const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY;
const O_CLOEXEC = 0o2000000;
const ENOMEM = 12;

const pathOf = (name: string): string => `${FOLDER}/${name}`;
const ownPath = (fd: number): string => `/proc/self/fd/${fd}`;
const identityOf = (stats: fs.BigIntStats): string => `${stats.dev}:${stats.ino}`;

/** Runs a call of `fs` and translates its error. */
function attempt<T>(act: string, segment: string | undefined, call: () => T): T {
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
    );
  }
}

class DescriptorLocks implements KernelLocks {
  readonly #fd: number;
  constructor(fd: number) {
    this.#fd = fd;
  }
  tryLock(at: number): boolean {
    return libc.lockByte(this.#fd, at);
  }
  unlock(at: number): void {
    libc.unlockByte(this.#fd, at);
  }
  isHeld(at: number, length: number): boolean {
    return libc.bytesHeld(this.#fd, at, length);
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
    fs.writeSync(this.#fd, this.#clapper, 0, 1, this.#byte);
  }

  listen(onRing: () => void): Listener | undefined {
    let watcher: fs.FSWatcher | undefined;
    let closed = false;
    const start = (): boolean => {
      try {
        watcher = fs.watch(ownPath(this.#fd), { persistent: false });
      } catch {
        return false;
      }
      watcher.on('error', () => watcher?.close());
      watcher.on('change', (kind) => {
        // PLATFORM: the kernel drops the watch with the file's last name (IN_DELETE_SELF, inotify(7)); the file lives on.
        if (kind === 'rename' && !closed) {
          watcher?.close();
          start();
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

class LinuxObject implements SegmentObject {
  readonly backing: Backing;
  readonly size: number;
  readonly foreignOwner: boolean;
  readonly #fd: number;
  readonly #identity: string;
  #name: string | undefined;

  constructor(fd: number, backing: Backing, name: string | undefined) {
    this.#fd = fd;
    this.backing = backing;
    this.#name = name;
    const stats = attempt('open', name, () => fs.fstatSync(fd, { bigint: true }));
    if (!stats.isFile()) {
      fs.closeSync(fd);
      throw new SegmentError('SEGMENT_FOREIGN', `cannot open segment "${name}": it is not a memory object`, {
        segment: name,
      });
    }
    this.size = Number(stats.size);
    this.foreignOwner = Number(stats.uid) !== process.geteuid?.();
    this.#identity = identityOf(stats);
  }

  get name(): string | undefined {
    return this.#name;
  }

  get identity(): string {
    return this.#identity;
  }

  get handle(): NativeHandle {
    return {
      backing: this.backing as NativeHandle['backing'],
      ...(this.#name === undefined ? {} : { name: this.#name }),
      osHandle: this.#fd,
      pid: process.pid,
      identity: this.#identity,
      size: this.size,
    };
  }

  map(access: Access, offset: number, length: number): Mapping {
    const writable = access === 'read-write';
    const name = this.#name;
    const range = attempt('map', name, () =>
      this.#reopen(writable, (fd) =>
        libc.mapDescriptor(fd, access !== 'read', access !== 'copy-on-write', offset, length, name),
      ),
    );
    return {
      buffer: range.buffer,
      flush: () => libc.synchronize(range, name),
      unmap: () => libc.unmap(range),
    };
  }

  mapControl(length: number): Mapping | undefined {
    try {
      const range = this.#reopen(true, (fd) =>
        libc.mapDescriptor(fd, true, true, 0, Math.min(length, this.size), this.#name),
      );
      return { buffer: range.buffer, flush() {}, unmap: () => libc.unmap(range) };
    } catch {
      return undefined;
    }
  }

  /**
   * Runs `use` with an open file description of its own. PLATFORM: a mapping keeps its description, and so its locks, until
   * munmap (mmap(2), fcntl(2)); a terminated worker never unmaps, so what holds locks must not be mapped.
   */
  #reopen<T>(writable: boolean, use: (fd: number) => T): T {
    const fd = fs.openSync(ownPath(this.#fd), flagsFor(writable));
    try {
      return use(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  locks(): KernelLocks {
    return new DescriptorLocks(this.#fd);
  }

  doorbell(_words: Int32Array, _bell: number, byte: number): Doorbell {
    return new FileDoorbell(this.#fd, byte);
  }

  publish(name: string): boolean {
    if (!libc.linkDescriptor(this.#fd, pathOf(name), name)) return false;
    this.#name = name;
    return true;
  }

  /** What the name means now: this object, another, or nothing. */
  #meaning(): 'this' | 'another' | 'nothing' {
    const name = this.#name;
    if (name === undefined) return 'nothing';
    const stats = fs.lstatSync(pathOf(name), { bigint: true, throwIfNoEntry: false });
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
    const name = this.#name;
    if (name === undefined || !this.named()) return;
    attempt('unlink', name, () => fs.rmSync(pathOf(name), { force: true }));
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

const flagsFor = (writable: boolean): number =>
  (writable ? fs.constants.O_RDWR : fs.constants.O_RDONLY) | O_CLOEXEC;

function openName(name: string, writable: boolean): LinuxObject {
  // O_NOFOLLOW and O_NONBLOCK: a squatter's symbolic link or FIFO is an error, not a detour or a hang.
  const flags = flagsFor(writable) | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
  let fd: number;
  try {
    fd = fs.openSync(pathOf(name), flags);
  } catch (error) {
    const { code, errno, syscall } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'no segment has this name' : `open failed with ${code}`;
    throw libc.systemError('open', name, syscall ?? 'open', -(errno ?? 0), reason);
  }
  return new LinuxObject(fd, 'named', name);
}

/** Opens the file that process `pid` has as descriptor `osHandle`, as a new open file description. */
function openDescriptor(
  pid: number | undefined,
  osHandle: number,
  writable: boolean,
  backing: Backing,
  name: string | undefined,
): LinuxObject {
  const owner = pid === undefined || pid === process.pid ? 'self' : String(pid);
  const path = `/proc/${owner}/fd/${osHandle}`;
  let fd: number;
  try {
    fd = fs.openSync(path, flagsFor(writable));
  } catch (error) {
    const { errno, code } = error as NodeJS.ErrnoException;
    const gone = code === 'ENOENT' || code === 'ENXIO';
    throw libc.systemError(
      'open',
      name,
      'open',
      gone ? 2 : -(errno ?? 0),
      gone ? `process ${pid ?? process.pid} no longer has it open` : `open failed with ${code}`,
    );
  }
  return new LinuxObject(fd, backing, name);
}

/** Opens by name while the name means the same object, else through the process that made the handle. */
function openHandle(handle: NativeHandle, writable: boolean): LinuxObject {
  const isSame = (object: LinuxObject): boolean =>
    handle.identity === undefined || object.handle.identity === handle.identity;
  if (handle.name !== undefined) {
    const name = normalizePosixName(handle.name);
    try {
      const object = openName(name, writable);
      if (isSame(object)) return object;
      object.close();
    } catch (error) {
      if (handle.osHandle === undefined || (error as SegmentError).code !== 'SEGMENT_NOT_FOUND') throw error;
    }
  }
  if (handle.osHandle !== undefined) {
    const object = openDescriptor(handle.pid, handle.osHandle, writable, handle.backing, handle.name);
    if (isSame(object)) return object;
    object.close();
  }
  throw new SegmentError('SEGMENT_NOT_FOUND', 'cannot open segment by handle: what it named is gone', {
    segment: handle.name,
  });
}

function openForeign(handle: ForeignHandle, writable: boolean): LinuxObject {
  const object = openDescriptor(undefined, handle.osHandle, writable, 'anonymous', undefined);
  if (handle.adopt === true) fs.closeSync(handle.osHandle);
  return object;
}

/** Sizes the nameless file behind `fd` and gives it its permissions. */
function finish(fd: number, options: CreateOptions, backing: Backing): LinuxObject {
  try {
    // PLATFORM: a memfd has no limit of its own; allocating more than there is ends in the out-of-memory killer and not in
    // an error (memfd_create(2), tmpfs(5)). uv_get_available_memory looks at the control group too.
    if (options.size > process.availableMemory()) {
      throw libc.systemError(
        'create',
        undefined,
        'posix_fallocate',
        ENOMEM,
        `no memory for ${options.size} bytes`,
      );
    }
    libc.allocate(fd, options.size, undefined);
    // The mode of open(2) is cut by the umask; the caller's is meant as it is.
    attempt('create', undefined, () => fs.fchmodSync(fd, options.mode));
    return new LinuxObject(fd, backing, undefined);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

// One listener for all, or Node warns of a leak at the eleventh store.
const atExit = new Set<() => void>();
function runAtExit(): void {
  for (const finishUp of atExit) {
    try {
      finishUp();
    } catch {
      // The process ends; what one store could not finish, the next join of its name does.
    }
  }
}

let bootId: string | undefined;

/** Segments of Linux. */
export const linux: Platform = {
  strongOrder: process.arch === 'x64' || process.arch === 'ia32',
  defaultBacking: 'anonymous',
  normalizeName: normalizePosixName,

  createUnpublished(options) {
    const flags = fs.constants.O_RDWR | O_TMPFILE | O_CLOEXEC;
    const fd = attempt('create', undefined, () => fs.openSync(FOLDER, flags, options.mode));
    return finish(fd, options, 'named');
  },

  createAnonymous(options) {
    const raw = libc.createMemoryFile();
    let fd: number;
    try {
      fd = attempt('create', undefined, () => fs.openSync(ownPath(raw), fs.constants.O_RDWR | O_CLOEXEC));
    } finally {
      libc.closeDescriptor(raw);
    }
    return finish(fd, options, 'anonymous');
  },

  createProcess: createProcessObject,

  open(source, writable) {
    if (typeof source === 'string') return openName(normalizePosixName(source), writable);
    if (!('backing' in source)) return openForeign(source, writable);
    if (source.backing === 'process') return createProcessObject(source.buffer);
    return openHandle(source, writable);
  },

  mutexSize: ROBUST_MUTEX_SIZE,
  initializeMutex: initializeRobustMutex,
  mutexAt: (bytes, identity) => new RobustMutex(bytes, identity),

  list() {
    return attempt('list', undefined, () => fs.readdirSync(FOLDER));
  },

  bootId: () => (bootId ??= fs.readFileSync(BOOT_ID_FILE, 'latin1').trim()),
  pid: () => process.pid,

  onExit(finishUp) {
    if (atExit.size === 0) process.once('exit', runAtExit);
    atExit.add(finishUp);
    return () => {
      atExit.delete(finishUp);
      if (atExit.size === 0) process.off('exit', runAtExit);
    };
  },

  warn(message) {
    process.emitWarning(message, 'SharecordWarning');
  },

  markUncloneable: markAsUncloneable,
} satisfies Platform;
