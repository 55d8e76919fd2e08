// Which sections have names on Windows, and what one begins with. The list is that of the object directory of this session
// (NtOpenDirectoryObject, NtQueryDirectoryObject: documented, but "may be altered"), so without it there are no names.
import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import { closeHandle, FILE_MAP_READ, kernel32, openSection, regionOf } from './kernel32.ts';

const DIRECTORY_QUERY = 1;
const STATUS_SUCCESS = 0;
const STATUS_MORE_ENTRIES = 0x105;
/** Holds any entry: both of its names have at most 65 534 bytes. */
const ANSWER_SIZE = 2 ** 18;
// PLATFORM: 64-bit UNICODE_STRING: length in bytes (16 bits) at 0, room at 2, address at 8; OBJECT_ATTRIBUTES: 48 bytes,
// its own length at 0, the address of the name at 16; OBJECT_DIRECTORY_INFORMATION: the names of an object and its type.
const STRING_SIZE = 16;
const ATTRIBUTES_SIZE = 48;
const TEXT_OFFSET = STRING_SIZE + ATTRIBUTES_SIZE;

function load() {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const ntdll = koffi.load('ntdll.dll');
  return {
    koffi,
    openDirectory: ntdll.func('int32_t __stdcall NtOpenDirectoryObject(void *, uint32_t, intptr_t)'),
    queryDirectory: ntdll.func(
      'int32_t __stdcall NtQueryDirectoryObject(intptr_t, intptr_t, uint32_t, uint8_t, uint8_t, void *, void *)',
    ),
    sessionOf: koffi.load('kernel32.dll').func('int __stdcall ProcessIdToSessionId(uint32_t, void *)'),
  };
}

let loaded: ReturnType<typeof load> | undefined;
const calls = (): ReturnType<typeof load> => (loaded ??= load());

/** Memory of the system's, whose address calls and answers carry. */
interface Native {
  readonly address: number;
  readonly view: DataView;
}

function textAt({ address, view }: Native, at: number): string {
  const start = Number(view.getBigUint64(at + 8, true)) - address;
  const units = new Uint16Array(view.getUint16(at, true) / 2);
  for (let i = 0; i < units.length; i++) units[i] = view.getUint16(start + 2 * i, true);
  return String.fromCharCode(...units);
}

/** Names of the sections in an object directory. */
function sectionsIn(directory: string, prefix: string): string[] {
  const { koffi, openDirectory, queryDirectory } = calls();
  const pointer: unknown = koffi.alloc('uint8_t', ANSWER_SIZE);
  const names: string[] = [];
  try {
    const address = Number(koffi.address(pointer));
    const native = { address, view: new DataView(koffi.view(pointer, ANSWER_SIZE)) };
    const { view } = native;
    view.setUint16(0, 2 * directory.length, true);
    view.setUint16(2, 2 * directory.length, true);
    view.setBigUint64(8, BigInt(address + TEXT_OFFSET), true);
    view.setUint32(STRING_SIZE, ATTRIBUTES_SIZE, true);
    view.setBigUint64(STRING_SIZE + 16, BigInt(address), true);
    for (let i = 0; i < directory.length; i++)
      view.setUint16(TEXT_OFFSET + 2 * i, directory.charCodeAt(i), true);
    const handle = new BigInt64Array(1);
    if (openDirectory(handle, DIRECTORY_QUERY, address + STRING_SIZE) !== STATUS_SUCCESS) return [];
    try {
      const context = new Uint32Array(1);
      for (let isFirst = 1; ; isFirst = 0) {
        const status: unknown = queryDirectory(handle[0], address, ANSWER_SIZE, 1, isFirst, context, null);
        if (status !== STATUS_SUCCESS && status !== STATUS_MORE_ENTRIES) return names;
        if (textAt(native, STRING_SIZE) === 'Section') names.push(prefix + textAt(native, 0));
      }
    } finally {
      closeHandle(Number(handle[0]));
    }
  } finally {
    koffi.free(pointer);
  }
}

/** Names the sections of this session, and those of `Global\`. */
export function listSections(): string[] {
  const session = new Uint32Array(1);
  calls().sessionOf(process.pid, session);
  const [number = 0] = session;
  // Services are in session 0, where both are one.
  const own = number === 0 ? [] : sectionsIn(`\\Sessions\\${number}\\BaseNamedObjects`, '');
  return [...own, ...sectionsIn('\\BaseNamedObjects', number === 0 ? '' : 'Global\\')];
}

/** Copies up to `length` bytes from the start of a section; undefined if they cannot be read. */
export function peekSection(
  name: string,
  length: number,
): { readonly bytes: Uint8Array; readonly size: number } | undefined {
  let section = 0;
  let address = 0;
  try {
    section = openSection(name, FILE_MAP_READ);
    address = Number(kernel32().mapViewOfFile(section, FILE_MAP_READ, 0, 0, 0));
    const region = regionOf(address);
    // MAPPED: pages that are only reserved must not be touched.
    if (region?.isCommitted !== true) return undefined;
    const view = kernel32().koffi.view(BigInt(address), Math.min(length, region.size));
    const bytes = new Uint8Array(view).slice();
    view.transfer().transfer(0);
    return { bytes, size: region.size };
  } catch {
    return undefined;
  } finally {
    if (address !== 0) kernel32().unmapViewOfFile(address);
    if (section !== 0) closeHandle(section);
  }
}
