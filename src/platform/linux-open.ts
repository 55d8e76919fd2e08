// Opening segments on Linux by name, by a handle from another thread or process, or by an inherited descriptor. Everything is
// opened through Node's fs, so that terminating a worker closes its descriptors and frees their locks.
import * as fs from 'node:fs';
import { SegmentError } from '../errors.ts';
import * as libc from './libc.ts';
import { flagsFor, LinuxObject, pathOf } from './linux-object.ts';
import { normalizePosixName } from './names.ts';
import type { Backing, ForeignHandle, NativeHandle } from './platform.ts';

/** Opens the segment of that name. */
export function openName(name: string, writable: boolean): LinuxObject {
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
    // O_NONBLOCK: the descriptor may be a pipe, which is then found to be no memory object.
    fd = fs.openSync(path, flagsFor(writable) | fs.constants.O_NONBLOCK);
  } catch (error) {
    const { errno, code } = error as NodeJS.ErrnoException;
    throw libc.systemError(
      'open',
      name,
      'open',
      -(errno ?? 0),
      code === 'ENOENT' ? `process ${pid ?? process.pid} does not have it open` : `open failed with ${code}`,
    );
  }
  return new LinuxObject(fd, backing, name);
}

/** Opens by name while the name means the same object, else through the process that made the handle. */
export function openHandle(handle: NativeHandle, writable: boolean): LinuxObject {
  const isSame = (object: LinuxObject): boolean =>
    handle.identity === undefined || object.handle.identity === handle.identity;
  if (handle.name !== undefined) {
    const name = normalizePosixName(handle.name);
    try {
      const object = openName(name, writable);
      if (isSame(object)) return object;
      object.close();
    } catch (error) {
      // Whatever the name means now, the process that made the handle may still have the object.
      if (handle.osHandle === undefined) throw error;
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

/** Opens a descriptor that somebody else opened in this process. */
export function openForeign(handle: ForeignHandle, writable: boolean): LinuxObject {
  const object = openDescriptor(undefined, handle.osHandle, writable, 'anonymous', undefined);
  if (handle.adopt === true) fs.closeSync(handle.osHandle);
  return object;
}
