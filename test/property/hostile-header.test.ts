// Laws of opening what somebody else may have written: whatever the bytes, an error with a code or a store that works.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createStore, openStore, SharecordError, struct, u32, utf8, f64, array } from '../../src/index.ts';
import { HEADER } from '../support/header.ts';
import { withCode } from '../support/with-code.ts';

const Row = struct('Row', { id: u32, name: utf8(12), trace: array(f64, 2) });

const mutation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      at: fc.nat(35).map((word) => word * 4),
      value: fc.oneof(fc.nat(), fc.constantFrom(0, 1, 64, 0x7fffffff, 0xffffffff, 0x80000000)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      at: fc.nat(150).map((word) => HEADER.text + word * 4),
      value: fc.nat(0xffffffff),
    }),
  },
  { weight: 1, arbitrary: fc.record({ at: fc.nat(800).map((word) => word * 4), value: fc.nat(0xffffffff) }) },
);

function outcome<T>(call: () => T): T | string {
  try {
    return call();
  } catch (error) {
    if (error instanceof SharecordError) return error.code;
    throw error;
  }
}

test('a mutated segment is refused with a code, or reads and writes inside its bounds', () => {
  const refusals = new Set<string>();
  let opened = 0;
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), fc.boolean(), (mutations, typed) => {
      const store = createStore({ layout: Row, capacity: 4 });
      try {
        store.write(0, { id: 1, name: 'one', trace: [1, 2] });
        const view = new DataView(store.segment.buffer);
        for (const { at, value } of mutations) if (at + 4 <= view.byteLength) view.setUint32(at, value, true);
        const open = (): unknown => {
          const reader = typed ? openStore(store.handle, Row) : openStore(store.handle);
          try {
            const indexes = Math.min(reader.capacity, 8);
            for (let i = 0; i < indexes; i++) outcome(() => reader.read(i));
            outcome(() => reader.generation(0));
            opened++;
          } finally {
            reader.close();
          }
          return undefined;
        };
        const result = outcome(open);
        if (typeof result === 'string') refusals.add(result);
        const writing = (): unknown => {
          const writer = openStore(store.handle, Row, { access: 'read-write' });
          try {
            return outcome(() => writer.write(3, { id: 2, name: 'two', trace: [3, 4] }));
          } finally {
            writer.close();
          }
        };
        outcome(writing);
      } finally {
        store.close();
      }
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    }),
    { numRuns: 400 },
  );
  expect([...refusals].toSorted()).toEqual(expect.arrayContaining(['SEGMENT_FOREIGN', 'SEGMENT_FORMAT']));
  expect(opened).toBeGreaterThan(0);
});

test.each([
  ['magic', HEADER.magic, 0x41414141, 'SEGMENT_FOREIGN'],
  ['format version', HEADER.version, 2, 'SEGMENT_FORMAT'],
  ['byte order', HEADER.byteOrder, 0x04030201, 'SEGMENT_FORMAT'],
  ['header length', HEADER.headerLength, 0xffffffc0, 'SEGMENT_FORMAT'],
  ['header length', HEADER.headerLength, 100, 'SEGMENT_FORMAT'],
  ['state raw', HEADER.state, 0, 'SEGMENT_NOT_READY'],
  ['state gone', HEADER.state, 2, 'SEGMENT_NOT_FOUND'],
  ['kind', HEADER.kind, 2, 'SEGMENT_FORMAT'],
  ['kind', HEADER.kind, 3, 'SEGMENT_FORMAT'],
  ['guard', HEADER.guard, 9, 'SEGMENT_FORMAT'],
  ['capacity', HEADER.capacity, 0, 'SEGMENT_FORMAT'],
  ['capacity', HEADER.capacity, 5, 'SEGMENT_FORMAT'],
  ['capacity beyond 2^32', HEADER.capacity + 4, 1, 'SEGMENT_FORMAT'],
  ['size', HEADER.size, 64, 'SEGMENT_FORMAT'],
  ['size', HEADER.size, 0x7fff_ffff, 'SEGMENT_FORMAT'],
  ['size beyond 2^32', HEADER.size + 4, 1, 'SEGMENT_FORMAT'],
  ['record size', HEADER.recordSize, 8, 'SEGMENT_FORMAT'],
  ['cell length', HEADER.cellLength, 8, 'SEGMENT_FORMAT'],
  ['stride', HEADER.stride, 64, 'SEGMENT_FORMAT'],
  ['lifetime', HEADER.lifetime, 7, 'SEGMENT_FORMAT'],
  ['digest', HEADER.digest, 1, 'SEGMENT_FORMAT'],
  ['text offset', HEADER.textOffset, 0, 'SEGMENT_FORMAT'],
  ['text length', HEADER.textLength, 0xffffffff, 'SEGMENT_FORMAT'],
  ['text', HEADER.text + 8, 0, 'SEGMENT_FORMAT'],
])('a wrong %s (at byte %i: %i) is %s', (_what, at, value, code) => {
  const store = createStore({ layout: Row, capacity: 4 });
  try {
    new DataView(store.segment.buffer).setUint32(at, value, true);
    expect(() => openStore(store.handle, Row)).toThrow(withCode(code));
  } finally {
    store.close();
  }
});
