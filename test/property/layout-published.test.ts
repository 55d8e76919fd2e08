// Structs that systems and programs publish, said in the layout language: the compiler that reads their declarations is the judge of sizes,
// alignments, and of what arbitrary values in every member look like in memory.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Abi } from '../../src/layout/abi.ts';
import { codecOf, referenceCodecOf } from '../../src/layout/codec.ts';
import { u32, u8 } from '../../src/layout/numbers.ts';
import { insideOf, type Shape } from '../../src/layout/shape.ts';
import { struct } from '../../src/layout/struct.ts';
import type { Layout } from '../../src/layout/types.ts';
import { compiles, IMAGE, imageOf } from '../support/c-compilers.ts';
import { hex, named } from '../support/layout-bytes.ts';
import { initialiser, type Spelling } from '../support/layout-c-values.ts';
import { LINUX } from '../support/published-linux.ts';
import { MIXED_BITS, PROGRAMS, type Published } from '../support/published-programs.ts';
import { WINDOWS } from '../support/published-windows.ts';
import { arbitraryOf } from '../support/shape-arbitraries.ts';

const TARGETS: Readonly<Record<Abi, { readonly headers: string; readonly structs: readonly Published[] }>> = {
  linux64: {
    headers: '#include <wchar.h>\n#include <time.h>\n#include <sys/time.h>\n#include <sys/types.h>',
    structs: [...LINUX, ...PROGRAMS, ...MIXED_BITS.linux],
  },
  // A compiler for two targets has the headers of one.
  linux32: {
    headers: 'typedef __WCHAR_TYPE__ wchar_t;\ntypedef long time_t;',
    structs: [...PROGRAMS, ...MIXED_BITS.linux],
  },
  win64: { headers: '#include <windows.h>', structs: [...WINDOWS, ...PROGRAMS, ...MIXED_BITS.windows] },
  win32: { headers: '#include <windows.h>', structs: [...WINDOWS, ...PROGRAMS, ...MIXED_BITS.windows] },
};

const SLOT = 64;
const RECORDS = 3;
/** A name that begins with `$` stands for an anonymous member. */
const AS_DECLARED: Spelling = {
  memberName: (name) => (name.startsWith('$') ? '' : name),
  utf32: 'L',
};

interface Judged {
  readonly size: number;
  readonly align: number;
  readonly records: readonly Record<string, unknown>[];
  readonly images: readonly Uint8Array<ArrayBuffer>[];
}

const shapeOf = (layout: Layout): Shape => insideOf(layout)?.shapeOn(layout.abi) as Shape;

/** Asks the compiler about all structs at once: each one's size and alignment, and the bytes of a few records. */
function judge(abi: Abi, headers: string, structs: readonly Published[]): readonly Judged[] {
  const sources = structs.map(([, , layout], n) => {
    const shape = shapeOf(layout);
    const records = fc.sample(arbitraryOf(shape), { numRuns: RECORDS, seed: n + 1 });
    return { records, values: records.map((record) => initialiser(shape, record, AS_DECLARED)) };
  });
  const all = imageOf(
    abi,
    [
      '#include <stdint.h>',
      '#include <stdbool.h>',
      headers,
      ...new Set(
        structs.map(([declared]) => (declared.endsWith('.h') ? `#include <${declared}>` : declared)),
      ),
      `struct facts { unsigned size, align; } __attribute__((aligned(${SLOT})));`,
      'struct all {',
      ...structs.map(
        ([, type], n) =>
          `struct facts f${n}; struct { ${type} r __attribute__((aligned(${SLOT}))); } r${n}[${RECORDS}];`,
      ),
      '};',
      `const struct all all ${IMAGE} = {`,
      ...structs.map(([, type], n) => {
        const values = sources[n]?.values.map((value) => `{ ${value} }`).join(', ');
        return `.f${n} = { sizeof(${type}), _Alignof(${type}) }, .r${n} = { ${values} },`;
      }),
      '};',
    ].join('\n'),
    ['-std=gnu11', ...(abi === 'linux32' ? ['-ffreestanding'] : [])],
  );
  const view = new DataView(all.buffer);
  let at = 0;
  return sources.map(({ records }) => {
    const [size, align] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    at += SLOT;
    const images = records.map(() => {
      const image = all.slice(at, at + size);
      at += Math.ceil(size / SLOT) * SLOT;
      return image;
    });
    return { size, align, records: records as Record<string, unknown>[], images };
  });
}

describe.each(Object.keys(TARGETS) as Abi[])('published structs on %s', (abi) => {
  const { headers, structs } = TARGETS[abi];
  const here = structs.map(([declared, type, layout]): Published => [declared, type, layout.on(abi)]);
  // Without the compiler nobody can be asked.
  const isHere = compiles(abi, abi === 'linux32' ? 'int x;' : headers);
  let judged: readonly Judged[] | undefined;
  const judgements = (): readonly Judged[] => (judged ??= judge(abi, headers, here));

  test.skipIf(!isHere).each(here.map(([, type, layout], n) => [type, layout, n] as const))(
    '%s',
    (_, layout, n) => {
      const { size, align, records, images } = judgements()[n] as Judged;
      expect([layout.size, layout.align]).toEqual([size, align]);
      images.forEach((image, i) => {
        const record = records[i];
        for (const codec of [codecOf(layout), referenceCodecOf(layout)]) {
          expect(named(codec.decode(new DataView(image.buffer), 0), record)).toEqual(record);
          const memory = new Uint8Array(size).fill(0xcc);
          codec.encode(new DataView(memory.buffer), 0, record);
          expect(hex(memory)).toBe(hex(image));
        }
      });
    },
  );

  test.skipIf(!isHere)('a layout with a field elsewhere has other bytes', () => {
    const Wrong = struct('Pair', { low: u32, high: u8 }, { abi });
    const [found] = judge(abi, headers, [
      ['typedef struct { uint8_t high; uint32_t low; } Pair;', 'Pair', Wrong],
    ]);
    const { records, images } = found as Judged;
    const memory = new Uint8Array(Wrong.size);
    codecOf(Wrong).encode(new DataView(memory.buffer), 0, records[0]);
    expect(hex(memory)).not.toBe(hex(images[0] as Uint8Array));
  });
});
