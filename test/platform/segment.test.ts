// Raw segments on every backing: what can be made, joined, opened, windowed, and what close leaves.
import { statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createSegment, joinSegment, openSegment, waitForSegment } from '../../src/index.ts';
import { countHeld, isNamed, onWindows, pathOf, putForeign, wholeSize } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';
import { track } from '../support/track.ts';

let serial = 0;
const uniqueName = (): string => `sharecord-test-segment-${process.pid}-${serial++}`;

describe('createSegment', () => {
  test('gives zeroed memory of that size (on Windows whole pages), and close removes the name', () => {
    const name = uniqueName();
    const segment = track(createSegment({ name, size: 10_001 }));
    expect(segment).toMatchObject({
      name,
      size: wholeSize(10_001),
      backing: 'named',
      access: 'read-write',
      created: true,
    });
    expect(new Uint8Array(segment.buffer).every((byte) => byte === 0)).toBe(true);
    expect(() => createSegment({ name, size: 1 })).toThrow(withCode('SEGMENT_EXISTS'));
    segment.close();
    expect(isNamed(name)).toBe(false);
  });

  test.skipIf(onWindows)(
    'allocates all of its file, of mode 0600, or a wider one than the umask allows (Windows has no such files)',
    () => {
      const [narrow, wide] = [uniqueName(), uniqueName()];
      track(createSegment({ name: narrow, size: 10_001 }));
      const stats = statSync(pathOf(narrow));
      expect(stats.mode & 0o777).toBe(0o600);
      expect(stats.blocks * 512).toBeGreaterThanOrEqual(10_001);
      track(createSegment({ name: wide, size: 1, mode: 0o666 }));
      expect(statSync(pathOf(wide)).mode & 0o777).toBe(0o666);
    },
  );

  test('reports memory that is not there, and leaves no name', () => {
    const name = uniqueName();
    expect(() => createSegment({ name, size: 2 ** 50 })).toThrow(withCode('SEGMENT_LIMIT'));
    expect(() => createSegment({ size: 2 ** 50 })).toThrow(withCode('SEGMENT_LIMIT'));
    expect(() => createSegment({ backing: 'process', size: 2 ** 52 })).toThrow(withCode('SEGMENT_LIMIT'));
    expect(isNamed(name)).toBe(false);
    for (const size of [0, -1, 1.5, Number.NaN, 2 ** 60])
      expect(() => createSegment({ size })).toThrow(withCode('VALUE_RANGE'));
    expect(() => createSegment({ size: '1' as unknown as number })).toThrow(withCode('VALUE_TYPE'));
  });
});

describe('joinSegment', () => {
  test('creates or joins, and refuses less room than asked', () => {
    const name = uniqueName();
    const first = track(joinSegment({ name, size: 100 }));
    new Uint8Array(first.buffer)[99] = 7;
    const second = track(joinSegment({ name, size: 50 }));
    expect([first.created, second.created, second.size]).toEqual([true, false, wholeSize(100)]);
    expect(new Uint8Array(second.buffer)[99]).toBe(7);
    expect(() => joinSegment({ name, size: wholeSize(100) + 1 })).toThrow(withCode('SEGMENT_TOO_SMALL'));
    first.close();
    expect(isNamed(name)).toBe(true);
    second.close();
    expect(isNamed(name)).toBe(false);
  });

  test('keeps the name of what another program made, whoever closes last', () => {
    const name = uniqueName();
    const foreign = putForeign(name, new Uint8Array(100).fill(3));
    try {
      const first = track(joinSegment({ name, size: 100 }));
      const second = track(joinSegment({ name, size: 100 }));
      expect([first.created, second.created]).toEqual([false, false]);
      first.close();
      second.close();
      expect(() => joinSegment({ name, size: 1e6 })).toThrow(withCode('SEGMENT_TOO_SMALL'));
      expect(isNamed(name)).toBe(true);
      if (onWindows) return;
      // The control: unlink() is the way to remove it.
      track(joinSegment({ name, size: 100 })).unlink();
      expect(isNamed(name)).toBe(false);
    } finally {
      if (isNamed(name)) foreign.remove();
    }
  });
});

describe('openSegment', () => {
  test('maps what another program made, read-only by default, and writes nothing to it', () => {
    const name = uniqueName();
    const foreign = putForeign(
      name,
      Uint8Array.from({ length: 5000 }, (_, i) => i & 255),
    );
    const before = foreign.content();
    try {
      const segment = track(openSegment(name));
      expect(segment).toMatchObject({ size: wholeSize(5000), created: false, access: 'read' });
      expect(new Uint8Array(segment.buffer)[4999]).toBe(4999 & 255);
      const copy = track(openSegment(name, { access: 'copy-on-write' }));
      new Uint8Array(copy.buffer).fill(0);
      expect(new Uint8Array(segment.buffer)[4999]).toBe(4999 & 255);
      segment.close();
      copy.close();
      expect(foreign.content()).toEqual(before);
    } finally {
      foreign.remove();
    }
  });

  test('maps windows at any offset, and refuses those beyond the end', () => {
    const segment = track(createSegment({ size: 300_000 }));
    const bytes = new Uint8Array(segment.buffer);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7) & 255;
    for (const offset of [0, 1, 4095, 4096, 65_535, 65_537, 299_999]) {
      const window = track(openSegment(segment.handle, { offset, length: 1 }));
      expect(window.size).toBe(1);
      expect(new Uint8Array(window.buffer)[0]).toBe((offset * 7) & 255);
      expect(track(openSegment(segment.handle, { offset })).size).toBe(wholeSize(300_000) - offset);
    }
    expect(() => openSegment(segment.handle, { offset: wholeSize(300_000) })).toThrow(
      withCode('SEGMENT_TOO_SMALL'),
    );
    expect(() => openSegment(segment.handle, { offset: 1, length: wholeSize(300_000) })).toThrow(
      withCode('SEGMENT_TOO_SMALL'),
    );
    expect(() => openSegment(segment.handle, { offset: -1 })).toThrow(withCode('VALUE_RANGE'));
    expect(() => openSegment(segment.handle, { length: 0 })).toThrow(withCode('VALUE_RANGE'));
  });

  test('opens a descriptor that a native program handed over; adopt closes the original', () => {
    const segment = track(createSegment({ size: 64 }));
    const { osHandle } = segment.handle as { osHandle: number };
    const other = track(openSegment({ osHandle }, { access: 'read-write' }));
    new Uint8Array(other.buffer)[0] = 9;
    expect(new Uint8Array(segment.buffer)[0]).toBe(9);
    expect(() => openSegment({ osHandle: 999_999 })).toThrow(withCode('SEGMENT_NOT_FOUND'));
  });
});

test.each([{ backing: 'named' }, { backing: 'anonymous' }, { backing: 'process' }] as const)(
  'after close of a $backing segment views are empty or throw, in optimised code too, and calls throw STORE_CLOSED',
  ({ backing }) => {
    const segment = track(
      createSegment({ size: 4096, backing, ...(backing === 'named' ? { name: uniqueName() } : {}) }),
    );
    const { buffer } = segment;
    const words = new Int32Array(buffer);
    const view = new DataView(buffer);
    const read = (): number => words[5]! + view.getInt32(20, true) + Atomics.load(words, 5);
    words[5] = 1;
    let sum = 0;
    for (let i = 0; i < 50_000; i++) sum += read();
    expect(sum).toBe(150_000);
    segment.close();
    segment.close();
    if (backing !== 'process') {
      expect(words.length).toBe(0);
      expect(words[5]).toBeUndefined();
      words[5] = 3;
      expect(read).toThrow(TypeError);
      expect(() => view.setInt32(0, 1)).toThrow(TypeError);
      expect(() => new Int32Array(buffer)).toThrow(TypeError);
    }
    for (const call of [
      () => segment.buffer,
      () => segment.handle,
      () => segment.flush(),
      () => segment.unlink(),
      () => segment.duplicateFor(process.pid),
    ]) {
      expect(call).toThrow(withCode('STORE_CLOSED'));
    }
  },
);

test('close copes with a buffer that the caller transferred elsewhere: its memory stays, all else is freed', () => {
  createSegment({ size: 4096 }).close();
  const before = countHeld();
  const segment = createSegment({ size: 4096 });
  const moved = (segment.buffer as ArrayBuffer).transfer();
  segment.close();
  expect(new Uint8Array(moved)[0]).toBe(0);
  const now = countHeld();
  const [kept, freed] = onWindows ? (['views', 'handles'] as const) : (['mappings', 'descriptors'] as const);
  expect(now[kept]).toBe(before[kept]! + 1);
  expect(now[freed]).toBeLessThanOrEqual(before[freed]!);
  expect(() => openSegment('x', null as unknown as object)).toThrow(withCode('VALUE_TYPE'));
});

// Windows: a name lives as long as a handle, and unlink does nothing (test/windows/segment.test.ts).
test.skipIf(onWindows)('unlink removes the name at once, and only the own one', () => {
  const name = uniqueName();
  const first = track(createSegment({ name, size: 8 }));
  first.unlink();
  expect(isNamed(name)).toBe(false);
  const second = track(createSegment({ name, size: 8 }));
  first.unlink();
  first.close();
  expect(isNamed(name)).toBe(true);
  expect(second.duplicateFor(process.pid)).toEqual(second.handle);
});

test('waitForSegment resolves once the segment exists', async () => {
  const name = uniqueName();
  setTimeout(() => track(createSegment({ name, size: 8 })), 20);
  expect(track(await waitForSegment(name)).size).toBe(wholeSize(8));
  await expect(waitForSegment(uniqueName(), { timeoutMs: 1 })).rejects.toMatchObject({
    code: 'SEGMENT_NOT_FOUND',
  });
});

test('nothing of these tests is left in shared memory', () => {
  for (let i = 0; i < serial; i++) expect(isNamed(`sharecord-test-segment-${process.pid}-${i}`)).toBe(false);
});

// Windows makes a section with its size.
test.skipIf(onWindows)('waitForSegment waits for a size, too, where a name comes before it', async () => {
  const name = uniqueName();
  writeFileSync(pathOf(name), '', { mode: 0o600 });
  try {
    expect(() => openSegment(name)).toThrow(withCode('SEGMENT_TOO_SMALL'));
    await expect(waitForSegment(name, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'SEGMENT_TOO_SMALL',
    });
    const waiting = waitForSegment(name, { timeoutMs: 60_000 });
    truncateSync(pathOf(name), 4);
    expect(track(await waiting).size).toBe(4);
    await expect(waitForSegment(name, { length: 5, timeoutMs: 60_000 })).rejects.toMatchObject({
      code: 'SEGMENT_TOO_SMALL',
    });
  } finally {
    unlinkSync(pathOf(name));
  }
});
