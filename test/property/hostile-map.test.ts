// Laws of a map whose index lies: whatever the words say, an error with a code or an answer, never a hang, never another memory.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMap, openMap, SharecordError, struct, u32, utf8 } from '../../src/index.ts';
import { wordOf } from '../support/header.ts';
import { withCode } from '../support/with-code.ts';

const CAPACITY = 8;
const Row = struct('Row', { id: u32, name: utf8(12) });
const definition = { key: utf8(12), layout: Row };
const CONTROL_WORDS = 32 + 16 + 2 * 16;

/** Words from the control block on. */
function controlWords(map: { readonly segment: { readonly buffer: ArrayBufferLike } }): Uint32Array {
  const words = new Uint32Array(map.segment.buffer, 0, Math.floor(map.segment.buffer.byteLength / 4));
  return words.subarray((words[wordOf('headerLength')]! + CAPACITY * words[wordOf('stride')]!) / 4);
}

function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if (error instanceof SharecordError) return error.code;
    throw error;
  }
}

const lie = fc.record({
  // The lock is left alone: an owner that does not exist is dead, and one that does would be waited for.
  at: fc.integer({ min: 1, max: CONTROL_WORDS - 1 }),
  value: fc.oneof(
    fc.nat(20),
    fc.constantFrom(0xffffffff, 0x80000000, 0x7fffffff, 0xfffffff0),
    fc.nat(0xffffffff),
  ),
});

test('an index with any words gives errors with codes or answers, to readers and writers', () => {
  const codes = new Set<unknown>();
  fc.assert(
    fc.property(fc.array(lie, { minLength: 1, maxLength: 6 }), (lies) => {
      const map = createMap({ ...definition, capacity: CAPACITY });
      const reader = openMap(map.handle, definition);
      try {
        for (let id = 0; id < 5; id++) map.set(`key ${id}`, { id, name: 'row' });
        map.delete('key 3');
        const words = controlWords(map);
        for (const { at, value } of lies) words[at] = value;
        for (const each of [reader, map]) {
          for (let id = 0; id < 6; id++) {
            const found = outcome(() => each.get(`key ${id}`));
            if (typeof found === 'string') codes.add(found);
            else if (found !== undefined) expect(found).toEqual({ id, name: 'row' });
            outcome(() => each.has(`key ${id}`));
          }
          outcome(() => [...each]);
          outcome(() => each.size);
          outcome(() => void each.watch().return?.());
        }
        codes.add(outcome(() => map.update('key 1', (draft) => void (draft.name = 'row'))));
        for (let id = 0; id < 12; id++)
          codes.add(outcome(() => void map.set(`new ${id}`, { id, name: 'new' })));
        for (let id = 0; id < 6; id++) codes.add(outcome(() => map.delete(`key ${id}`)));
        codes.add(outcome(() => map.clear()));
      } finally {
        reader.close();
        map.close();
      }
    }),
    { numRuns: 500 },
  );
  const found = [...codes].filter((code) => typeof code === 'string').toSorted();
  expect(found).toEqual(['SEGMENT_FORMAT', 'STORE_FULL']);
});

test.each([
  ['the note of a change, its slot', 1, CAPACITY + 1, (map: Writer) => map.set('new', row)],
  ['the note of a change, its place', 2, 16, (map: Writer) => map.set('new', row), [1, 1]],
  ['the first free slot', 4, CAPACITY + 1, (map: Writer) => map.set('new', row)],
  ['the first free slot, one in use', 4, 1, (map: Writer) => map.set('new', row)],
  ['the high water', 5, CAPACITY + 1, (map: Writer) => [...map]],
  ['the high water, too low', 5, 0, (map: Writer) => map.set('new', row)],
  ['the size', 6, CAPACITY + 1, (map: Writer) => map.size],
] as const)(
  '%s that cannot be is SEGMENT_FORMAT',
  (_title, at, value, call, besides?: readonly [number, number]) => {
    const map = createMap({ ...definition, capacity: CAPACITY });
    try {
      map.set('key', row);
      const words = controlWords(map);
      words[at] = value;
      if (besides !== undefined) words[besides[0]] = besides[1];
      expect(() => call(map)).toThrow(withCode('SEGMENT_FORMAT'));
    } finally {
      map.close();
    }
  },
);
type Writer = ReturnType<typeof createMap<typeof definition.key, typeof Row>>;
const row = { id: 1, name: 'row' };

test('an index word that names a slot which is not there is SEGMENT_FORMAT for readers too', () => {
  const map = createMap({ ...definition, capacity: 4 });
  const reader = openMap(map.handle, definition);
  try {
    map.set('key', row);
    const words = new Uint32Array(map.segment.buffer, 0, Math.floor(map.segment.buffer.byteLength / 4));
    const indexes = words.subarray(
      (words[wordOf('headerLength')]! + 4 * words[wordOf('stride')]!) / 4 + 32 + 16,
      undefined,
    );
    // Low bits 5 to 7 of three: beyond a capacity of 4.
    for (let i = 0; i < 32; i++) if (indexes[i] !== 0) indexes[i]! |= 7;
    expect(() => reader.get('key')).toThrow(withCode('SEGMENT_FORMAT'));
    expect(() => map.delete('key')).toThrow(withCode('SEGMENT_FORMAT'));
  } finally {
    reader.close();
    map.close();
  }
});
