// The platform of Linux: segments are files of the memory file system behind shm_open(3), and memfd files without a name.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { markAsUncloneable } from 'node:worker_threads';
import { SegmentError } from '../errors.ts';
import { atExit } from './at-exit.ts';
import * as libc from './libc.ts';
import { openDraft } from './linux-draft.ts';
import { attempt, flagsFor, FOLDER, LinuxObject, ownPath, pathOf } from './linux-object.ts';
import { openForeign, openHandle, openName } from './linux-open.ts';
import { checkFile, normalizePosixName } from './names.ts';
import type { Backing, CreateOptions, Platform } from './platform.ts';
import { createProcessObject } from './process-memory.ts';
import { initializeRobustMutex, ROBUST_MUTEX_SIZE, RobustMutex } from './robust-mutex.ts';

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';
// PLATFORM: O_TMPFILE makes a file without a name that linkat(2) can name later (open(2)); it contains O_DIRECTORY.
const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY;
const ENOMEM = 12;
const EOPNOTSUPP = 95;
const TAKEN = { syscall: 'linkat', osCode: libc.EEXIST };

/** Makes a file without a name in a folder. */
function openNameless(folder: string, mode: number, place: string | undefined): number {
  return attempt('create', place, () => fs.openSync(folder, flagsFor(true) | O_TMPFILE, mode));
}

/** Sizes the nameless file behind `fd`, gives it its permissions, and hands it on to children if asked to. */
function finish(
  fd: number,
  options: CreateOptions,
  backing: Backing,
  place?: string,
  draft?: string,
): LinuxObject {
  try {
    // PLATFORM: a memfd has no limit of its own; allocating more than there is ends in the out-of-memory killer and not in
    // an error (memfd_create(2), tmpfs(5)). uv_get_available_memory looks at the control group too.
    // Without a descriptor left it cannot look, and says 0.
    const available = process.availableMemory();
    if (backing !== 'file' && available > 0 && options.size > available) {
      throw libc.systemError(
        'create',
        place,
        'posix_fallocate',
        ENOMEM,
        `no memory for ${options.size} bytes`,
      );
    }
    // STEP: create 1, allocate
    libc.allocate(fd, options.size, place);
    // The mode of open(2) is cut by the umask; the caller's is meant as it is.
    attempt('create', place, () => fs.fchmodSync(fd, options.mode));
    if (options.inheritable === true) libc.keepOnExec(fd);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  const object = new LinuxObject(fd, backing, undefined, fs.closeSync, place);
  object.draft = draft;
  return object;
}

let bootId: string | undefined;

/** Segments of Linux. */
export const linux: Platform = {
  strongOrder: process.arch === 'x64' || process.arch === 'ia32',
  defaultBacking: 'anonymous',
  namesOutliveUsers: true,
  normalizeName: normalizePosixName,
  normalizeFile: (file) => path.resolve(checkFile(file)),
  taken: { named: TAKEN, file: TAKEN },

  createUnpublished: (options, name) =>
    finish(openNameless(FOLDER, options.mode, name), options, 'named', name),

  createFile(options, file) {
    const folder = path.dirname(file);
    try {
      return finish(openNameless(folder, options.mode, file), options, 'file', file);
    } catch (error) {
      if (!(error instanceof SegmentError && error.osCode === EOPNOTSUPP)) throw error;
    }
    // PLATFORM: network file systems, and overlays of Linux before 6.1, have no files without a name (open(2)).
    const { draft, fd } = openDraft(file, options.mode);
    try {
      return finish(fd, options, 'file', file, draft);
    } catch (error) {
      fs.rmSync(draft, { force: true });
      throw error;
    }
  },

  createAnonymous(options) {
    const raw = libc.createMemoryFile();
    let fd: number;
    try {
      fd = attempt('create', undefined, () => fs.openSync(ownPath(raw), flagsFor(true)));
    } finally {
      libc.closeDescriptor(raw);
    }
    return finish(fd, options, 'anonymous');
  },

  createProcess: createProcessObject,

  open(source, access) {
    const writable = access === 'read-write';
    if (typeof source === 'string') return openName(normalizePosixName(source), writable);
    if (!('backing' in source)) return openForeign(source, writable);
    if (source.backing === 'process') return createProcessObject(source.buffer);
    return openHandle(source, writable);
  },

  mutexSize: ROBUST_MUTEX_SIZE,
  initializeMutex: initializeRobustMutex,
  mutexAt: (bytes, identity) => new RobustMutex(bytes, identity),

  list() {
    return attempt('list', undefined, () => fs.readdirSync(FOLDER), 'segments');
  },

  peek(name, length) {
    let fd: number;
    try {
      fd = fs.openSync(pathOf(name), flagsFor(false) | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    } catch {
      return undefined;
    }
    try {
      const stats = fs.fstatSync(fd);
      if (!stats.isFile()) return undefined;
      const bytes = new Uint8Array(Math.min(length, stats.size));
      return { bytes: bytes.subarray(0, fs.readSync(fd, bytes, 0, bytes.length, 0)), size: stats.size };
    } catch {
      return undefined;
    } finally {
      fs.closeSync(fd);
    }
  },

  bootId: () => (bootId ??= fs.readFileSync(BOOT_ID_FILE, 'latin1').trim()),
  pid: () => process.pid,

  onExit: atExit,

  warn(message) {
    process.emitWarning(message, 'SharecordWarning');
  },

  markUncloneable: markAsUncloneable,
} satisfies Platform;
