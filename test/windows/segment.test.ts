// Segments of Windows with native programs: by name, and by a handle that was made for the other process.
import { afterEach, describe, expect, test } from 'vitest';
import { createSegment, openSegment, type Segment } from '../../src/index.ts';
import { PEER, runPeer, WaitingPeer } from './native-peer.ts';

let serial = 0;
const uniqueName = (): string => `sharecord-test-winseg-${process.pid}-${serial++}`;
const code = (expected: string) => expect.objectContaining({ code: expected });
const open: Segment[] = [];
const track = (segment: Segment): Segment => {
  open.push(segment);
  return segment;
};
afterEach(() => {
  for (const segment of open.splice(0)) segment.close();
});
const putText = (segment: Segment, text: string): void => {
  new Uint8Array(segment.buffer).set(new TextEncoder().encode(`${text}\0`));
};

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
  expect(() => createSegment({ size: 8, securityDescriptor: 'hope' })).toThrow(code('VALUE_RANGE'));
  expect(() => createSegment({ size: 8, securityDescriptor: 5 as unknown as string })).toThrow(
    code('VALUE_TYPE'),
  );
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
    expect(() => openSegment(uniqueName())).toThrow(code('SEGMENT_NOT_FOUND'));
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
    expect(() => segment.duplicateFor(4_000_000)).toThrow(code('SEGMENT_NOT_FOUND'));
  });
});
