// The errors that Windows itself gives for what a caller did, each with its number in osCode.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { expect, onTestFinished, test } from 'vitest';
import {
  createRecord,
  createSegment,
  createStore,
  joinSegment,
  joinStore,
  namedMutex,
  openSegment,
  openStore,
  struct,
  u32,
} from '../../src/index.ts';
import { isNamed } from '../support/system.ts';
import { track } from '../support/track.ts';

const Row = struct('Row', { id: u32 });
let serial = 0;
const uniqueName = (): string => `sharecord-test-winerror-${process.pid}-${serial++}`;
const told = (code: string, osCode: number, syscall: string) =>
  expect.objectContaining({ code, osCode, syscall });

const kernel32 = koffi.load('kernel32.dll');
const closeHandle = kernel32.func('int __stdcall CloseHandle(intptr_t)');
const createMutex = kernel32.func('intptr_t __stdcall CreateMutexW(void *, int, str16)');
const createEvent = kernel32.func('intptr_t __stdcall CreateEventW(void *, int, int, str16)');
const createFile = kernel32.func(
  'intptr_t __stdcall CreateFileW(str16, uint32_t, uint32_t, void *, uint32_t, uint32_t, intptr_t)',
);
const keepHandle = (handle: unknown): void => {
  expect([0, -1]).not.toContain(Number(handle));
  onTestFinished(() => void closeHandle(handle));
};
function newFolder(): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'sharecord-test-winerror-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

test('2: nothing has the name or path', () => {
  const missing = told('SEGMENT_NOT_FOUND', 2, 'OpenFileMappingW');
  expect(() => openSegment(uniqueName())).toThrow(missing);
  expect(() => openStore(uniqueName(), Row)).toThrow(missing);
  const file = join(newFolder(), 'none');
  expect(() => openSegment({ file })).toThrow(told('SEGMENT_NOT_FOUND', 2, 'CreateFileW'));
  expect(() => createSegment({ file: join(file, 'x'), size: 1 })).toThrow(
    told('SEGMENT_NOT_FOUND', 3, 'CreateFileW'),
  );
});

test('5: the access that is asked for is more than what is permitted', () => {
  const name = uniqueName();
  track(createSegment({ name, size: 8, securityDescriptor: 'D:P(A;;GR;;;WD)' }));
  expect(() => openSegment(name, { access: 'read-write' })).toThrow(
    told('SEGMENT_DENIED', 5, 'OpenFileMappingW'),
  );
  expect(() => joinSegment({ name, size: 8 })).toThrow(told('SEGMENT_DENIED', 5, 'OpenFileMappingW'));
  const folder = newFolder();
  expect(() => openSegment({ file: folder })).toThrow(told('SEGMENT_FOREIGN', 5, 'CreateFileW'));
});

test('183: create says that the name or file is there, join that it was not created', () => {
  const name = uniqueName();
  track(createSegment({ name, size: 8 }));
  expect(() => createSegment({ name, size: 8 })).toThrow(told('SEGMENT_EXISTS', 183, 'CreateFileMappingW'));
  expect(() => createStore({ name, layout: Row, capacity: 1 })).toThrow(
    told('SEGMENT_EXISTS', 183, 'CreateFileMappingW'),
  );
  expect(track(joinSegment({ name, size: 8 })).created).toBe(false);
  const store = uniqueName();
  expect(track(joinStore({ name: store, layout: Row, capacity: 1 })).created).toBe(true);
  expect(track(joinStore({ name: store, layout: Row, capacity: 1 })).created).toBe(false);
  const file = join(newFolder(), 'x');
  fs.writeFileSync(file, 'x');
  expect(() => createSegment({ file, size: 8 })).toThrow(told('SEGMENT_EXISTS', 183, 'MoveFileExW'));
  expect(fs.readFileSync(file, 'latin1')).toBe('x');
});

test('6: the name belongs to a kernel object of another kind', () => {
  for (const make of [
    (name: string): unknown => createMutex(null, 0, name),
    (name: string): unknown => createEvent(null, 1, 0, name),
  ]) {
    const name = uniqueName();
    keepHandle(make(name));
    const otherKind = expect.objectContaining({
      message: expect.stringContaining('a kernel object of another kind'),
    });
    for (const [call, error] of [
      [() => createSegment({ name, size: 8 }), told('SEGMENT_EXISTS', 6, 'CreateFileMappingW')],
      [() => joinSegment({ name, size: 8 }), told('SEGMENT_FOREIGN', 6, 'OpenFileMappingW')],
      [() => openSegment(name), told('SEGMENT_FOREIGN', 6, 'OpenFileMappingW')],
      [() => openStore(name, Row), told('SEGMENT_FOREIGN', 6, 'OpenFileMappingW')],
    ] as const) {
      expect(call).toThrow(error);
      expect(call).toThrow(otherKind);
    }
    expect(() => createStore({ name, layout: Row, capacity: 1 })).toThrow(
      told('SEGMENT_EXISTS', 6, 'OpenFileMappingW'),
    );
  }
  const memory = track(createSegment({ name: uniqueName(), size: 8 }));
  const guard = namedMutex(memory.name!, { timeoutMs: 100 });
  expect(() => createRecord(memory, Row, { guard })).toThrow(told('SEGMENT_FOREIGN', 6, 'CreateMutexW'));
});

test('6 and 87: a handle or process that is none', () => {
  expect(() => openSegment({ osHandle: 999_996 })).toThrow(told('SEGMENT_NOT_FOUND', 6, 'DuplicateHandle'));
  const event = Number(createEvent(null, 1, 0, null));
  keepHandle(event);
  expect(() => openSegment({ osHandle: event })).toThrow(told('SEGMENT_FOREIGN', 6, 'MapViewOfFile'));
  const segment = track(createSegment({ size: 8 }));
  expect(() => segment.duplicateFor(4_000_000)).toThrow(told('SEGMENT_NOT_FOUND', 87, 'OpenProcess'));
});

test('32: another program has the file open for itself', () => {
  const file = join(newFolder(), 'x');
  fs.writeFileSync(file, 'x');
  const [GENERIC_READ, UNSHARED, OPEN_EXISTING] = [0x8000_0000, 0, 3];
  keepHandle(createFile(file, GENERIC_READ, UNSHARED, null, OPEN_EXISTING, 0, 0));
  for (const access of ['read', 'read-write'] as const)
    expect(() => openSegment({ file }, { access })).toThrow(told('SEGMENT_DENIED', 32, 'CreateFileW'));
  expect(() => joinSegment({ file, size: 1 })).toThrow(told('SEGMENT_DENIED', 32, 'CreateFileW'));
});

test('32: a file that a native program has open is not unlinked, and stays as it is', () => {
  const file = join(newFolder(), 'x');
  const segment = track(createSegment({ file, size: 8, lifetime: 'until-unlink' }));
  new Uint8Array(segment.buffer)[0] = 7;
  const [GENERIC_READ, READ_AND_WRITE, OPEN_EXISTING] = [0x8000_0000, 3, 3];
  keepHandle(createFile(file, GENERIC_READ, READ_AND_WRITE, null, OPEN_EXISTING, 0, 0));
  expect(() => segment.unlink()).toThrow(told('SEGMENT_DENIED', 32, 'MoveFileExW'));
  segment.close();
  expect(fs.readFileSync(file)[0]).toBe(7);
});

test('nothing of these tests is left', () => {
  for (let i = 0; i < serial; i++) expect(isNamed(`sharecord-test-winerror-${process.pid}-${i}`)).toBe(false);
});
