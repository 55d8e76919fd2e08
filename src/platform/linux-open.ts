// Opening segments on Linux by name or path, by a handle from another thread or process, or by an inherited descriptor. Everything is
// opened through Node's fs, so that terminating a worker closes its descriptors and frees their locks.
import * as fs from 'node:fs';
import { SegmentError } from '../errors.ts';
import * as libc from './libc.ts';
import { attempt, flagsFor, LinuxObject, pathOf } from './linux-object.ts';
import { checkFile, normalizePosixName } from './names.ts';
import type { Backing, ForeignHandle, NativeHandle } from './platform.ts';

function openPath(path: string, writable: boolean, backing: 'named' | 'file', place: string): LinuxObject {
  // O_NOFOLLOW and O_NONBLOCK: a squatter's symbolic link or FIFO is an error, not a detour or a hang.
  const flags = flagsFor(writable) | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
  let fd: number;
  try {
    fd = fs.openSync(path, flags);
  } catch (error) {
    const { code, errno, syscall } = error as NodeJS.ErrnoException;
    const nothing = backing === 'named' ? 'no segment has this name' : 'there is no such file';
    const reason = code === 'ENOENT' ? nothing : `open failed with ${code}`;
    throw libc.systemError('open', place, syscall ?? 'open', -(errno ?? 0), reason);
  }
  return new LinuxObject(fd, backing, place);
}

/** Opens the segment of that name. */
export function openName(name: string, writable: boolean): LinuxObject {
  return openPath(pathOf(name), writable, 'named', name);
}

/** Opens a file; links on the way to it are the caller's own. */
function openFile(file: string, writable: boolean): LinuxObject {
  const real = attempt('open', file, () => fs.realpathSync(checkFile(file)));
  return openPath(real, writable, 'file', real);
}

/** Opens the file that process `pid` has as descriptor `osHandle`, as a new open file description. */
function openDescriptor(
  pid: number | undefined,
  osHandle: number,
  writable: boolean,
  backing: Backing,
  place: string | undefined,
): LinuxObject {
  const owner = pid === undefined || pid === process.pid ? 'self' : String(pid);
  const path = `/proc/${owner}/fd/${osHandle}`;
  let fd: number;
  try {
    // O_NONBLOCK: the descriptor may be a pipe, which is then found to be no memory object.
    fd = fs.openSync(path, flagsFor(writable) | fs.constants.O_NONBLOCK);
  } catch (error) {
    const { errno, code } = error as NodeJS.ErrnoException;
    // Who handed it over may use what this process may not open; a copy has the same rights.
    const copy = code === 'EACCES' ? libc.copyDescriptor(pid ?? process.pid, osHandle) : undefined;
    if (copy !== undefined) return new LinuxObject(copy, backing, place, libc.closeDescriptor);
    throw libc.systemError(
      'open',
      place,
      'open',
      -(errno ?? 0),
      code === 'ENOENT' ? `process ${pid ?? process.pid} does not have it open` : `open failed with ${code}`,
    );
  }
  return new LinuxObject(fd, backing, place);
}

/** Opens by name or path while that means the same object, else through the process that made the handle, else as inherited. */
export function openHandle(handle: NativeHandle, writable: boolean): LinuxObject {
  const { backing, name, file, osHandle, pid, identity } = handle;
  const place = backing === 'file' ? file : name;
  const ways: (() => LinuxObject)[] = [];
  if (backing === 'file' && file !== undefined) ways.push(() => openFile(file, writable));
  if (name !== undefined) ways.push(() => openName(normalizePosixName(name), writable));
  if (osHandle !== undefined) {
    ways.push(() => openDescriptor(pid, osHandle, writable, backing, place));
    // An inherited descriptor has the same number here, and needs its maker no more.
    if (identity !== undefined)
      ways.push(() => openDescriptor(undefined, osHandle, writable, backing, place));
  }
  let failure: unknown;
  for (const open of ways) {
    try {
      const object = open();
      if (identity === undefined || object.handle.identity === identity) return object;
      object.close();
    } catch (error) {
      // What the name means now, or has become of the maker, is no obstacle to the next way.
      failure ??= error;
    }
  }
  throw (
    failure ??
    new SegmentError('SEGMENT_NOT_FOUND', 'cannot open segment by handle: what it named is gone', {
      segment: place,
    })
  );
}

/** Opens a descriptor that a program which does not know this library has open. */
export function openForeign({ osHandle, pid, adopt }: ForeignHandle, writable: boolean): LinuxObject {
  const object = openDescriptor(pid, osHandle, writable, 'anonymous', undefined);
  if (adopt === true) object.original = osHandle;
  return object;
}
