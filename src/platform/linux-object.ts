// One open of a segment on Linux: its descriptor, mappings, locks, doorbell and name.
import * as fs from 'node:fs';
import { SegmentError } from '../errors.ts';
import * as libc from './libc.ts';
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
export const O_CLOEXEC = 0o2000000;

export const pathOf = (name: string): string => `${FOLDER}/${name}`;
export const ownPath = (fd: number): string => `/proc/self/fd/${fd}`;
const identityOf = (stats: fs.BigIntStats): string => `${stats.dev}:${stats.ino}`;

export const flagsFor = (writable: boolean): number =>
  (writable ? fs.constants.O_RDWR : fs.constants.O_RDONLY) | O_CLOEXEC;

/** Runs a call of `fs` and translates its error. */
export function attempt<T>(act: string, segment: string | undefined, call: () => T): T {
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
    try {
      fs.writeSync(this.#fd, this.#clapper, 0, 1, this.#byte);
    } catch {
      // The write is committed; watchers find it by their timed sleep.
    }
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

/** The file behind a segment, as one thread has it open. */
export class LinuxObject implements SegmentObject {
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
