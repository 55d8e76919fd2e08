// Guards whose words lie inside other fields: found by their path, left out of writes, never written by the codec.
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  array,
  bytes,
  char,
  char16,
  char32,
  createRecord,
  createSegment,
  f64,
  i32,
  type Infer,
  openRecord,
  pad,
  robustMutex,
  seqlock,
  struct,
  u16,
  u32,
  u8,
  union,
  utf8,
  versionPair,
  wchar,
} from '../../src/index.ts';
import { onWindows } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';
import { track } from '../support/track.ts';

const Head = struct('Head', { kind: u8, gap: pad(3), sequence: u32, inner: struct('Inner', { tick: i32 }) });
const Slot = struct('Slot', { tick: u32, length: u16 });
const Word = union('Word', { whole: u32, halves: array(u16, 2) });
const Device = struct('Device', {
  head: Head,
  values: array(f64, 2),
  slots: array(Slot, 3),
  versions: array(u32, 2),
  word: Word,
});

/** A segment of its own, every byte of it set, the words of guards even and equal. */
function segmentOf(size: number, fill = 0x44) {
  const segment = track(createSegment({ size }));
  new Uint8Array(segment.buffer).fill(fill);
  return segment;
}
const values = {
  head: { kind: 7, inner: { tick: -3 } },
  values: [1.5, -2.5],
  slots: [1, 2, 3].map((tick) => ({ tick, length: tick })),
  versions: [5, 6],
  word: { whole: 9 },
};
const shown = (record: Infer<typeof Device>) => JSON.parse(JSON.stringify(record)) as typeof record;

/** What every guard of one word must do, wherever the word is. */
const PATHS = [
  ['head.sequence', 4],
  ['head.inner.tick', 8],
  ['slots[1].tick', 40],
  ['versions[1]', 60],
  ['word.whole', 64],
] as const;

test.each(PATHS)('the sequence at %s counts, and no write touches it otherwise', (path, at) => {
  const segment = segmentOf(Device.size);
  const words = new Int32Array(segment.buffer);
  const before = new Uint8Array(segment.buffer).slice();
  const record = track(
    openRecord(segment, Device, { guard: seqlock({ sequence: path }), access: 'read-write' }),
  );
  expect(new Uint8Array(segment.buffer)).toEqual(before);
  const sequence = words[at / 4]!;

  const seen: number[] = [];
  const whole = { ...values, head: { ...values.head, sequence: 1 } };
  // A getter runs before the word moves; what it gives for a guard's word is ignored.
  record.write({
    ...(whole as object),
    get values() {
      seen.push(words[at / 4]!);
      return [3, 4];
    },
  } as never);
  expect(seen).toEqual([sequence]);
  expect(words[at / 4]).toBe(sequence + 2);
  record.assign({ values: [5, 6] });
  record.update((draft) => {
    draft.values[1] = 8;
    draft.slots[1]!.length = 99;
    draft.versions[0] = 17;
    // The draft has the word, whatever the type says; what is put there is ignored.
    (draft as Infer<typeof Device>).slots[1]!.tick = 123;
    if (path === 'versions[1]') draft.versions[1] = 1_000_000;
  });
  expect(words[at / 4]).toBe(sequence + 6);
  const found = record.read();
  expect(found.values).toEqual([5, 8]);
  expect(found.slots[1]!.length).toBe(99);
  expect(found.versions[0]).toBe(17);
  if (path !== 'slots[1].tick') expect(found.slots[1]!.tick).toBe(123);
  // Padding inside and between fields stays.
  for (const [offset, size] of [
    [1, 3],
    [12, 4],
    [38, 2],
    [46, 2],
  ] as const)
    expect([...new Uint8Array(segment.buffer, offset, size)]).toEqual(Array(size).fill(0x44));
  words[at / 4]!++;
  expect(() => record.read()).toThrow(withCode('READ_CONTENDED'));
  expect(record.tryRead()).toBeUndefined();
});

test('words through structs are left out of the types and of what must be given', () => {
  const segment = segmentOf(Device.size);
  const guard = versionPair({ begin: 'head.sequence', end: 'head.inner.tick' });
  const record = track(openRecord(segment, Device, { guard, access: 'read-write' }));
  type Given = Parameters<typeof record.write>[0];
  expectTypeOf<keyof Given['head']>().toEqualTypeOf<'kind' | 'inner'>();
  expectTypeOf<keyof Given['head']['inner']>().toEqualTypeOf<never>();
  expectTypeOf(record.read().head.sequence).toEqualTypeOf<number>();
  record.write({ ...values, head: { kind: 1, inner: {} } });
  record.assign({ head: { kind: 2 } });
  record.assign({ head: { inner: { tick: 'ignored' } } });
  record.update((draft) => void (draft.head.kind = 3));
  expect(record.read().head).toEqual({
    kind: 3,
    sequence: 0x4444_4447,
    inner: { tick: 0x4444_4447 },
  });
  expect(() => record.write({ ...values, head: undefined } as never)).toThrow(withCode('VALUE_TYPE'));
  expect(() => record.write({ ...values, head: { inner: {} } } as never)).toThrow(withCode('VALUE_TYPE'));
  expect(record.read().head.kind).toBe(3);
});

test('a path that is none is refused, by the types too', () => {
  const segment = segmentOf(Device.size);
  for (const path of [
    'head.nope',
    'head',
    'slots[3].tick',
    'slots.1.tick',
    'values[0]',
    'head.gap',
    'head..sequence',
    '',
  ])
    expect(() =>
      openRecord(segment, Device, { guard: seqlock({ sequence: path as 'head.sequence' }) }),
    ).toThrow(
      expect.objectContaining({
        code: path === 'head' || path === 'values[0]' ? 'LAYOUT_FIELD_INVALID' : 'VALUE_TYPE',
      }),
    );
  // @ts-expect-error -- no field of that name
  expect(() => openRecord(segment, Device, { guard: seqlock({ sequence: 'head.nope' }) })).toThrow();
  // @ts-expect-error -- a float is no word
  expect(() => openRecord(segment, Device, { guard: seqlock({ sequence: 'values[0]' }) })).toThrow();
});

test('a field whose name looks like a path is found by its letters', () => {
  const Odd = struct('Odd', { a: struct('A', { b: u32 }), 'a.b': u32, level: i32 });
  const segment = segmentOf(Odd.size, 0);
  const record = track(
    openRecord(segment, Odd, { guard: seqlock({ sequence: 'a.b' }), access: 'read-write' }),
  );
  record.write({ a: { b: 5 }, level: 1 });
  expect(shown(record.read() as never)).toEqual({ a: { b: 5 }, 'a.b': 2, level: 1 });
});

test.skipIf(onWindows)('a mutex inside a struct is made, taken and left alone by writes', () => {
  const Shared = struct('Shared', { head: struct('Owned', { lock: bytes(40), count: u32 }), level: i32 });
  const name = `sharecord-test-path-${process.pid}`;
  const guard = robustMutex({ at: 'head.lock', timeoutMs: 1000 });
  const record = track(createRecord(name, Shared, { guard }));
  record.write({ head: { count: 1 }, level: 2 });
  const fresh = new Uint8Array(record.segment.buffer, 0, 40).slice();
  expect(fresh.some((byte) => byte !== 0)).toBe(true);
  record.update((draft) => void draft.head.count++);
  expect(new Uint8Array(record.segment.buffer, 0, 40)).toEqual(fresh);
  expect(record.read()).toMatchObject({ head: { count: 2 }, level: 2 });
});

describe('what callers give', () => {
  const Inner = struct('Inner', { sequence: u32, n: u32 });
  const Record = struct('Record', { head: Inner, level: i32 });
  const make = () => {
    const segment = segmentOf(Record.size, 0);
    const guard = seqlock({ sequence: 'head.sequence' });
    return track(openRecord(segment, Record, { guard, access: 'read-write' }));
  };

  test('may be a view or an instance whose class has the getters', () => {
    const record = make();
    const view = Record.view(new ArrayBuffer(Record.size));
    Object.assign(view, { level: 4 });
    Object.assign(view.head, { n: 9, sequence: 77 });
    record.write(view);
    expect(record.read()).toEqual({ head: { sequence: 2, n: 9 }, level: 4 });
    class Given {
      get head() {
        return { n: 10 };
      }
      get level() {
        return 5;
      }
    }
    record.assign(new Given());
    expect(record.read()).toEqual({ head: { sequence: 4, n: 10 }, level: 5 });
    expect(() => record.assign({ levle: 5 } as never)).toThrow(withCode('VALUE_TYPE'));
  });

  test('is never written into', () => {
    const record = make();
    const head = Object.freeze({ n: 3 });
    record.update((draft) => void (draft.head = head));
    record.update((draft) => void Object.freeze(Object.assign(draft, { level: 2 })));
    record.write(Object.freeze({ head, level: 3 }));
    expect(head).toEqual({ n: 3 });
    expect(record.read()).toEqual({ head: { sequence: 6, n: 3 }, level: 3 });
  });
});

test('a pair of versions is two words', () => {
  const Both = struct('Both', {
    either: union('Either', { a: u32, b: u32, pair: array(u16, 2) }),
    level: i32,
  });
  const segment = segmentOf(Both.size);
  const guard = versionPair({ begin: 'either.a', end: 'either.b' });
  expect(() => openRecord(segment, Both, { guard })).toThrow(withCode('LAYOUT_FIELD_INVALID'));
});

test.each([utf8, char, char16, char32, wchar])(
  'a text of counted length is whole behind a NUL, %#',
  (type) => {
    const Text = struct('Text', { sequence: u32, length: u16, text: type(16, { length: 'length' }) });
    const segment = segmentOf(Text.size, 0);
    const guard = seqlock({ sequence: 'sequence' });
    const record = track(openRecord(segment, Text, { guard, access: 'read-write' }));
    record.write({ text: 'ab\0cd' });
    record.assign({ text: 'ab\0ef' });
    expect(record.read()).toEqual({ sequence: 4, length: 5, text: 'ab\0ef' });
    record.update((draft) => void (draft.text = 'ab\0gh'));
    expect(record.read()).toEqual({ sequence: 6, length: 5, text: 'ab\0gh' });
  },
);
