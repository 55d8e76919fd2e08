// Laws of the record codecs, over arbitrary layouts.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecOf, referenceCodecOf } from '../../src/layout/codec.ts';
import { layoutsWithRecords, layoutsWithUnions } from '../support/layout-arbitraries.ts';

const memoryOf = (size: number): DataView => new DataView(new ArrayBuffer(size + 16).transfer());

describe('record codecs', () => {
  test('decode(encode(record)) equals record, for every layout', () => {
    fc.assert(
      fc.property(layoutsWithRecords, fc.integer({ min: 0, max: 8 }), ({ layout, record }, at) => {
        const view = memoryOf(layout.size);
        codecOf(layout).encode(view, at, record);
        expect(codecOf(layout).decode(view, at)).toEqual(record);
      }),
      { numRuns: 400 },
    );
  });

  test('generated code and the plain loop write the same bytes and read the same record', () => {
    fc.assert(
      fc.property(layoutsWithRecords, ({ layout, record }) => {
        const [fast, plain] = [memoryOf(layout.size), memoryOf(layout.size)];
        new Uint8Array(fast.buffer).fill(0xcc);
        new Uint8Array(plain.buffer).fill(0xcc);
        codecOf(layout).encode(fast, 3, record);
        referenceCodecOf(layout).encode(plain, 3, record);
        expect(new Uint8Array(fast.buffer)).toEqual(new Uint8Array(plain.buffer));
        expect(codecOf(layout).decode(fast, 3)).toEqual(referenceCodecOf(layout).decode(fast, 3));
      }),
      { numRuns: 400 },
    );
  });

  test('with unions at any depth, both write the same bytes over any others, and what they read is written back as it was', () => {
    fc.assert(
      fc.property(layoutsWithUnions, fc.constantFrom(0, 0xcc), ({ layout, record }, noise) => {
        const images = [codecOf(layout), referenceCodecOf(layout)].flatMap((codec) => {
          const view = memoryOf(layout.size);
          new Uint8Array(view.buffer).fill(noise);
          codec.encode(view, 3, record);
          const again = memoryOf(layout.size);
          new Uint8Array(again.buffer).fill(noise);
          codec.encode(again, 3, codec.decode(view, 3));
          return [new Uint8Array(view.buffer), new Uint8Array(again.buffer)];
        });
        const zeroed = memoryOf(layout.size);
        referenceCodecOf(layout).encode(zeroed, 3, record);
        const expected = new Uint8Array(zeroed.buffer).slice(3, 3 + layout.size);
        for (const image of images) {
          expect(image.subarray(3, 3 + layout.size)).toEqual(expected);
          expect(
            [...image.subarray(0, 3), ...image.subarray(3 + layout.size)].every((byte) => byte === noise),
          ).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('decodeInto gives the same record as decode and keeps the target', () => {
    fc.assert(
      fc.property(layoutsWithRecords, ({ layout, record }) => {
        const view = memoryOf(layout.size);
        codecOf(layout).encode(view, 0, record);
        for (const codec of [codecOf(layout), referenceCodecOf(layout)]) {
          const target = layout.zero();
          expect(codec.decodeInto(view, 0, target)).toBe(target);
          expect(target).toEqual(record);
        }
      }),
      { numRuns: 200 },
    );
  });
});
