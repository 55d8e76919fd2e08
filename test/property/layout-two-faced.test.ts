// Objects that change between two looks: whatever the getters of a record do, and at whichever look, `Layout.encode` writes all or nothing.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecOf, referenceCodecOf } from '../../src/layout/codec.ts';
import { array } from '../../src/layout/composites.ts';
import { u8 } from '../../src/layout/numbers.ts';
import { struct } from '../../src/layout/struct.ts';
import { utf8 } from '../../src/layout/text-types.ts';
import type { Layout } from '../../src/layout/types.ts';
import { layoutsWithUnions } from '../support/layout-arbitraries.ts';
import { hex } from '../support/layout-bytes.ts';
import { FACES, twoFaced } from '../support/two-faced.ts';

describe.each([
  ['generated code', codecOf],
  ['the plain loop', referenceCodecOf],
] as const)('Layout.encode, by %s', (_, codec) => {
  const encode = (layout: Layout, record: object, memory: Uint8Array<ArrayBuffer>): void =>
    codec(layout).patchOrNothing(new DataView(memory.buffer), 0, record);

  test.each(Object.entries(FACES))('writes nothing when it throws because a getter %s', (_face, then) => {
    let refusals = 0;
    const property = fc.property(
      layoutsWithUnions,
      fc.double({ min: 0, max: 1, noNaN: true }),
      ({ layout, record }, part) => {
        const honest = twoFaced(record, Infinity, then);
        encode(layout, honest.wrapped, new Uint8Array(layout.size));
        const { wrapped } = twoFaced(record, Math.floor(part * honest.reads()), then);
        const memory = new Uint8Array(layout.size).fill(0xcc);
        try {
          encode(layout, wrapped, memory);
        } catch {
          refusals++;
          const told = layout.describe();
          expect({ told, bytes: hex(memory) }).toEqual({ told, bytes: 'cc'.repeat(layout.size) });
        }
      },
    );
    fc.assert(property, { numRuns: 200 });
    expect(refusals).toBeGreaterThan(20);
  });

  test('a write made by a getter in the middle of another leaves each its own values', () => {
    const Two = struct('Two', {
      name: utf8(8),
      list: array(struct('Item', { value: u8 }), 40),
      title: utf8(8),
    });
    const items = (value: number): { value: number }[] => Array.from({ length: 40 }, () => ({ value }));
    const [outer, inner] = [new Uint8Array(Two.size), new Uint8Array(Two.size)];
    const list = items(1);
    Object.defineProperty(list[7], 'value', {
      enumerable: true,
      get() {
        encode(Two, { name: 'inner', list: items(2), title: 'two' }, inner);
        return 3;
      },
    });
    encode(Two, { name: 'outer', list, title: 'one' }, outer);
    const expected = items(1).with(7, { value: 3 });
    expect(Two.decode(outer)).toEqual({ name: 'outer', list: expected, title: 'one' });
    expect(Two.decode(inner)).toEqual({ name: 'inner', list: items(2), title: 'two' });
  });
});
