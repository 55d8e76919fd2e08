// Structs that Windows publishes in its headers, said in the layout language. A name that begins with `$` stands for an anonymous member.
import { array, bits, bytes } from '../../src/layout/composites.ts';
import {
  bool32,
  f32,
  f64,
  filetime,
  i16,
  i32,
  i64,
  i8,
  pointer,
  sizeT,
  tDateTime,
  u16,
  u32,
  u64,
  u8,
  wordBool,
} from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char, wchar } from '../../src/layout/text-types.ts';
import type { Published } from './published-programs.ts';

const Point = struct('Point', { x: i32, y: i32 });
const Rect = struct('Rect', { left: i32, top: i32, right: i32, bottom: i32 });
const Coord = struct('Coord', { X: i16, Y: i16 });
export const WINDOWS: readonly Published[] = [
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
  ['windows.h', 'INPUT_RECORD', struct('Record', { EventType: u16, Event: union('Event', {
    KeyEvent: struct('Key', { bKeyDown: bool32, wRepeatCount: u16, wVirtualKeyCode: u16, wVirtualScanCode: u16,
      uChar: union('Char', { UnicodeChar: u16, AsciiChar: i8 }), dwControlKeyState: u32 }),
    MouseEvent: struct('Mouse', { dwMousePosition: Coord, dwButtonState: u32, dwControlKeyState: u32, dwEventFlags: u32 }),
    FocusEvent: struct('Focus', { bSetFocus: bool32 }) }) })],
  ['windows.h', 'DCB', struct('Serial', {
    DCBlength: u32, BaudRate: u32, $b: bits(u32, {
      fBinary: 1, fParity: 1, fOutxCtsFlow: 1, fOutxDsrFlow: 1, fDtrControl: 2, fDsrSensitivity: 1, fTXContinueOnXoff: 1, fOutX: 1, fInX: 1,
      fErrorChar: 1, fNull: 1, fRtsControl: 2, fAbortOnError: 1, fDummy2: 17 }),
    wReserved: u16, XonLim: u16, XoffLim: u16, ByteSize: u8, Parity: u8, StopBits: u8, XonChar: i8, XoffChar: i8, ErrorChar: i8, EofChar: i8,
    EvtChar: i8, wReserved1: u16 })],
  ['windows.h', 'LDT_ENTRY', struct('Descriptor', { LimitLow: u16, BaseLow: u16, HighWord: union('High', {
    Bytes: struct('Bytes', { BaseMid: u8, Flags1: u8, Flags2: u8, BaseHi: u8 }),
    Bits: struct('Bits', { $b: bits(u32, {
      BaseMid: 8, Type: 5, Dpl: 2, Pres: 1, LimitHi: 4, Sys: 1, Reserved_0: 1, Default_Big: 1, Granularity: 1, BaseHi: 8 }) }) }) })],
  ['windows.h', 'VARIANT', struct('Variant', { vt: u16, wReserved1: u16, wReserved2: u16, wReserved3: u16, $u: union('U', {
    llVal: i64, lVal: i32, bVal: u8, iVal: i16, fltVal: f32, dblVal: f64, boolVal: wordBool, scode: i32, date: tDateTime, byref: pointer,
    $brec: struct('Brec', { pvRecord: pointer, pRecInfo: pointer }) }) })],
  ['windows.h', 'GUID', struct('Guid', { Data1: u32, Data2: u16, Data3: u16, Data4: bytes(8) })],
  ['windows.h', 'OSVERSIONINFOEXW', struct('Version', {
    dwOSVersionInfoSize: u32, dwMajorVersion: u32, dwMinorVersion: u32, dwBuildNumber: u32, dwPlatformId: u32, szCSDVersion: wchar(128),
    wServicePackMajor: u16, wServicePackMinor: u16, wSuiteMask: u16, wProductType: u8, wReserved: u8 })],
  ['windows.h', 'DEVMODEW', struct('Mode', {
    dmDeviceName: wchar(32), dmSpecVersion: u16, dmDriverVersion: u16, dmSize: u16, dmDriverExtra: u16, dmFields: u32,
    $u: union('U', { $q: struct('Q', { dmPosition: Point, dmDisplayOrientation: u32, dmDisplayFixedOutput: u32 }) }),
    dmColor: i16, dmDuplex: i16, dmYResolution: i16, dmTTOption: i16, dmCollate: i16, dmFormName: wchar(32), dmLogPixels: u16, dmBitsPerPel: u32,
    dmPelsWidth: u32, dmPelsHeight: u32, $v: union('V', { dmDisplayFlags: u32, dmNup: u32 }), dmDisplayFrequency: u32, dmICMMethod: u32,
    dmICMIntent: u32, dmMediaType: u32, dmDitherType: u32, dmReserved1: u32, dmReserved2: u32, dmPanningWidth: u32, dmPanningHeight: u32 })],
  ['windows.h', 'IMAGE_SYMBOL', struct('Symbol', {
    N: union('Name', { ShortName: bytes(8), Name: struct('Long', { Short: u32, Long: u32 }), LongName: array(u32, 2) }, { pack: 2 }),
    Value: u32, SectionNumber: i16, Type: u16, StorageClass: u8, NumberOfAuxSymbols: u8 }, { pack: 2 })],
  ['mmreg.h', 'WAVEFORMATEXTENSIBLE', struct('Wave', {
    Format: struct('Format', { wFormatTag: u16, nChannels: u16, nSamplesPerSec: u32, nAvgBytesPerSec: u32, nBlockAlign: u16, wBitsPerSample: u16,
      cbSize: u16 }, { pack: 1 }),
    Samples: union('Samples', { wValidBitsPerSample: u16, wSamplesPerBlock: u16, wReserved: u16 }, { pack: 1 }), dwChannelMask: u32,
    SubFormat: struct('Guid', { Data1: u32, Data2: u16, Data3: u16, Data4: bytes(8) }) }, { pack: 1 })],
]; // prettier-ignore
