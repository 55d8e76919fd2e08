// Structs that systems publish in their own headers, said in the layout language: the compiler that reads the header is the judge of
// sizes, alignments and the offset of every named field, and of what a few of them hold.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Abi } from '../../src/layout/abi.ts';
import { array, bits, bytes, pad } from '../../src/layout/composites.ts';
import {
  bool32,
  filetime,
  i16,
  i32,
  i64,
  long,
  pointer,
  sizeT,
  u16,
  u32,
  u64,
  u8,
  ulong,
} from '../../src/layout/numbers.ts';
import { insideOf, type Shape } from '../../src/layout/shape.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char, wchar } from '../../src/layout/text-types.ts';
import type { Layout } from '../../src/layout/types.ts';

// A name that begins with `$` stands for an anonymous member of the header.
const Timeval = struct('Timeval', { tv_sec: long, tv_usec: long });
const LINUX: readonly (readonly [header: string, type: string, layout: Layout])[] = [
  ['linux/input.h', 'struct input_event', struct('Input', { time: Timeval, type: u16, code: u16, value: i32 })],
  ['utmp.h', 'struct utmp', struct('Utmp', {
    ut_type: i16, ut_pid: i32, ut_line: char(32, { terminated: false }), ut_id: char(4, { terminated: false }),
    ut_user: char(32, { terminated: false }), ut_host: char(256, { terminated: false }),
    ut_exit: struct('Exit', { e_termination: i16, e_exit: i16 }), ut_session: i32,
    ut_tv: struct('Tv', { tv_sec: i32, tv_usec: i32 }), ut_addr_v6: array(i32, 4),
  }, { size: 384, offsets: { ut_type: 0 }, abi: 'linux64' })],
  ['linux/io_uring.h', 'struct io_uring_cqe', struct('Cqe', { user_data: u64, res: i32, flags: u32 })],
  ['linux/io_uring.h', 'struct io_uring_sqe', struct('Sqe', {
    opcode: u8, flags: u8, ioprio: u16, fd: i32,
    $a: union('A', { off: u64, addr2: u64, $c: struct('C', { cmd_op: u32, __pad1: u32 }) }),
    $b: union('B', { addr: u64, splice_off_in: u64 }), len: u32,
    $d: union('D', { rw_flags: u32, poll_events: u16, poll32_events: u32 }), user_data: u64,
    $e: union('E', { buf_index: u16, buf_group: u16 }, { pack: 1 }), personality: u16,
    $f: union('F', { splice_fd_in: i32, file_index: u32, $g: struct('G', { addr_len: u16, __pad3: array(u16, 1) }) }),
    $h: union('H', { $i: struct('I', { addr3: u64, __pad2: array(u64, 1) }) }),
  })],
  ['sound/asound.h', 'snd_pcm_uframes_t', struct('Frames', { value: ulong })],
  ['linux/fb.h', 'struct fb_fix_screeninfo', struct('Fix', {
    id: char(16, { terminated: false }), smem_start: ulong, smem_len: u32, type: u32, type_aux: u32, visual: u32,
    xpanstep: u16, ypanstep: u16, ywrapstep: u16, line_length: u32, mmio_start: ulong, mmio_len: u32, accel: u32,
    capabilities: u16, reserved: array(u16, 2),
  })],
  ['linux/perf_event.h', 'struct perf_event_mmap_page', struct('Page', {
    version: u32, compat_version: u32, lock: u32, index: u32, offset: i64, time_enabled: u64, time_running: u64,
    $cap: union('Cap', { capabilities: u64, $bits: bits(u64, {
      cap_bit0: 1, cap_bit0_is_deprecated: 1, cap_user_rdpmc: 1, cap_user_time: 1, cap_user_time_zero: 1, cap_user_time_short: 1, cap_rest: 58 }) }),
    pmc_width: u16, time_shift: u16, time_mult: u32, time_offset: u64, time_zero: u64, size: u32, __reserved_1: u32,
    time_cycles: u64, time_mask: u64, __reserved: bytes(116 * 8), data_head: u64, data_tail: u64, data_offset: u64, data_size: u64,
    aux_head: u64, aux_tail: u64, aux_offset: u64, aux_size: u64,
  })],
  ['linux/videodev2.h', 'struct v4l2_event', struct('Event', {
    type: u32, u: union('U', { data: bytes(64), vsync: struct('Vsync', { field: u8 }), $align: u64 }), pending: u32, sequence: u32,
    timestamp: struct('Timespec', { tv_sec: long, tv_nsec: long }), id: u32, reserved: array(u32, 8),
  })],
  ['linux/can.h', 'struct can_frame', struct('Can', {
    can_id: u32, $len: union('Len', { len: u8, can_dlc: u8 }), __pad: u8, __res0: u8, len8_dlc: u8, // aligned(8) in the header
        $data: union('Data', { data: bytes(8), $align: u64 }) })],
  ['sys/shm.h', 'struct shmid_ds', struct('Shm', {
    shm_perm: struct('Perm', { __key: i32, uid: u32, gid: u32, cuid: u32, cgid: u32, mode: u32, __seq: u16, $p: pad(2),
      __glibc_reserved1: ulong, __glibc_reserved2: ulong }),
    shm_segsz: sizeT, shm_atime: i64, shm_dtime: i64, shm_ctime: i64, shm_cpid: i32, shm_lpid: i32, shm_nattch: ulong,
    __glibc_reserved5: ulong, __glibc_reserved6: ulong }, { abi: 'linux64' })],
]; // prettier-ignore

const Point = struct('Point', { x: i32, y: i32 });
const Rect = struct('Rect', { left: i32, top: i32, right: i32, bottom: i32 });
const Coord = struct('Coord', { X: i16, Y: i16 });
const WINDOWS: readonly (readonly [header: string, type: string, layout: Layout])[] = [
  ['windows.h', 'SYSTEMTIME', struct('SystemTime', {
    wYear: u16, wMonth: u16, wDayOfWeek: u16, wDay: u16, wHour: u16, wMinute: u16, wSecond: u16, wMilliseconds: u16 })],
  ['windows.h', 'WIN32_FIND_DATAW', struct('Find', {
    dwFileAttributes: u32, ftCreationTime: filetime, ftLastAccessTime: filetime, ftLastWriteTime: filetime, nFileSizeHigh: u32,
    nFileSizeLow: u32, dwReserved0: u32, dwReserved1: u32, cFileName: wchar(260), cAlternateFileName: wchar(14) })],
  ['windows.h', 'MEMORYSTATUSEX', struct('Memory', {
    dwLength: u32, dwMemoryLoad: u32, ullTotalPhys: u64, ullAvailPhys: u64, ullTotalPageFile: u64, ullAvailPageFile: u64,
    ullTotalVirtual: u64, ullAvailVirtual: u64, ullAvailExtendedVirtual: u64 })],
  ['windows.h', 'WINDOWPLACEMENT', struct('Placement', {
    length: u32, flags: u32, showCmd: u32, ptMinPosition: Point, ptMaxPosition: Point, rcNormalPosition: Rect })],
  ['windows.h', 'CONSOLE_SCREEN_BUFFER_INFOEX', struct('Console', {
    cbSize: u32, dwSize: Coord, dwCursorPosition: Coord, wAttributes: u16, srWindow: struct('Small', { Left: i16, Top: i16, Right: i16, Bottom: i16 }),
    dwMaximumWindowSize: Coord, wPopupAttributes: u16, bFullscreenSupported: bool32, ColorTable: array(u32, 16) })],
  ['windows.h', 'INPUT', struct('Input', { type: u32, $u: union('U', {
    mi: struct('Mouse', { dx: i32, dy: i32, mouseData: u32, dwFlags: u32, time: u32, dwExtraInfo: sizeT }),
    ki: struct('Key', { wVk: u16, wScan: u16, dwFlags: u32, time: u32, dwExtraInfo: sizeT }),
    hi: struct('Hardware', { uMsg: u32, wParamL: u16, wParamH: u16 }) }) })],
  ['windows.h', 'LOGFONTW', struct('Font', {
    lfHeight: i32, lfWidth: i32, lfEscapement: i32, lfOrientation: i32, lfWeight: i32, lfItalic: u8, lfUnderline: u8, lfStrikeOut: u8,
    lfCharSet: u8, lfOutPrecision: u8, lfClipPrecision: u8, lfQuality: u8, lfPitchAndFamily: u8, lfFaceName: wchar(32) })],
  ['windows.h', 'OVERLAPPED', struct('Overlapped', {
    Internal: sizeT, InternalHigh: sizeT, $u: union('U', { $s: struct('S', { Offset: u32, OffsetHigh: u32 }), Pointer: pointer }), hEvent: pointer })],
  ['windows.h', 'BITMAPFILEHEADER', struct('Bitmap', { bfType: u16, bfSize: u32, bfReserved1: u16, bfReserved2: u16, bfOffBits: u32 }, { pack: 2 })],
  ['windows.h', 'DEVMODEA', struct('Mode', {
    dmDeviceName: char(32), dmSpecVersion: u16, dmDriverVersion: u16, dmSize: u16, dmDriverExtra: u16, dmFields: u32,
    $u: union('U', {
      $p: struct('P', { dmOrientation: i16, dmPaperSize: i16, dmPaperLength: i16, dmPaperWidth: i16, dmScale: i16, dmCopies: i16, dmDefaultSource: i16, dmPrintQuality: i16 }),
      $q: struct('Q', { dmPosition: Point, dmDisplayOrientation: u32, dmDisplayFixedOutput: u32 }) }),
    dmColor: i16, dmDuplex: i16, dmYResolution: i16, dmTTOption: i16, dmCollate: i16, dmFormName: char(32), dmLogPixels: u16, dmBitsPerPel: u32,
    dmPelsWidth: u32, dmPelsHeight: u32, $v: union('V', { dmDisplayFlags: u32, dmNup: u32 }), dmDisplayFrequency: u32, dmICMMethod: u32, dmICMIntent: u32,
    dmMediaType: u32, dmDitherType: u32, dmReserved1: u32, dmReserved2: u32, dmPanningWidth: u32, dmPanningHeight: u32 })],
  ['mmreg.h', 'WAVEFORMATEX', struct('Wave', {
    wFormatTag: u16, nChannels: u16, nSamplesPerSec: u32, nAvgBytesPerSec: u32, nBlockAlign: u16, wBitsPerSample: u16, cbSize: u16 }, { pack: 1 })],
  ['tlhelp32.h', 'PROCESSENTRY32W', struct('Process', {
    dwSize: u32, cntUsage: u32, th32ProcessID: u32, th32DefaultHeapID: sizeT, th32ModuleID: u32, cntThreads: u32, th32ParentProcessID: u32,
    pcPriClassBase: i32, dwFlags: u32, szExeFile: wchar(260) })],
  ['xinput.h', 'XINPUT_STATE', struct('Pad', { dwPacketNumber: u32, Gamepad: struct('Gamepad', {
    wButtons: u16, bLeftTrigger: u8, bRightTrigger: u8, sThumbLX: i16, sThumbLY: i16, sThumbRX: i16, sThumbRY: i16 }) })],
]; // prettier-ignore

const TARGETS: readonly (readonly [
  abi: Abi,
  command: string,
  structs: readonly (readonly [string, string, Layout])[],
])[] = [
  ['linux64', 'gcc', LINUX],
  ['win64', 'x86_64-w64-mingw32-gcc', WINDOWS],
  ['win32', 'i686-w64-mingw32-gcc', WINDOWS],
];

/** Lists C paths of named fields with their offsets. */
function pathsOf(shape: Shape, base = 0, prefix = ''): (readonly [path: string, offset: number])[] {
  if (shape.kind !== 'struct' && shape.kind !== 'union') return [];
  return shape.fields.flatMap(({ name, shape: part, offset }) => {
    const at = base + offset;
    if (part.kind === 'pad') return [];
    if (name.startsWith('$')) return pathsOf(part, at, prefix);
    const inner =
      part.kind === 'struct' || part.kind === 'union' ? pathsOf(part, at, `${prefix}${name}.`) : [];
    return [[`${prefix}${name}`, at] as const, ...inner];
  });
}

/** Gives the complaints of a compiler about what a layout says of a type. */
function complaints(command: string, abi: Abi, header: string, type: string, layout: Layout): string {
  const shape = insideOf(layout)?.shapeOn(abi) as Shape;
  const isStruct =
    shape.kind === 'struct' && !(shape.fields.length === 1 && shape.fields[0]?.name === 'value');
  const facts = (isStruct ? pathsOf(shape) : []).map(
    ([path, offset]) => `_Static_assert(offsetof(T, ${path}) == ${offset}, "${path}");`,
  );
  const source = [
    ...(abi.startsWith('win') ? ['#include <windows.h>'] : ['#include <sys/time.h>']),
    `#include <${header}>`,
    '#include <stddef.h>',
    `typedef ${type} T;`,
    `_Static_assert(sizeof(T) == ${shape.size}, "size");`,
    `_Static_assert(_Alignof(T) == ${shape.align}, "align");`,
    ...facts,
  ].join('\n');
  const folder = mkdtempSync(join(tmpdir(), 'published-'));
  try {
    writeFileSync(join(folder, 'source.c'), source);
    const { stderr } = spawnSync(command, ['-std=gnu11', '-fsyntax-only', 'source.c'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.each(TARGETS)('published structs on %s, by %s', (abi, command, structs) => {
  // Without the compiler nobody can be asked.
  const isHere = spawnSync(command, ['--version']).status === 0;
  test.skipIf(!isHere).each(structs)('%s: %s', (header, type, layout) => {
    const hasHeader = complaints(command, abi, header, 'char', struct('One', { value: u8 })) === '';
    expect(hasHeader, `${header} is there`).toBe(true);
    expect(complaints(command, abi, header, type, layout)).toBe('');
  });

  test.skipIf(!isHere)('a wrong field is complained about', () => {
    const [header, type, layout] = structs[0] as (typeof structs)[0];
    const shape = insideOf(layout)?.shapeOn(abi) as Shape;
    const wrong = struct('Wrong', { a: u8, b: bytes(shape.size) });
    expect(complaints(command, abi, header, type, wrong)).toMatch('static assertion failed: "size"');
  });
});
