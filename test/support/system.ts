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
    openMutex: kernel32.func('intptr_t __stdcall OpenMutexW(uint32_t, int, str16)'),
    createMutex: kernel32.func('intptr_t __stdcall CreateMutexW(void *, int, str16)'),
    query: kernel32.func('size_t __stdcall VirtualQuery(intptr_t, void *, size_t)'),
    listHandles: koffi
      .load('ntdll.dll')
      .func('int32_t __stdcall NtQuerySystemInformation(int, void *, uint32_t, void *)'),
  };
}
let windows: ReturnType<typeof loadWindows> | undefined;
const kernel32 = (): ReturnType<typeof loadWindows> => (windows ??= loadWindows());

const FILE_MAP_WRITE = 2;
const FILE_MAP_READ = 4;
const SYNCHRONIZE = 0x10_0000;
const PAGE_READWRITE = 4;
const NO_FILE = -1;

/** True while some segment has this name. */
export function isNamed(name: string): boolean {
  if (!onWindows) return fs.existsSync(pathOf(name));
  const section = Number(kernel32().open(FILE_MAP_READ, 0, name));
  if (section === 0) return false;
  kernel32().close(section);
  return true;
}

/** True while a mutex of the system, or memory that stands for one, has this name. */
export function isMutexNamed(name: string): boolean {
  if (!onWindows) return isNamed(name);
  const mutex = Number(kernel32().openMutex(SYNCHRONIZE, 0, name));
  if (mutex === 0) return false;
  kernel32().close(mutex);
  return true;
}

/** Holds a mutex of Windows open, and leaves it free. */
export function keepMutex(name: string): { close(): void } {
  const mutex = Number(kernel32().createMutex(null, 0, name));
  if (mutex === 0) throw new Error(`cannot open the mutex ${name}`);
  return { close: () => void kernel32().close(mutex) };
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

/**
 * Counts the handles of this process. PLATFORM: GetProcessHandleCount of Wine always says 0, the list of all handles
 * (SystemExtendedHandleInformation) does not: a count, a word, then 40 bytes each, the process at 8.
 */
function countHandles(): number {
  const SYSTEM_EXTENDED_HANDLE_INFORMATION = 64;
  const TOO_SMALL = 0xc000_0004 | 0;
  for (let size = 2 ** 20; ; size *= 2) {
    const answer = new DataView(new ArrayBuffer(size));
    const status: unknown = kernel32().listHandles(SYSTEM_EXTENDED_HANDLE_INFORMATION, answer, size, null);
    if (status === TOO_SMALL) continue;
    if (status !== 0) throw new Error(`cannot list handles: status ${String(status)}`);
    let own = 0;
    for (let i = 0; i < Number(answer.getBigUint64(0, true)); i++)
      if (Number(answer.getBigUint64(16 + 40 * i + 8, true)) === process.pid) own++;
    return own;
  }
}

/** Counts the views of sections that this process has mapped: ranges of type MEM_MAPPED, by their first address. */
function countViews(): number {
  const MEM_MAPPED = 0x4_0000;
  const views = new Set<bigint>();
  const range = new DataView(new ArrayBuffer(48));
  for (let address = 0; kernel32().query(address, range, 48) !== 0;) {
    if (range.getUint32(40, true) === MEM_MAPPED) views.add(range.getBigUint64(8, true));
    address = Number(range.getBigUint64(0, true) + range.getBigUint64(24, true));
  }
  return views.size;
}

/** Counts what this process holds of the system: descriptors and mappings of segments, or handles and views. */
export function countHeld(): Readonly<Record<string, number>> {
  if (onWindows) {
    return { handles: countHandles(), views: countViews() };
  }
  return {
    descriptors: fs.readdirSync('/proc/self/fd').length,
    mappings: fs
      .readFileSync('/proc/self/maps', 'latin1')
      .split('\n')
      .filter((line) => /\/dev\/shm\/|\/memfd:|sharecord-test/.test(line)).length,
  };
}

/**
 * How much more this process holds now, of the kind that grew most. On Windows a few handles come and go by themselves: judge
 * many opens together.
 */
export function heldMore(before: ReturnType<typeof countHeld>): number {
  const now = countHeld();
  return Math.max(...Object.keys(now).map((kind) => now[kind]! - before[kind]!));
}
