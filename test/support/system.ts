// What the tests ask of the system behind the library's back: which names exist, what this process holds, and memory as a
// program without this library makes it.
import * as fs from 'node:fs';
import koffi from 'koffi';

export const onWindows = process.platform === 'win32';
const PAGE = 4096;

/** Where Linux keeps segments as files. */
export const pathOf = (name: string): string => `/dev/shm/${name}`;

/** Bytes of a segment that was made with `size` bytes: whole pages on Windows. */
export const wholeSize = (size: number): number => (onWindows ? Math.ceil(size / PAGE) * PAGE : size);

/** Names that no segment can have here. */
export const BAD_NAMES: readonly unknown[] = ['', 'a\\b', 'a\0b', 'x'.repeat(201), '\ud800', 5].concat(
  onWindows ? ['Local\\', 'local\\x', 'Session\\x', '\\x'] : ['/', 'a/b', '.', '..', '/..'],
);

function loadWindows() {
  const kernel32 = koffi.load('kernel32.dll');
  return {
    create: kernel32.func(
      'intptr_t __stdcall CreateFileMappingW(intptr_t, void *, uint32_t, uint32_t, uint32_t, str16)',
    ),
    open: kernel32.func('intptr_t __stdcall OpenFileMappingW(uint32_t, int, str16)'),
    map: kernel32.func('intptr_t __stdcall MapViewOfFile(intptr_t, uint32_t, uint32_t, uint32_t, size_t)'),
    unmap: kernel32.func('int __stdcall UnmapViewOfFile(intptr_t)'),
    close: kernel32.func('int __stdcall CloseHandle(intptr_t)'),
    countHandles: kernel32.func('int __stdcall GetProcessHandleCount(intptr_t, void *)'),
  };
}
let windows: ReturnType<typeof loadWindows> | undefined;
const kernel32 = (): ReturnType<typeof loadWindows> => (windows ??= loadWindows());

const FILE_MAP_WRITE = 2;
const FILE_MAP_READ = 4;
const PAGE_READWRITE = 4;
const NO_FILE = -1;
const THIS_PROCESS = -1;

/** True while some segment has this name. */
export function isNamed(name: string): boolean {
  if (!onWindows) return fs.existsSync(pathOf(name));
  const section = Number(kernel32().open(FILE_MAP_READ, 0, name));
  if (section === 0) return false;
  kernel32().close(section);
  return true;
}

/** Memory of a name that another program made. */
export interface Foreign {
  /** What it holds now. */
  content(): Buffer;
  remove(): void;
}

/** Makes memory with this content under the name, without the library. */
export function putForeign(name: string, content: Uint8Array): Foreign {
  if (!onWindows) {
    fs.writeFileSync(pathOf(name), content, { mode: 0o600 });
    return {
      content: () => fs.readFileSync(pathOf(name)),
      remove: () => fs.unlinkSync(pathOf(name)),
    };
  }
  const { create, map, unmap, close } = kernel32();
  const section = Number(create(NO_FILE, null, PAGE_READWRITE, 0, content.length, name));
  const address = Number(map(section, FILE_MAP_WRITE, 0, 0, 0));
  if (section === 0 || address === 0) throw new Error(`cannot make memory named ${name}`);
  const bytes = new Uint8Array(koffi.view(BigInt(address), content.length));
  bytes.set(content);
  return {
    content: () => Buffer.from(bytes),
    remove() {
      unmap(address);
      close(section);
    },
  };
}

/** Counts what this process holds of the system: descriptors and mappings of segments, or handles. */
export function countHeld(): Readonly<Record<string, number>> {
  if (onWindows) {
    const count = new Uint32Array(1);
    kernel32().countHandles(THIS_PROCESS, count);
    return { handles: count[0] ?? 0 };
  }
  return {
    descriptors: fs.readdirSync('/proc/self/fd').length,
    mappings: fs
      .readFileSync('/proc/self/maps', 'latin1')
      .split('\n')
      .filter((line) => line.includes('/dev/shm/')).length,
  };
}
