// One open of a file as a segment on Windows: the file, a section over it, and its place in the file system. A new file is
// made under a name of its own and renamed when it is finished; a removed one is renamed, and deleted by who closes it last.
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SegmentError } from '../errors.ts';
import {
  closeHandle,
  duplicateHandle,
  ERROR_ACCESS_DENIED,
  ERROR_ALREADY_EXISTS,
  ERROR_FILE_NOT_FOUND,
  ERROR_SHARING_VIOLATION,
  type Failure,
  kernel32,
  lastError,
  NO_HANDLE,
  WORD_RANGE,
  windowsError,
} from './kernel32.ts';
import { checkFile } from './names.ts';
import type {
  Access,
  CreateOptions,
  Doorbell,
  KernelLocks,
  Mapping,
  NativeHandle,
  SegmentObject,
} from './platform.ts';
import { EventDoorbell } from './win32-doorbell.ts';
import { MutexLocks } from './win32-locks.ts';
import { mapSection, shareWithChildren } from './win32-object.ts';
import { isForeign, securityAttributes } from './win32-security.ts';

// GENERIC_READ, and with GENERIC_WRITE.
const TO_READ = 0x8000_0000;
const TO_READ_AND_WRITE = 0xc000_0000;
const FILE_READ_ATTRIBUTES = 0x80;
const SHARE_EVERYTHING = 7;
const CREATE_NEW = 1;
const OPEN_EXISTING = 3;
const FILE_FLAG_BACKUP_SEMANTICS = 0x0200_0000;
const PAGE_READONLY = 2;
const PAGE_READWRITE = 4;
const WITHOUT_REPLACING = 0;
const ERROR_PATH_NOT_FOUND = 3;
// PLATFORM: BY_HANDLE_FILE_INFORMATION (GetFileInformationByHandle): 52 bytes, all 32-bit words: volume at 28, size at 32,
// index at 44, the high words first.
const FILE_INFORMATION_SIZE = 52;
const VOLUME_OFFSET = 28;
const SIZE_OFFSET = 32;
const INDEX_OFFSET = 44;

// PLATFORM: without \\?\ in front a path has at most 260 characters (Maximum Path Length Limitation, Microsoft Learn).
const longPath = (file: string): string => path.toNamespacedPath(file);

function refused(failure: Failure): SegmentError {
  const { osCode } = failure;
  if (osCode === ERROR_SHARING_VIOLATION)
    return windowsError({ ...failure, reason: 'another program has the file open and does not share it' });
  if (osCode === ERROR_FILE_NOT_FOUND) return windowsError({ ...failure, reason: 'there is no such file' });
  if (osCode === ERROR_PATH_NOT_FOUND)
    return windowsError({ ...failure, code: 'SEGMENT_NOT_FOUND', reason: 'there is no such folder' });
  if (
    osCode === ERROR_ACCESS_DENIED &&
    fs.statSync(failure.segment ?? '', { throwIfNoEntry: false })?.isDirectory()
  )
    return windowsError({ ...failure, code: 'SEGMENT_FOREIGN', reason: 'it is a folder, expected a file' });
  return windowsError(failure);
}

function createFile(
  file: string,
  rights: number,
  how: number,
  security: Uint8Array | null,
  act: string,
): number {
  const handle = Number(kernel32().createFile(longPath(file), rights, SHARE_EVERYTHING, security, how, 0, 0));
  if (handle !== NO_HANDLE) return handle;
  throw refused({ act, segment: file, syscall: 'CreateFileW', osCode: lastError() });
}

interface FileFacts {
  /**
   * Volume and index: what tells this file from all others. PLATFORM: Wine says volume 0 of a file that was renamed since it
   * was opened; it then passes for another file, and who opened it looks at the path once more.
   */
  readonly identity: string;
  /** What tells it from the others of its volume. */
  readonly index: bigint;
  /** Bytes. */
  readonly size: number;
}

function factsOf(handle: number, file: string): FileFacts {
  const answer = new DataView(new ArrayBuffer(FILE_INFORMATION_SIZE));
  if (kernel32().getFileInformation(handle, answer) === 0) {
    throw windowsError({
      act: 'open',
      segment: file,
      syscall: 'GetFileInformationByHandle',
      osCode: lastError(),
    });
  }
  const word = (offset: number): number => answer.getUint32(offset, true);
  const index = (BigInt(word(INDEX_OFFSET)) << 32n) | BigInt(word(INDEX_OFFSET + 4));
  return {
    identity: `${word(VOLUME_OFFSET)}-${index}`,
    index,
    size: word(SIZE_OFFSET) * WORD_RANGE + word(SIZE_OFFSET + 4),
  };
}

/** What tells the file that is at this path now from others; undefined if there is none. */
function identityAt(file: string): string | undefined {
  // Folders need FILE_FLAG_BACKUP_SEMANTICS (CreateFileW).
  const handle = Number(
    kernel32().createFile(
      longPath(file),
      FILE_READ_ATTRIBUTES,
      SHARE_EVERYTHING,
      null,
      OPEN_EXISTING,
      FILE_FLAG_BACKUP_SEMANTICS,
      0,
    ),
  );
  if (handle === NO_HANDLE) return undefined;
  try {
    return factsOf(handle, file).identity;
  } finally {
    closeHandle(handle);
  }
}

/** Makes a section of `size` bytes over a file, or with 0 over all of it. */
function sectionOf(handle: number, writable: boolean, size: number, file: string, act: string): number {
  const protection = writable ? PAGE_READWRITE : PAGE_READONLY;
  const high = Math.floor(size / WORD_RANGE);
  const section = Number(
    kernel32().createFileMapping(handle, null, protection, high, size % WORD_RANGE, null),
  );
  if (section !== 0) return section;
  throw windowsError({ act, segment: file, syscall: 'CreateFileMappingW', osCode: lastError() });
}

/** A file that this thread has open. */
export class WindowsFile implements SegmentObject {
  readonly backing = 'file';
  readonly name = undefined;
  readonly outlivesUsers = true;
  readonly size: number;
  readonly foreignOwner: boolean;
  readonly identity: string;
  readonly #file: number;
  /** 0 for an empty file, which has no section. */
  readonly #section: number;
  readonly #index: bigint;
  readonly #locks: MutexLocks;
  /** Where it is: under a name of its own until it is published. */
  #path: string;
  #published: boolean;

  /** Takes over `file`, also when it throws. A size makes it that long. */
  constructor(file: number, at: string, writable: boolean, newSize?: number) {
    this.#file = file;
    this.#path = at;
    this.#published = newSize === undefined;
    try {
      const { identity, index, size } = factsOf(file, at);
      this.identity = identity;
      this.#index = index;
      this.size = newSize ?? size;
      this.foreignOwner = isForeign(file);
      const act = newSize === undefined ? 'open' : 'create';
      // PLATFORM: an empty file cannot be mapped (CreateFileMappingW, error 1006).
      this.#section = this.size === 0 ? 0 : sectionOf(file, writable, newSize ?? 0, at, act);
    } catch (error) {
      closeHandle(file);
      throw error;
    }
    this.#locks = new MutexLocks(this.#base);
  }

  /** Begins the names of the kernel objects around it: the file has one in all sessions of the machine, so have they. */
  get #base(): string {
    return `Global\\sharecord:file:${this.identity}`;
  }

  get place(): string | undefined {
    return this.#published ? this.#path : undefined;
  }

  get handle(): NativeHandle {
    return {
      backing: 'file',
      file: this.#path,
      osHandle: this.#section,
      pid: process.pid,
      identity: this.identity,
      size: this.size,
    };
  }

  handleFor(pid: number): NativeHandle {
    return { ...this.handle, osHandle: duplicateHandle(undefined, this.#section, pid, this.#path), pid };
  }

  map(access: Access, offset: number, length: number): Mapping {
    return mapSection(this.#section, access, offset, length, this.#path, () => this.#flushFile());
  }

  #flushFile(): void {
    // PLATFORM: FlushViewOfFile hands the pages to the system, FlushFileBuffers waits for the disk (FlushViewOfFile).
    if (kernel32().flushFileBuffers(this.#file) !== 0) return;
    throw windowsError({
      act: 'flush',
      segment: this.#path,
      syscall: 'FlushFileBuffers',
      osCode: lastError(),
    });
  }

  mapControl(length: number): Mapping | undefined {
    let file: number | undefined;
    let section: number | undefined;
    try {
      file = createFile(this.#path, TO_READ_AND_WRITE, OPEN_EXISTING, null, 'map');
      if (factsOf(file, this.#path).identity !== this.identity) return undefined;
      section = sectionOf(file, true, 0, this.#path, 'map');
      return mapSection(section, 'read-write', 0, Math.min(length, this.size), this.#path);
    } catch {
      return undefined;
    } finally {
      // A view keeps what it is over (MapViewOfFile).
      if (section !== undefined) closeHandle(section);
      if (file !== undefined) closeHandle(file);
    }
  }

  locks(): KernelLocks {
    return this.#locks;
  }

  doorbell(words: Int32Array, bell: number): Doorbell {
    return new EventDoorbell(this.#base, words, bell);
  }

  publish(place: string): boolean {
    // STEP: create 4, place
    if (kernel32().moveFile(longPath(this.#path), longPath(place), WITHOUT_REPLACING) === 0) {
      const osCode = lastError();
      if (osCode === ERROR_ALREADY_EXISTS) return false;
      throw refused({ act: 'create', segment: place, syscall: 'MoveFileExW', osCode });
    }
    this.#path = place;
    this.#published = true;
    return true;
  }

  named(): boolean {
    return this.#published && identityAt(this.#path) === this.identity;
  }

  replaced(): boolean {
    const found = identityAt(this.#path);
    return found !== undefined && found !== this.identity;
  }

  /** What an unlinked file is called until nobody has it mapped. */
  get #remains(): string {
    return path.join(path.dirname(this.#path), `${this.#index}.sharecord-gone`);
  }

  // Handles of native programs mean sections, never files.
  adopt(): void {}

  unlink(): void {
    // STEP: unlink 1
    if (!this.named()) return;
    // STEP: unlink 2
    // PLATFORM: a mapped file can be renamed, not deleted (DeleteFileW).
    if (kernel32().moveFile(longPath(this.#path), longPath(this.#remains), WITHOUT_REPLACING) !== 0) return;
    throw refused({ act: 'unlink', segment: this.#path, syscall: 'MoveFileExW', osCode: lastError() });
  }

  close(): void {
    if (this.#section !== 0) closeHandle(this.#section);
    // STEP: close 6, file
    closeHandle(this.#file);
    if (this.named()) return;
    try {
      // STEP: close 6, remains
      fs.rmSync(this.#published ? this.#remains : this.#path, { force: true });
    } catch {
      // Somebody else has it mapped, and removes it when that ends.
    }
  }
}

/** Opens a file that is there. */
export function openFile(file: string, writable: boolean): WindowsFile {
  const absolute = path.resolve(checkFile(file));
  const rights = writable ? TO_READ_AND_WRITE : TO_READ;
  return new WindowsFile(createFile(absolute, rights, OPEN_EXISTING, null, 'open'), absolute, writable);
}

/** Makes a file for `place`, which is not there until it is published. */
export function createFileFor(options: CreateOptions, place: string): WindowsFile {
  const draft = path.join(path.dirname(place), `${randomUUID()}.sharecord-new`);
  const security = securityAttributes(options.securityDescriptor);
  let object: WindowsFile;
  try {
    object = new WindowsFile(
      createFile(draft, TO_READ_AND_WRITE, CREATE_NEW, security, 'create'),
      draft,
      true,
      options.size,
    );
  } catch (error) {
    fs.rmSync(draft, { force: true });
    throw error;
  }
  // STEP: create 1, draft
  try {
    if (options.inheritable === true) shareWithChildren(object.handle.osHandle as number);
  } catch (error) {
    object.close();
    throw error;
  }
  return object;
}
