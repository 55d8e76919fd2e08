// Who may use what this library makes on Windows, read back from the kernel objects themselves.
import { randomUUID } from 'node:crypto';
import koffi from 'koffi';
import { describe, expect, test } from 'vitest';
import {
  createRecord,
  createSegment,
  createStore,
  joinSegment,
  joinStore,
  namedMutex,
  openSegment,
  openStore,
  type Segment,
  struct,
  u32,
} from '../../src/index.ts';
import { PEER, WaitingPeer } from './native-peer.ts';
import { withCode } from '../support/with-code.ts';
import { track } from '../support/track.ts';

const advapi32 = koffi.load('advapi32.dll');
const kernel32 = koffi.load('kernel32.dll');
const getSecurity = advapi32.func(
  'uint32_t __stdcall GetSecurityInfo(intptr_t, int, uint32_t, void *, void *, void *, void *, _Out_ intptr_t *)',
);
const toText = advapi32.func(
  'int __stdcall ConvertSecurityDescriptorToStringSecurityDescriptorW(intptr_t, uint32_t, uint32_t, _Out_ intptr_t *, void *)',
);
const textLength = kernel32.func('int __stdcall lstrlenW(intptr_t)');
const openMutex = kernel32.func('intptr_t __stdcall OpenMutexW(uint32_t, int, str16)');
const closeHandle = kernel32.func('int __stdcall CloseHandle(intptr_t)');
const SE_KERNEL_OBJECT = 6;
const OWNER_AND_DACL = 1 | 4;
const READ_CONTROL = 0x20000;

/** The owner and the list of rights of a kernel object, as SDDL text. */
function rightsOf(handle: number): string {
  const descriptor = [0];
  expect(getSecurity(handle, SE_KERNEL_OBJECT, OWNER_AND_DACL, null, null, null, null, descriptor)).toBe(0);
  const text = [0];
  expect(toText(descriptor[0], 1, OWNER_AND_DACL, text, null)).not.toBe(0);
  const units = new Uint16Array(koffi.view(BigInt(text[0]!), 2 * Number(textLength(text[0]))));
  return String.fromCharCode(...units);
}

const numberOf = (segment: Segment): number => (segment.handle as { osHandle: number }).osHandle;
const Row = struct('Row', { n: u32 });
const uniqueName = (): string => `sharecord-test-security-${randomUUID()}`;

/** One entry that allows, for the owner, in a list that inherits nothing. */
const OWNER_ALONE = /^O:(S-1-5-21-[\d-]+|[A-Z]{2})D:P\(A;;[^;]+;;;\1\)$/;

describe('what is made without a word about rights', () => {
  test('a segment and a store are for their user alone', () => {
    const segments = [
      track(createSegment({ name: uniqueName(), size: 8 })),
      track(createSegment({ size: 8 })),
      track(createStore({ name: uniqueName(), layout: Row, capacity: 1 })).segment,
    ];
    for (const segment of segments) expect(rightsOf(numberOf(segment))).toMatch(OWNER_ALONE);
  });

  test('a named mutex is too', () => {
    const name = uniqueName();
    track(createRecord(uniqueName(), Row, { guard: namedMutex(name, { timeoutMs: 50 }) }));
    const mutex = Number(openMutex(READ_CONTROL, 0, name));
    expect(mutex).not.toBe(0);
    expect(rightsOf(mutex)).toMatch(OWNER_ALONE);
    closeHandle(mutex);
  });
});

test('securityDescriptor opens a segment, and a mutex, wider', () => {
  const securityDescriptor = 'D:P(A;;GA;;;WD)';
  const segment = track(createSegment({ name: uniqueName(), size: 8, securityDescriptor }));
  expect(rightsOf(numberOf(segment))).toMatch(/D:P\(A;;[^;]+;;;WD\)$/);
  const name = uniqueName();
  const guard = namedMutex(name, { timeoutMs: 50 });
  track(createRecord(uniqueName(), Row, { guard, securityDescriptor }));
  const mutex = Number(openMutex(READ_CONTROL, 0, name));
  expect(rightsOf(mutex)).toMatch(/D:P\(A;;[^;]+;;;WD\)$/);
  closeHandle(mutex);
});

test('opening for reading asks for no more than reading', () => {
  const name = uniqueName();
  const SECTION_MAP_READ = 4;
  const right = `0x${(READ_CONTROL | SECTION_MAP_READ).toString(16)}`;
  track(createSegment({ name, size: 8, securityDescriptor: `D:P(A;;${right};;;WD)` }));
  expect(new Uint8Array(track(openSegment(name)).buffer)[0]).toBe(0);
  for (const access of ['read-write', 'copy-on-write'] as const)
    expect(() => openSegment(name, { access }), access).toThrow(withCode('SEGMENT_DENIED'));
});

// Wine 8 gives all rights that a caller of CreateMutexW asks for on a mutex that exists; Windows is documented to refuse them.
test('a mutex that grants waiting and releasing alone is taken as one', () => {
  const name = uniqueName();
  // READ_CONTROL, SYNCHRONIZE and MUTEX_MODIFY_STATE.
  const securityDescriptor = 'D:P(A;;0x120001;;;WD)';
  const guard = namedMutex(name, { timeoutMs: 50 });
  const first = track(createRecord(uniqueName(), Row, { guard, securityDescriptor }));
  const second = track(createRecord(uniqueName(), Row, { guard }));
  for (const record of [first, second]) record.write({ n: 4 });
  expect(second.read()).toEqual({ n: 4 });
});

describe.skipIf(PEER === undefined)(
  'a name that a program of another owner has (left out without a compiled peer)',
  () => {
    test('is refused by whoever opens or joins it, unless any owner will do', async () => {
      const name = uniqueName();
      // The guests' group stands in for another user: an owner is just a word in the descriptor.
      const peer = new WaitingPeer('squat', name, 'O:BGD:(A;;GA;;;WD)', 65_536);
      await peer.line('ready');
      expect(() => openSegment(name)).toThrow(withCode('SEGMENT_DENIED'));
      expect(() => openStore(name, Row)).toThrow(withCode('SEGMENT_DENIED'));
      expect(() => joinSegment({ name, size: 8 })).toThrow(withCode('SEGMENT_DENIED'));
      expect(() => joinStore({ name, layout: Row, capacity: 1 })).toThrow(withCode('SEGMENT_DENIED'));
      expect(() => createStore({ name, layout: Row, capacity: 1 })).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/SEGMENT_(DENIED|EXISTS)/) }),
      );
      expect(() => createRecord(name, Row, { guard: namedMutex(uniqueName(), { timeoutMs: 5 }) })).toThrow(
        withCode('SEGMENT_EXISTS'),
      );
      expect(track(openSegment(name, { anyOwner: true })).size).toBe(65_536);
      await peer.end();
      const mutex = uniqueName();
      const other = new WaitingPeer('squat', mutex, 'O:BGD:(A;;GA;;;WD)', 0);
      await other.line('ready');
      const guard = namedMutex(mutex, { timeoutMs: 50 });
      const row = uniqueName();
      expect(() => createRecord(row, Row, { guard })).toThrow(withCode('SEGMENT_DENIED'));
      expect(() => createStore({ name: row, layout: Row, capacity: 1, guard })).toThrow(
        withCode('SEGMENT_DENIED'),
      );
      expect(() => openSegment(row)).toThrow(withCode('SEGMENT_NOT_FOUND'));
      track(createRecord(row, Row, { guard, anyOwner: true })).write({ n: 1 });
      await other.end();
    });
  },
);
