// One open of a segment on Windows: a section of the page file, with a name or without, and the kernel objects around it.
import { randomUUID } from 'node:crypto';
import {
  closeHandle,
  duplicateHandle,
  FILE_MAP_COPY,
  FILE_MAP_READ,
  FILE_MAP_WRITE,
  flushView,
  kernel32,
  lastError,
  mapView,
  openSection,
  sectionSize,
  unmapView,
  windowsError,
} from './kernel32.ts';
import type { Access, Doorbell, KernelLocks, Mapping, NativeHandle, SegmentObject } from './platform.ts';
import { EventDoorbell } from './win32-doorbell.ts';
import { MutexLocks } from './win32-locks.ts';
import { isForeign, securityAttributes } from './win32-security.ts';

const SYNCHRONIZE = 0x10_0000;
const HANDLE_FLAG_INHERIT = 1;
const MANUAL_RESET = 1;
const RIGHTS: Readonly<Record<Access, number>> = {
  read: FILE_MAP_READ,
  'read-write': FILE_MAP_READ | FILE_MAP_WRITE,
  'copy-on-write': FILE_MAP_COPY,
};

/** Maps a part of a section; `flushFile` runs behind each flush of a mapping that can change a file. */
export function mapSection(
  section: number,
  access: Access,
  offset: number,
  length: number,
  segment: string | undefined,
  flushFile: () => void = () => {},
): Mapping {
  const view = mapView(section, RIGHTS[access], offset, length, segment);
  return {
    buffer: view.buffer,
    flush() {
      if (access !== 'read-write') return;
      flushView(view, segment);
      flushFile();
    },
    unmap: () => unmapView(view),
  };
}

/** Lets child processes have a handle under the same number. */
export function shareWithChildren(handle: number): void {
  if (kernel32().setHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) !== 0) return;
  throw windowsError({
    act: 'create',
    segment: undefined,
    syscall: 'SetHandleInformation',
    osCode: lastError(),
  });
}

/** What tells one segment from all others. */
export interface SectionKey {
  readonly name: string | undefined;
  /** Of a segment without a name: what all its opens have in common. Undefined for a bare handle. */
  readonly id: string | undefined;
}

/** Begins the names of the kernel objects around a segment. PLATFORM: `Local\x` and `x` are one name. */
function baseOf({ name, id }: SectionKey): string | undefined {
  if (name !== undefined) return name.replace(/^Local\\/, '');
  return id === undefined ? undefined : `sharecord:anonymous:${id}`;
}

/** The event that exists while one open of a segment does. */
function presenceName(key: SectionKey, open: string): string {
  return `${key.name?.startsWith('Global\\') === true ? 'Global\\' : ''}sharecord:open:${open}`;
}

/** True while the open exists that made a handle with this identity. */
export function isPresent(key: SectionKey, open: string): boolean {
  const event = Number(kernel32().openEvent(SYNCHRONIZE, 0, presenceName(key, open)));
  if (event === 0) return false;
  closeHandle(event);
  return true;
}

/** A section that this thread has open. */
export class WindowsObject implements SegmentObject {
  readonly backing: 'named' | 'anonymous';
  readonly name: string | undefined;
  readonly outlivesUsers = false;
  readonly size: number;
  readonly foreignOwner: boolean;
  readonly identity: string;
  readonly #section: number;
  readonly #key: SectionKey;
  readonly #open = randomUUID();
  /** A handle of this process that was handed over for good. */
  original: number | undefined;
  /** Keeps this open's name alive: a handle is good as long as the open that gave it. */
  readonly #presence: number;

  /** Takes over `section`, also when it throws. */
  constructor(section: number, key: SectionKey) {
    this.#section = section;
    this.#key = key;
    this.name = key.name;
    this.backing = key.name === undefined ? 'anonymous' : 'named';
    this.identity = baseOf(key) ?? `handle:${section}`;
    try {
      this.size = sectionSize(section, key.name);
      this.foreignOwner = isForeign(section);
      const name = presenceName(key, this.#open);
      // STEP: presence 1
      this.#presence = Number(kernel32().createEvent(securityAttributes(undefined), MANUAL_RESET, 0, name));
      if (this.#presence === 0) {
        throw windowsError({
          act: 'open',
          segment: key.name,
          syscall: 'CreateEventW',
          osCode: lastError(),
        });
      }
    } catch (error) {
      closeHandle(section);
      throw error;
    }
  }

  get place(): string | undefined {
    return this.name;
  }

  get handle(): NativeHandle {
    const { name, id } = this.#key;
    return {
      backing: this.backing,
      ...(name === undefined ? {} : { name }),
      osHandle: this.#section,
      pid: process.pid,
      identity: id === undefined ? this.#open : `${this.#open}/${id}`,
      size: this.size,
    };
  }

  handleFor(pid: number): NativeHandle {
    return { ...this.handle, osHandle: duplicateHandle(undefined, this.#section, pid, this.name), pid };
  }

  map(access: Access, offset: number, length: number): Mapping {
    return mapSection(this.#section, access, offset, length, this.name);
  }

  mapControl(length: number): Mapping | undefined {
    let section = this.#section;
    try {
      if (this.name !== undefined) section = openSection(this.name, FILE_MAP_READ | FILE_MAP_WRITE);
      return mapSection(section, 'read-write', 0, Math.min(length, this.size), this.name);
    } catch {
      return undefined;
    } finally {
      // PLATFORM: a view keeps its section's memory, though not its name (MapViewOfFile); the name lives by #section.
      if (section !== this.#section) closeHandle(section);
    }
  }

  locks(): KernelLocks {
    return new MutexLocks(baseOf(this.#key));
  }

  doorbell(words: Int32Array, bell: number): Doorbell {
    return new EventDoorbell(baseOf(this.#key), words, bell);
  }

  publish(): boolean {
    return true;
  }

  // PLATFORM: a name means the same section as long as anybody has that open, and this is such a one (CreateFileMappingW).
  named(): boolean {
    return this.name !== undefined;
  }
  replaced(): boolean {
    return false;
  }
  unlink(): void {}

  adopt(): void {
    const { original } = this;
    this.original = undefined;
    if (original !== undefined) closeHandle(original);
  }

  close(): void {
    // In this order: who still finds the event may use the number of the section.
    // STEP: presence 2
    closeHandle(this.#presence);
    // STEP: close 6, section
    closeHandle(this.#section);
  }
}
