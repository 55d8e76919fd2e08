// The calls into the Windows API that the Windows backend makes through koffi, loaded at the first use; and the translation
// of GetLastError into the error family. Handles and addresses are intptr_t: plain numbers, with -1 and 0 as they are.
import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import { SegmentError, type SegmentErrorCode } from '../errors.ts';
import { shownSegment } from './names.ts';

const PAGE_READWRITE = 4;
export const FILE_MAP_COPY = 1;
export const FILE_MAP_WRITE = 2;
export const FILE_MAP_READ = 4;
/** Stands for memory of the page file where a file is asked for, and for this process where a process is. */
const MINUS_ONE = -1;
/** What CreateFileW gives instead of a handle. */
export const NO_HANDLE = MINUS_ONE;
export const WORD_RANGE = 2 ** 32;
// PLATFORM: an offset must be a multiple of the allocation granularity (MapViewOfFile, Microsoft Learn), 64 KiB everywhere.
const GRANULARITY = 65536;
// PLATFORM: MEMORY_BASIC_INFORMATION of 64-bit Windows (VirtualQuery): 48 bytes, RegionSize at 24, State at 32.
const MEMORY_INFORMATION_SIZE = 48;
const REGION_SIZE_OFFSET = 24;
const STATE_OFFSET = 32;
const MEM_COMMIT = 0x1000;
const DUPLICATE_SAME_ACCESS = 2;
const PROCESS_DUP_HANDLE = 0x40;

export const ERROR_FILE_NOT_FOUND = 2;
export const ERROR_ACCESS_DENIED = 5;
export const ERROR_INVALID_HANDLE = 6;
export const ERROR_SHARING_VIOLATION = 32;
export const ERROR_INVALID_PARAMETER = 87;
export const ERROR_ALREADY_EXISTS = 183;

/** The numbers of winerror.h that have a code of their own. */
const CODES: Readonly<Record<number, SegmentErrorCode>> = {
  [ERROR_FILE_NOT_FOUND]: 'SEGMENT_NOT_FOUND',
  3: 'SEGMENT_NAME', // ERROR_PATH_NOT_FOUND
  4: 'SEGMENT_LIMIT', // ERROR_TOO_MANY_OPEN_FILES
  [ERROR_ACCESS_DENIED]: 'SEGMENT_DENIED',
  8: 'SEGMENT_LIMIT', // ERROR_NOT_ENOUGH_MEMORY
  14: 'SEGMENT_LIMIT', // ERROR_OUTOFMEMORY
  19: 'SEGMENT_DENIED', // ERROR_WRITE_PROTECT
  [ERROR_SHARING_VIOLATION]: 'SEGMENT_DENIED',
  39: 'SEGMENT_LIMIT', // ERROR_HANDLE_DISK_FULL
  112: 'SEGMENT_LIMIT', // ERROR_DISK_FULL
  123: 'SEGMENT_NAME', // ERROR_INVALID_NAME
  161: 'SEGMENT_NAME', // ERROR_BAD_PATHNAME
  [ERROR_ALREADY_EXISTS]: 'SEGMENT_EXISTS',
  1314: 'SEGMENT_DENIED', // ERROR_PRIVILEGE_NOT_HELD: new names in Global\ outside session 0
  1450: 'SEGMENT_LIMIT', // ERROR_NO_SYSTEM_RESOURCES
  1455: 'SEGMENT_LIMIT', // ERROR_COMMITMENT_LIMIT
};

/** How a call went wrong, in the words of the error family. */
export interface Failure {
  readonly act: string;
  readonly segment: string | undefined;
  readonly syscall: string;
  readonly osCode: number;
  /** Where the number alone says too little: another code, and the fact. */
  readonly code?: SegmentErrorCode;
  readonly reason?: string;
  /** What it happened to, if that is no segment. */
  readonly what?: string;
}

/** Translates an answer of GetLastError into the error family. */
export function windowsError({ act, segment, what, syscall, osCode, code, reason }: Failure): SegmentError {
  const named = what ?? shownSegment(segment);
  const fact = reason ?? `${syscall} failed with error ${osCode}`;
  return new SegmentError(code ?? CODES[osCode] ?? 'SEGMENT_OS', `cannot ${act} ${named}: ${fact}`, {
    syscall,
    osCode,
    segment,
  });
}

/** The functions by their own names; each returns what the function returns. */
function load() {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const kernel32 = koffi.load('kernel32.dll');
  return {
    koffi,
    getLastError: kernel32.func('uint32_t __stdcall GetLastError()'),
    closeHandle: kernel32.func('int __stdcall CloseHandle(intptr_t)'),
    createFileMapping: kernel32.func(
      'intptr_t __stdcall CreateFileMappingW(intptr_t, void *, uint32_t, uint32_t, uint32_t, str16)',
    ),
    createFile: kernel32.func(
      'intptr_t __stdcall CreateFileW(str16, uint32_t, uint32_t, void *, uint32_t, uint32_t, intptr_t)',
    ),
    getFileInformation: kernel32.func('int __stdcall GetFileInformationByHandle(intptr_t, void *)'),
    moveFile: kernel32.func('int __stdcall MoveFileExW(str16, str16, uint32_t)'),
    flushFileBuffers: kernel32.func('int __stdcall FlushFileBuffers(intptr_t)'),
    setHandleInformation: kernel32.func('int __stdcall SetHandleInformation(intptr_t, uint32_t, uint32_t)'),
    openFileMapping: kernel32.func('intptr_t __stdcall OpenFileMappingW(uint32_t, int, str16)'),
    mapViewOfFile: kernel32.func(
      'intptr_t __stdcall MapViewOfFile(intptr_t, uint32_t, uint32_t, uint32_t, size_t)',
    ),
    unmapViewOfFile: kernel32.func('int __stdcall UnmapViewOfFile(intptr_t)'),
    flushViewOfFile: kernel32.func('int __stdcall FlushViewOfFile(intptr_t, size_t)'),
    virtualQuery: kernel32.func('size_t __stdcall VirtualQuery(intptr_t, void *, size_t)'),
    createMutex: kernel32.func('intptr_t __stdcall CreateMutexW(void *, int, str16)'),
    openMutex: kernel32.func('intptr_t __stdcall OpenMutexW(uint32_t, int, str16)'),
    releaseMutex: kernel32.func('int __stdcall ReleaseMutex(intptr_t)'),
    waitForSingleObject: kernel32.func('uint32_t __stdcall WaitForSingleObject(intptr_t, uint32_t)'),
    createEvent: kernel32.func('intptr_t __stdcall CreateEventW(void *, int, int, str16)'),
    openEvent: kernel32.func('intptr_t __stdcall OpenEventW(uint32_t, int, str16)'),
    setEvent: kernel32.func('int __stdcall SetEvent(intptr_t)'),
    registerWait: kernel32.func(
      'int __stdcall RegisterWaitForSingleObject(void *, intptr_t, void *, intptr_t, uint32_t, uint32_t)',
    ),
    unregisterWait: kernel32.func('int __stdcall UnregisterWaitEx(intptr_t, intptr_t)'),
    openProcess: kernel32.func('intptr_t __stdcall OpenProcess(uint32_t, int, uint32_t)'),
    duplicateHandle: kernel32.func(
      'int __stdcall DuplicateHandle(intptr_t, intptr_t, intptr_t, void *, uint32_t, int, uint32_t)',
    ),
  };
}

let loaded: ReturnType<typeof load> | undefined;
/** Gives the functions, loading koffi at the first call. */
export const kernel32 = (): ReturnType<typeof load> => (loaded ??= load());

/** The reason of the last failed call; valid as the very next call (docs/windows.md). */
export const lastError = (): number => Number(kernel32().getLastError());

export function closeHandle(handle: number): void {
  kernel32().closeHandle(handle);
}

/**
 * Makes zeroed memory of `size` bytes, under `name` if given. Undefined if that name exists, which is then left alone.
 * `security` is a SECURITY_ATTRIBUTES.
 */
export function createSection(
  size: number,
  name: string | undefined,
  security: Uint8Array,
): number | undefined {
  const high = Math.floor(size / WORD_RANGE);
  const low = size % WORD_RANGE;
  const section = Number(
    kernel32().createFileMapping(MINUS_ONE, security, PAGE_READWRITE, high, low, name ?? null),
  );
  const osCode = lastError();
  if (section === 0) {
    const isOtherKind = osCode === ERROR_INVALID_HANDLE;
    throw windowsError({
      act: 'create',
      segment: name,
      syscall: 'CreateFileMappingW',
      osCode,
      ...(isOtherKind
        ? { code: 'SEGMENT_EXISTS', reason: 'the name belongs to a kernel object of another kind' }
        : {}),
    });
  }
  // PLATFORM: an existing name is opened instead, at its own size, and the last error says so (CreateFileMappingW).
  if (osCode !== ERROR_ALREADY_EXISTS) return section;
  closeHandle(section);
  return undefined;
}

/** Opens a section by name for `access`, a sum of FILE_MAP_ rights and READ_CONTROL. */
export function openSection(name: string, access: number): number {
  const section = Number(kernel32().openFileMapping(access, 0, name));
  if (section !== 0) return section;
  const osCode = lastError();
  const failure = { act: 'open', segment: name, syscall: 'OpenFileMappingW', osCode };
  if (osCode === ERROR_FILE_NOT_FOUND) throw windowsError({ ...failure, reason: 'no segment has this name' });
  if (osCode !== ERROR_INVALID_HANDLE) throw windowsError(failure);
  throw windowsError({
    ...failure,
    code: 'SEGMENT_FOREIGN',
    reason: 'the name belongs to a kernel object of another kind (error 6)',
  });
}

/** A mapped range and the buffer over the part that was asked for. */
export interface MappedView {
  readonly buffer: ArrayBuffer;
  readonly address: number;
  readonly length: number;
}

/** Maps `length` bytes at `offset`, or all of the section with 0; gives the address of the 64 KiB step below `offset`. */
function mapPages(
  section: number,
  access: number,
  offset: number,
  length: number,
  segment: string | undefined,
): number {
  const high = Math.floor(offset / WORD_RANGE);
  const address = Number(kernel32().mapViewOfFile(section, access, high, offset % WORD_RANGE, length));
  if (address !== 0) return address;
  const osCode = lastError();
  const failure = { act: 'map', segment, syscall: 'MapViewOfFile', osCode };
  if (osCode !== ERROR_INVALID_HANDLE) throw windowsError(failure);
  throw windowsError({ ...failure, code: 'SEGMENT_FOREIGN', reason: 'the handle means no memory' });
}

/** Maps a window of a section; neither end need be aligned. MAPPED: the caller keeps both inside the section. */
export function mapView(
  section: number,
  access: number,
  offset: number,
  length: number,
  segment: string | undefined,
): MappedView {
  const lead = offset % GRANULARITY;
  const address = mapPages(section, access, offset - lead, lead + length, segment);
  try {
    const buffer = kernel32().koffi.view(BigInt(address + lead), length);
    return { buffer, address, length: lead + length };
  } catch (error) {
    kernel32().unmapViewOfFile(address);
    throw new SegmentError(
      'SEGMENT_UNSUPPORTED',
      `cannot map ${shownSegment(segment)}: ` +
        'this runtime refuses buffers over foreign memory (Electron does)',
      { cause: error, segment },
    );
  }
}

/** Detaches the buffer, then unmaps the range. */
export function unmapView(view: MappedView): void {
  // A buffer that the caller transferred elsewhere still has the memory: better a leak than a crash.
  if (view.buffer.detached) return;
  // `transfer` leaves every view of the buffer without memory; the second one drops the buffer that still has it.
  view.buffer.transfer().transfer(0);
  kernel32().unmapViewOfFile(view.address);
}

/** Hands the range's changes to the backing store. */
export function flushView(view: MappedView, segment: string | undefined): void {
  if (kernel32().flushViewOfFile(view.address, view.length) !== 0) return;
  throw windowsError({ act: 'flush', segment, syscall: 'FlushViewOfFile', osCode: lastError() });
}

/** A range of pages in one state. */
export interface Region {
  /** Bytes. */
  readonly size: number;
  /** False for pages that are only reserved: touching one ends the process. */
  readonly isCommitted: boolean;
}

/** Tells what begins at a mapped address; undefined if the system does not say. */
export function regionOf(address: number): Region | undefined {
  const answer = new DataView(new ArrayBuffer(MEMORY_INFORMATION_SIZE));
  if (Number(kernel32().virtualQuery(address, answer, MEMORY_INFORMATION_SIZE)) === 0) return undefined;
  return {
    size: Number(answer.getBigUint64(REGION_SIZE_OFFSET, true)),
    isCommitted: answer.getUint32(STATE_OFFSET, true) === MEM_COMMIT,
  };
}

/** Tells the real size of a section, in whole pages: what a request asked for says nothing of an object that existed. */
export function sectionSize(section: number, segment: string | undefined): number {
  const address = mapPages(section, FILE_MAP_READ, 0, 0, segment);
  try {
    const region = regionOf(address);
    if (region === undefined)
      throw windowsError({ act: 'open', segment, syscall: 'VirtualQuery', osCode: lastError() });
    if (region.isCommitted) return region.size;
    throw new SegmentError(
      'SEGMENT_UNSUPPORTED',
      `cannot open segment ${JSON.stringify(segment ?? 'anonymous')}: its pages are reserved, expected committed ones`,
      { segment },
    );
  } finally {
    kernel32().unmapViewOfFile(address);
  }
}

/** Copies a handle from one process to another; undefined stands for this process. Messages say `act`. */
export function duplicateHandle(
  from: number | undefined,
  handle: number,
  to: number | undefined,
  segment: string | undefined,
  act = 'hand over',
): number {
  const source = processHandle(from, segment, act);
  try {
    const target = processHandle(to, segment, act);
    try {
      const copy = new BigInt64Array(1);
      if (kernel32().duplicateHandle(source, handle, target, copy, 0, 0, DUPLICATE_SAME_ACCESS) === 0) {
        const osCode = lastError();
        throw windowsError({
          act,
          segment,
          syscall: 'DuplicateHandle',
          osCode,
          ...(osCode === ERROR_INVALID_HANDLE
            ? { code: 'SEGMENT_NOT_FOUND', reason: `process ${from ?? process.pid} has no such handle` }
            : {}),
        });
      }
      return Number(copy[0]);
    } finally {
      if (target !== MINUS_ONE) closeHandle(target);
    }
  } finally {
    if (source !== MINUS_ONE) closeHandle(source);
  }
}

function processHandle(pid: number | undefined, segment: string | undefined, act: string): number {
  if (pid === undefined || pid === process.pid) return MINUS_ONE;
  const opened = Number(kernel32().openProcess(PROCESS_DUP_HANDLE, 0, pid));
  if (opened !== 0) return opened;
  const osCode = lastError();
  throw windowsError({
    act,
    segment,
    syscall: 'OpenProcess',
    osCode,
    ...(osCode === ERROR_INVALID_PARAMETER
      ? { code: 'SEGMENT_NOT_FOUND', reason: `there is no process ${pid}` }
      : {}),
  });
}
