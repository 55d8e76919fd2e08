// What a record's bytes are: C compilers for four ABIs initialise constants of generated layouts with the values of generated records, and
// the bytes are read out of their object files. Decoding these gives the values; encoding the values gives these, padding included.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Abi } from '../../src/layout/abi.ts';
import { codecOf, referenceCodecOf } from '../../src/layout/codec.ts';
import { array } from '../../src/layout/composites.ts';
import { u32, u8 } from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import type { AnyType, Fields, Layout } from '../../src/layout/types.ts';
import { compiles, COMPILERS, IMAGE, imageOf } from '../support/c-compilers.ts';
import { hex, named } from '../support/layout-bytes.ts';
import { layoutsWithUnions } from '../support/layout-arbitraries.ts';
import { CSource, pinnedShapes, shapeOf } from '../support/layout-c-source.ts';
import { initialiser, type Spelling } from '../support/layout-c-values.ts';

interface Sample {
  readonly layout: Layout;
  readonly record: Record<string, unknown>;
}

/** Keeps the constants apart, so that each begins where it can be computed. */
const SLOT = 16;
const BY_INDEX: Spelling = { memberName: (_, index) => `f${index}`, utf32: 'U' };

/** Gives what a compiler makes of each record. */
function images(abi: Abi, samples: readonly Sample[]): readonly Uint8Array<ArrayBuffer>[] {
  const types: string[] = [];
  const members: string[] = [];
  const values: string[] = [];
  samples.forEach(({ layout, record }, n) => {
    const source = new CSource();
    const tag = source.define(shapeOf(layout), layout.pack);
    types.push(...source.lines.map((line) => line.replaceAll(/\b(s\d+)\b/g, `l${n}_$1`)));
    members.push(`  struct l${n}_${tag} r${n} __attribute__((aligned(${SLOT})));`);
    values.push(`  .r${n} = ${initialiser(shapeOf(layout), record, BY_INDEX)},`);
  });
  const all = imageOf(
    abi,
    [
      '#include <stdint.h>',
      '#include <stdbool.h>',
      ...types,
      'struct all {',
      ...members,
      '};',
      `const struct all all ${IMAGE} = {`,
      ...values,
      '};',
    ].join('\n'),
    ['-std=gnu11', '-ffreestanding'],
  );
  let at = 0;
  return samples.map(({ layout: { size } }) => {
    const image = all.slice(at, at + size);
    at += Math.ceil(size / SLOT) * SLOT;
    return image;
  });
}

/** Holds a record, its layout and the image of a compiler against each other. */
function check({ layout, record }: Sample, image: Uint8Array<ArrayBuffer>): void {
  for (const codec of [codecOf(layout), referenceCodecOf(layout)]) {
    const told = layout.describe();
    expect({ told, record: named(codec.decode(new DataView(image.buffer), 0), record) }).toEqual({
      told,
      record,
    });
    const memory = new Uint8Array(layout.size).fill(0xcc);
    codec.encode(new DataView(memory.buffer), 0, record);
    expect({ told, bytes: hex(memory) }).toEqual({ told, bytes: hex(image) });
  }
}

interface Pinned extends Sample {
  readonly abi: Abi;
}

/** Samples of structs whose fields are pinned with gaps between them, listed in memory order or backwards. */
const pinned = (abi: Abi): fc.Arbitrary<Pinned> =>
  fc
    .tuple(layoutsWithUnions, fc.array(fc.nat(7), { minLength: 7, maxLength: 7 }), fc.boolean())
    .map(([{ layout, record }, gaps, backwards]) => {
      const valued = layout
        .on(abi)
        .fields.filter(({ type }: { type: AnyType }) => type.kind !== 'pad') as readonly Placed[];
      const offsets: Record<string, number> = {};
      let end = 0;
      valued.forEach(({ name, size }, i) => {
        offsets[name] = end + (gaps[i] ?? 0);
        end = (offsets[name] ?? 0) + size;
      });
      const listed = backwards ? valued.toReversed() : valued;
      const fields = Object.fromEntries(listed.map(({ name, type }) => [name, type])) as Fields;
      const size = end + (gaps[6] ?? 0);
      const made = struct<Fields>('Pinned', fields, { abi, offsets, size });
      pinnedShapes.add(shapeOf(made));
      return { abi, layout: made, record };
    });
interface Placed {
  readonly name: string;
  readonly type: AnyType;
  readonly size: number;
}

/** The same inside other types, which have no ABI of their own. */
const pinnedInside = (sample: Pinned): Sample => ({
  layout: struct(
    'Outer',
    {
      first: u8,
      list: array(sample.layout, 2),
      either: union('Either', { it: sample.layout, word: u32 }),
      last: u8,
    },
    { abi: sample.abi },
  ),
  record: { first: 1, list: [sample.record, sample.record], either: { it: sample.record }, last: 2 },
});

const RUNS = 200;

// A system without the compiler cannot ask it.
describe.each(Object.keys(COMPILERS) as Abi[])('the bytes of a C compiler for %s', (abi) => {
  const isHere = compiles(abi, 'int x;');
  const seed = 20_261;

  test.skipIf(!isHere)('are those of generated records', () => {
    const samples = fc
      .sample(layoutsWithUnions, { numRuns: RUNS, seed })
      .map(({ layout, record }) => ({ layout: layout.on(abi), record }));
    const made = images(abi, samples);
    expect(made.length).toBe(RUNS);
    samples.forEach((sample, n) => check(sample, made[n] as Uint8Array<ArrayBuffer>));
  });

  test.skipIf(!isHere)('are those of records whose fields are pinned, in arrays and unions too', () => {
    const drawn = fc.sample(pinned(abi), { numRuns: RUNS / 4, seed });
    const samples = [...drawn, ...drawn.map(pinnedInside)];
    const made = images(abi, samples);
    samples.forEach((sample, n) => check(sample, made[n] as Uint8Array<ArrayBuffer>));
  });

  test.skipIf(!isHere)('are not those of another record, nor of another layout', () => {
    const One = struct('One', { a: u8, b: u32 }, { abi });
    const [image] = images(abi, [{ layout: One, record: { a: 1, b: 2 } }]) as [Uint8Array<ArrayBuffer>];
    check({ layout: One, record: { a: 1, b: 2 } }, image);
    expect(() => check({ layout: One, record: { a: 1, b: 3 } }, image)).toThrow();
    const Moved = struct('One', { a: u8, b: u32 }, { abi, offsets: { b: 3 }, size: 8 });
    expect(() => check({ layout: Moved, record: { a: 1, b: 2 } }, image)).toThrow();
  });
});
