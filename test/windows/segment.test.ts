// Segments of Windows with native programs: by name, and by a handle that was made for the other process.
import koffi from 'koffi';
import { describe, expect, test } from 'vitest';
import {
  createSegment,
  createStore,
  listSegments,
  openSegment,
  type Segment,
  struct,
  u32,
} from '../../src/index.ts';
import { wholeSize } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';
import { PEER, runPeer, WaitingPeer } from './native-peer.ts';
import { track } from '../support/track.ts';

let serial = 0;
const uniqueName = (): string => `sharecord-test-winseg-${process.pid}-${serial++}`;
const putText = (segment: Segment, text: string): void => {
  new Uint8Array(segment.buffer).set(new TextEncoder().encode(`${text}\0`));
};

const kernel32 = koffi.load('kernel32.dll');
const closeHandle = kernel32.func('int __stdcall CloseHandle(intptr_t)');
const createFileMapping = kernel32.func(
  'intptr_t __stdcall CreateFileMappingW(intptr_t, void *, uint32_t, uint32_t, uint32_t, str16)',
);

/** Makes memory whose pages are reserved and not committed (SEC_RESERVE), as other programs do. */
function reserve(name: string): unknown {
  const [PAGE_FILE, PAGE_READWRITE, SEC_RESERVE] = [-1, 4, 0x400_0000];
  const section: unknown = createFileMapping(PAGE_FILE, null, PAGE_READWRITE | SEC_RESERVE, 0, 65_536, name);
  expect(section).not.toBe(0);
  return section;
}

test('securityDescriptor takes SDDL text and refuses what is none', () => {
  const everybody = track(
    createSegment({ name: uniqueName(), size: 8, securityDescriptor: 'D:(A;;GRGW;;;WD)' }),
  );
  expect(track(openSegment(everybody.name!, { access: 'read-write' })).size).toBe(4096);
  const readOnly = track(
    createSegment({ name: uniqueName(), size: 8, securityDescriptor: 'D:P(A;;GR;;;WD)' }),
  );
  expect(() => openSegment(readOnly.name!, { access: 'read-write' })).toThrow(
    expect.objectContaining({ code: 'SEGMENT_DENIED', osCode: 5, syscall: 'OpenFileMappingW' }),
  );
  expect(track(openSegment(readOnly.name!)).access).toBe('read');
  expect(() => createSegment({ size: 8, securityDescriptor: 'hope' })).toThrow(withCode('VALUE_RANGE'));
  expect(() => createSegment({ size: 8, securityDescriptor: 5 as unknown as string })).toThrow(
    withCode('VALUE_TYPE'),
  );
});

test('listSegments finds the stores of Local and Global names, and looks into nothing that cannot be read', () => {
  const Row = struct('Row', { id: u32 });
  const name = uniqueName();
  const global = `Global\\${uniqueName()}`;
  track(createStore({ name: `Local\\${name}`, layout: Row, capacity: 3 }));
  track(createStore({ name: global, layout: Row, capacity: 4 }));
  const secret = uniqueName();
  track(createStore({ name: secret, layout: Row, capacity: 1, securityDescriptor: 'D:P(A;;GW;;;WD)' }));
  const reserved = uniqueName();
  const section = reserve(reserved);
  try {
    const listed = listSegments();
    const row = { kind: 'store', layout: 'Row', size: wholeSize(1) };
    expect(listed).toContainEqual({ ...row, name, capacity: 3 });
    expect(listed).toContainEqual({ ...row, name: global, capacity: 4 });
    const names = listed.map((each) => each.name);
    for (const each of [secret, reserved]) expect(names).not.toContain(each);
    // Touching its pages would end the process.
    expect(() => openSegment(reserved)).toThrow(withCode('SEGMENT_UNSUPPORTED'));
  } finally {
    closeHandle(section);
  }
});

test('a window beyond 4 GiB of a segment shows its own bytes', () => {
  const size = 2 ** 32 + 2 ** 17;
  let large: Segment;
  try {
    large = track(createSegment({ size }));
  } catch (error) {
    // A machine without that much memory to promise says so.
    expect(error).toMatchObject({ code: 'SEGMENT_LIMIT' });
    return;
  }
  const at = 2 ** 32 + 65_537;
  new Uint8Array(
    track(openSegment(large.handle, { access: 'read-write', offset: at, length: 4 })).buffer,
  )[1] = 77;
  expect(new Uint8Array(large.buffer)[at + 1]).toBe(77);
  expect(new Uint8Array(large.buffer)[65_538]).toBe(0);
});

describe.skipIf(PEER === undefined)('with a native program (left out where none was compiled)', () => {
  test('each reads by name what the other made', async () => {
    const mine = track(createSegment({ name: uniqueName(), size: 100 }));
    putText(mine, 'from Node');
    expect(runPeer('read', mine.name!)).toBe('text from Node');
    const name = uniqueName();
    const peer = new WaitingPeer('map', name, 5000, 'from C');
    await peer.line('ready');
    const theirs = track(openSegment(name, { access: 'read-write' }));
    expect(theirs.size).toBe(8192);
    expect(Buffer.from(theirs.buffer, 0, 7).toString('latin1')).toBe('from C\0');
    putText(theirs, 'changed');
    await peer.end();
    expect(await peer.line('text')).toBe('text changed');
    expect(() => openSegment(uniqueName())).toThrow(withCode('SEGMENT_NOT_FOUND'));
  });

  test('duplicateFor gives a number that is valid in the other process', async () => {
    const segment = track(createSegment({ size: 100 }));
    putText(segment, 'by handle');
    const peer = new WaitingPeer('read-handle', '-');
    await peer.line('ready');
    const { osHandle, pid } = segment.duplicateFor(peer.child.pid!) as { osHandle: number; pid: number };
    expect(pid).toBe(peer.child.pid);
    peer.child.stdin?.write(`${osHandle}\n`);
    expect(await peer.line('text')).toBe('text by handle');
    expect(() => segment.duplicateFor(4_000_000)).toThrow(withCode('SEGMENT_NOT_FOUND'));
  });
});
