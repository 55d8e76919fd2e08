// The platform of Windows: segments are sections of the page file, which live until their last handle is closed.
import * as os from 'node:os';
import * as path from 'node:path';
import { markAsUncloneable } from 'node:worker_threads';
import { SegmentError } from '../errors.ts';
import { atExit } from './at-exit.ts';
import {
  closeHandle,
  createSection,
  duplicateHandle,
  ERROR_ALREADY_EXISTS,
  FILE_MAP_COPY,
  FILE_MAP_READ,
  FILE_MAP_WRITE,
  openSection,
} from './kernel32.ts';
import { checkFile, normalizeWindowsName } from './names.ts';
import type { Access, CreateOptions, ForeignHandle, NativeHandle, Platform } from './platform.ts';
import { createProcessObject } from './process-memory.ts';
import { randomUUID } from 'node:crypto';
import { windowMessages } from './win32-window.ts';
import { createFileFor, openFile, WindowsFile } from './win32-file.ts';
import { listSections, peekSection } from './win32-list.ts';
import { MutexLocks, WindowsMutex } from './win32-locks.ts';
import { isPresent, shareWithChildren, WindowsObject } from './win32-object.ts';
import { READ_CONTROL, securityAttributes } from './win32-security.ts';

const MS_PER_S = 1000;

/** Rights to ask for. PLATFORM: a copy-on-write view needs a section that may be read, too (MapViewOfFile). */
const SECTION_RIGHTS: Readonly<Record<Access, number>> = {
  read: FILE_MAP_READ,
  'read-write': FILE_MAP_READ | FILE_MAP_WRITE,
  'copy-on-write': FILE_MAP_READ | FILE_MAP_COPY,
};

function openName(name: string, access: Access): WindowsObject {
  const rights = SECTION_RIGHTS[access];
  let section: number;
  try {
    section = openSection(name, rights | READ_CONTROL);
  } catch (error) {
    if ((error as SegmentError).code !== 'SEGMENT_DENIED') throw error;
    // Perhaps only the owner's name is denied; then it counts as another's.
    section = openSection(name, rights);
  }
  return new WindowsObject(section, { name, id: undefined });
}

function gone(name: string | undefined): SegmentError {
  return new SegmentError('SEGMENT_NOT_FOUND', 'cannot open segment by handle: what it named is gone', {
    segment: name,
  });
}

/** Opens what a handle means: by name, or through the process that made it, while the open that gave it lives. */
function openHandle(handle: NativeHandle, access: Access): WindowsObject | WindowsFile {
  if (handle.backing === 'file') return openFileHandle(handle, access === 'read-write');
  const [open, id] = handle.identity?.split('/') ?? [];
  const name = handle.name === undefined ? undefined : normalizeWindowsName(handle.name);
  if (name === undefined && handle.osHandle === undefined) throw gone(name);
  const object =
    name === undefined
      ? new WindowsObject(
          duplicateHandle(handle.pid, handle.osHandle as number, undefined, undefined, 'open'),
          {
            name,
            id,
          },
        )
      : openName(name, access);
  // Asked after the object is open: the answer yes means that it was the handle's until now.
  if (open === undefined || isPresent({ name, id }, open)) return object;
  object.close();
  throw gone(name);
}

function openFileHandle({ file, identity }: NativeHandle, writable: boolean): WindowsFile {
  if (file === undefined) throw gone(file);
  const object = openFile(file, writable);
  if (identity === undefined || object.identity === identity) return object;
  object.close();
  throw gone(file);
}

function openForeign({ osHandle, pid, adopt }: ForeignHandle): WindowsObject {
  const section = duplicateHandle(pid, osHandle, undefined, undefined, 'open');
  const object = new WindowsObject(section, { name: undefined, id: undefined });
  if (adopt === true) object.original = osHandle;
  return object;
}

function create({ size, securityDescriptor, inheritable }: CreateOptions, name: string | undefined) {
  const section = createSection(size, name, securityAttributes(securityDescriptor));
  if (section === undefined) return undefined;
  // STEP: create 1, named
  try {
    if (inheritable === true) shareWithChildren(section);
  } catch (error) {
    closeHandle(section);
    throw error;
  }
  return new WindowsObject(section, { name, id: name === undefined ? randomUUID() : undefined });
}

const refuseRobust = (): never => {
  throw new SegmentError(
    'SEGMENT_UNSUPPORTED',
    'cannot use a mutex in memory: Windows has none, use a named mutex',
  );
};

/** Segments of Windows. */
export const win32: Platform = {
  strongOrder: process.arch === 'x64' || process.arch === 'ia32',
  defaultBacking: 'anonymous',
  namesOutliveUsers: false,
  normalizeName: normalizeWindowsName,
  normalizeFile: (file) => path.resolve(checkFile(file)),
  taken: {
    named: { syscall: 'CreateFileMappingW', osCode: ERROR_ALREADY_EXISTS },
    file: { syscall: 'MoveFileExW', osCode: ERROR_ALREADY_EXISTS },
  },

  createUnpublished: create,
  createFile: createFileFor,
  createAnonymous: (options) => create(options, undefined) as WindowsObject,
  createProcess: createProcessObject,
  locksOf: (name) => new MutexLocks(name.replace(/^Local\\/, '')),

  open(source, access) {
    if (typeof source === 'string') return openName(normalizeWindowsName(source), access);
    if (!('backing' in source)) return openForeign(source);
    if (source.backing === 'process') return createProcessObject(source.buffer);
    return openHandle(source, access);
  },

  mutexSize: 0,
  initializeMutex: refuseRobust,
  mutexAt: refuseRobust,
  openMutex: (name, securityDescriptor) => new WindowsMutex(normalizeWindowsName(name), securityDescriptor),

  messages: windowMessages,

  list: listSections,
  peek: peekSection,

  // Nothing here outlives the machine; the second of its start is told for those who look.
  bootId: () => `started ${Math.round(Date.now() / MS_PER_S - os.uptime())}`,
  pid: () => process.pid,
  onExit: atExit,

  warn(message) {
    process.emitWarning(message, 'SharecordWarning');
  },

  markUncloneable: markAsUncloneable,
};
