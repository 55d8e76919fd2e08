// Laws of placement, and three independent judges of it: koffi, typed-struct and a C compiler.
import * as fc from 'fast-check';
import koffi from 'koffi';
import { Struct } from 'typed-struct';
import { describe, expect, test } from 'vitest';
import type { Abi, Pack } from '../../src/layout/abi.ts';
import { array } from '../../src/layout/composites.ts';
import { codecOf } from '../../src/layout/codec.ts';
import {
  be,
  bool32,
  f32,
  f64,
  filetime,
  i16,
  i32,
  i64,
  i8,
  long,
  pointer,
  sizeT,
  timeT,
  u16,
  u32,
  u64,
  u8,
  ulong,
} from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { insideOf } from '../../src/layout/shape.ts';
import { wchar } from '../../src/layout/text-types.ts';
import type { AnyType, Fields, Layout } from '../../src/layout/types.ts';
import { compiles, complaintsAbout, COMPILERS } from '../support/c-compilers.ts';
import { layoutsWithUnions } from '../support/layout-arbitraries.ts';
import { CSource, shapeOf } from '../support/layout-c-source.ts';
import { withCode } from '../support/with-code.ts';

describe('placement', () => {
  test('fields never overlap, keep their alignment, and lie inside the record', () => {
    fc.assert(
      fc.property(layoutsWithUnions, ({ layout }) => {
        let end = 0;
        for (const { offset, size, align } of layout.fields) {
          expect(offset).toBeGreaterThanOrEqual(end);
          expect(offset % align).toBe(0);
          end = offset + size;
        }
        expect(end).toBeLessThanOrEqual(layout.size);
        expect(layout.size % layout.align).toBe(0);
        expect(layout.align).toBe(Math.max(...layout.fields.map(({ align }) => align)));
        expect(layout.size - end).toBeLessThan(layout.align);
      }),
      { numRuns: 300 },
    );
  });

  test('each gap between fields is smaller than the alignment of the field behind it', () => {
    fc.assert(
      fc.property(layoutsWithUnions, ({ layout }) => {
        let end = 0;
        for (const { offset, size, align } of layout.fields) {
          expect(offset - end).toBeLessThan(align);
          end = offset + size;
        }
      }),
      { numRuns: 300 },
    );
  });

  test('pins put a field where they say, whatever the order, and refuse overlap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }), (a, b) => {
        const overlap = a < b + 8 && b < a + 4;
        const make = () => struct('Pinned', { a: u32, b: u64 }, { offsets: { a, b }, size: 64 });
        if (overlap) expect(make).toThrow(withCode('LAYOUT_FIELD_INVALID'));
        else expect(make()).toMatchObject({ size: 64, offsets: { a, b } });
      }),
    );
  });

  test('a struct pinned for another ABI goes into arrays and unions of that ABI, and into no other', () => {
    for (const abi of ['win64', 'win32', 'linux64', 'linux32'] as const) {
      const Pinned = struct('Pinned', { a: u8, b: u64 }, { abi, offsets: { b: 3 }, size: 12 });
      const list = array(Pinned, 3);
      const either = union('Either', { it: Pinned, word: u8 });
      expect([list.size, either.size]).toEqual([36, 12]);
      const fields = { first: u8, list: array(list, 2), either };
      expect(struct('Outer', fields, { abi })).toMatchObject({ offsets: { list: 1, either: 73 }, size: 85 });
      const other = abi === 'win32' ? 'win64' : 'win32';
      expect(() => struct('Outer', fields, { abi: other })).toThrow(withCode('LAYOUT_FIELD_INVALID'));
    }
  });

  test('one definition on another ABI has that ABI’s widths and alignments', () => {
    const Everything = struct('Everything', { c: u8, big: u64, d: u8, real: f64 });
    expect((['win64', 'win32', 'linux64', 'linux32'] as const).map((abi) => Everything.on(abi).size)).toEqual(
      [32, 32, 32, 24],
    );
  });

  test('the digest is that of equal memory: names of structs, options and spelling do not matter', () => {
    fc.assert(
      fc.property(layoutsWithUnions, ({ layout }) => {
        const fields = Object.fromEntries(
          layout.fields.map(({ name, type }: { name: string; type: AnyType }) => [name, type]),
        ) as Fields;
        const valued = Object.fromEntries(
          Object.entries(fields).filter(([, type]) => type.kind !== 'pad'),
        ) as Fields;
        if (Object.keys(valued).length === 0) return;
        const again = struct<Fields>('Other', valued, {
          abi: layout.abi,
          size: layout.size,
          offsets: layout.offsets,
        });
        expect(again.digest).toBe(layout.digest);
      }),
      { numRuns: 200 },
    );
  });
});

// ---- judges

interface Judged {
  readonly type: AnyType;
  readonly koffi: (pack: number) => unknown;
  readonly value: fc.Arbitrary<unknown>;
}
const primitives: readonly (readonly [AnyType, string, fc.Arbitrary<unknown>])[] = [
  [u8, 'uint8', fc.integer({ min: 0, max: 255 })],
  [i8, 'int8', fc.integer({ min: -128, max: 127 })],
  [u16, 'uint16', fc.integer({ min: 0, max: 65_535 })],
  [i16, 'int16', fc.integer({ min: -32_768, max: 32_767 })],
  [u32, 'uint32', fc.integer({ min: 0, max: 2 ** 32 - 1 })],
  [i32, 'int32', fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })],
  [u64, 'uint64', fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
  [i64, 'int64', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [f32, 'float', fc.float({ noNaN: true })],
  [f64, 'double', fc.double({ noNaN: true })],
];

const judged: fc.Arbitrary<Judged> = fc.letrec<{ any: Judged; struct: Judged }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...primitives).map(([type, name, value]): Judged => ({ type, koffi: () => name, value })),
    fc
      .tuple(tie('any'), fc.integer({ min: 1, max: 4 }))
      .map(([{ type, koffi: inner, value }, n]): Judged => ({
        type: array(type, n),
        koffi: (pack) => koffi.array(inner(pack) as string, n, 'Array'),
        value: fc.array(value, { minLength: n, maxLength: n }),
      })),
    tie('struct'),
  ),
  struct: fc.array(tie('any'), { minLength: 1, maxLength: 4 }).map(structOf),
})).any;

function structOf(inner: readonly Judged[], pack?: Pack): Judged {
  const fields = Object.fromEntries(inner.map(({ type }, i) => [`f${i}`, type])) as Fields;
  const type = struct<Fields>('S', fields, pack === undefined ? {} : { pack });
  const plain = () => Object.fromEntries(inner.map((part, i) => [`f${i}`, part.koffi(16)]));
  const alignOf = (i: number): number =>
    Math.min(pack ?? 16, insideOf(inner[i]?.type)?.shapeOn('linux64').align ?? 1);
  return {
    type,
    koffi: () =>
      koffi.struct(
        (pack === undefined
          ? plain()
          : Object.fromEntries(
              Object.entries(plain()).map(([name, member], i) => [name, [alignOf(i), member]]),
            )) as Record<string, string>,
      ),
    value: fc.record(Object.fromEntries(inner.map((part, i) => [`f${i}`, part.value]))),
  };
}

const roots = fc
  .tuple(
    fc.array(judged, { minLength: 1, maxLength: 6 }),
    fc.constantFrom<Pack | undefined>(undefined, 1, 2, 4, 8),
  )
  .map(([inner, pack]) => structOf(inner, pack));

describe.runIf(process.arch === 'x64' && process.platform === 'linux')('koffi agrees', () => {
  test('on sizes, alignments, offsets and bytes', () => {
    fc.assert(
      fc.property(
        roots.chain((root) => root.value.map((record) => ({ root, record }))),
        ({ root, record }) => {
          const layout = root.type as Layout;
          const native = root.koffi(16) as {
            size: number;
            alignment: number;
            members: Record<string, { offset: number }>;
          };
          expect([layout.size, layout.align]).toEqual([native.size, native.alignment]);
          expect(layout.offsets).toEqual(
            Object.fromEntries(Object.entries(native.members).map(([name, { offset }]) => [name, offset])),
          );
          const [ours, theirs] = [new Uint8Array(layout.size), Buffer.alloc(layout.size)];
          codecOf(layout).encode(new DataView(ours.buffer), 0, record);
          koffi.encode(theirs, 0, native as never, record);
          expect(Buffer.from(ours).equals(theirs)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

const METHODS = [
  [u8, 'UInt8'],
  [i8, 'Int8'],
  [u16, 'UInt16LE'],
  [i16, 'Int16LE'],
  [u32, 'UInt32LE'],
  [i32, 'Int32LE'],
  [be(u16), 'UInt16BE'],
  [be(i16), 'Int16BE'],
  [be(u32), 'UInt32BE'],
  [be(i32), 'Int32BE'],
  [f32, 'Float32LE'],
  [f64, 'Float64LE'],
  [be(f32), 'Float32BE'],
  [be(f64), 'Float64BE'],
  [u64, 'BigUInt64LE'],
  [i64, 'BigInt64LE'],
  [be(u64), 'BigUInt64BE'],
  [be(i64), 'BigInt64BE'],
] as const;

describe('typed-struct agrees', () => {
  test('on the values in packed records of numbers of both byte orders', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...METHODS), { minLength: 1, maxLength: 8 }),
        fc.infiniteStream(fc.nat(255)),
        (chosen, noise) => {
          const fields = Object.fromEntries(chosen.map(([type], i) => [`f${i}`, type])) as Fields;
          const layout = struct<Fields>('Packed', fields, { pack: 1 });
          const builder = chosen.reduce<Record<string, (name: string) => never>>(
            (made, [, method], i) => (made[method] as (name: string) => never)(`f${i}`),
            new Struct('Packed') as never,
          ) as unknown as Struct<object, 'Packed'>;
          const Class = builder.compile();
          expect(Class.baseSize).toBe(layout.size);
          const memory = Buffer.from(Array.from({ length: layout.size }, () => noise.next().value ?? 0));
          const record = layout.decode(memory) as Record<string, unknown>;
          const theirs = new Class(memory) as Record<string, unknown>;
          for (const name of Object.keys(record))
            expect({ [name]: theirs[name] }).toEqual({ [name]: record[name] });
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Has a compiler check the sizes and offsets of many layouts at once; gives its complaints. */
function complaints(
  layouts: readonly Layout[],
  abi: Abi,
  more: readonly string[] = [],
  // Headers of the system are not there for every target.
  alone: readonly string[] = more.length === 0 ? ['-ffreestanding'] : [],
): string {
  const lines = ['#include <stdint.h>', '#include <stddef.h>', '#include <stdbool.h>'];
  layouts.forEach((layout, n) => {
    const source = new CSource();
    const shape = shapeOf(layout);
    const tag = source.define(shape, layout.pack);
    const prefix = (line: string): string => line.replaceAll(/\b(s\d+)\b/g, `l${n}_$1`);
    lines.push(...source.lines.map(prefix));
    const name = `struct l${n}_${tag}`;
    lines.push(`_Static_assert(sizeof(${name}) == ${layout.size}, "size of ${n}");`);
    lines.push(`_Static_assert(_Alignof(${name}) == ${layout.align}, "align of ${n}");`);
    shape.fields.forEach(({ offset }, i) =>
      lines.push(`_Static_assert(offsetof(${name}, f${i}) == ${offset}, "offset ${i} of ${n}");`),
    );
  });
  return complaintsAbout(abi, [...lines, ...more].join('\n'), ['-std=c11', ...alone]);
}

// A system without the compiler cannot ask it.
describe.each(Object.keys(COMPILERS) as Abi[])('a C compiler for %s', (abi) => {
  const isHere = compiles(abi, 'int x;');
  const hasHeaders = compiles(abi, '#include <time.h>\n');

  test.skipIf(!isHere)('agrees on size, alignment and offsets', () => {
    const layouts = fc
      .sample(layoutsWithUnions, { numRuns: 300, seed: 20_260 })
      .map(({ layout }) => layout.on(abi));
    expect(layouts.length).toBe(300);
    expect(complaints(layouts, abi)).toBe('');
  });

  test.skipIf(!hasHeaders)('agrees on the types whose width it decides, and on FILETIME', () => {
    const named = {
      long,
      'unsigned long': ulong,
      size_t: sizeT,
      'void *': pointer,
      time_t: timeT,
      ...(abi.startsWith('win')
        ? { FILETIME: filetime, BOOL: bool32, 'WCHAR[3]': wchar(3) }
        : { 'wchar_t[3]': wchar(3) }),
    };
    const facts = Object.entries(named).flatMap(([name, type]) => {
      const { size, align } = struct<Fields>('One', { value: type }, { abi });
      return [
        `_Static_assert(sizeof(${name}) == ${size}, "size of ${name}");`,
        `_Static_assert(_Alignof(${name}) == ${align}, "align of ${name}");`,
      ];
    });
    const header = `#include <${abi.startsWith('win') ? 'windows' : 'wchar'}.h>`;
    expect(complaints([], abi, [header, '#include <time.h>', ...facts])).toBe('');
    expect(complaints([], abi, ['#include <time.h>', '_Static_assert(sizeof(time_t) == 3, "no");'])).toMatch(
      'no',
    );
  });

  // The headers of a C library are not there for every target, the compiler's own are. Of time_t only a library can tell.
  test.skipIf(!isHere)('agrees on the types whose width it decides without a library', () => {
    const named = {
      long,
      'unsigned long': ulong,
      size_t: sizeT,
      'void *': pointer,
      'wchar_t[3]': wchar(3),
    };
    const facts = Object.entries(named).flatMap(([name, type]) => {
      const { size, align } = struct<Fields>('One', { value: type }, { abi });
      return [
        `_Static_assert(sizeof(${name}) == ${size}, "size of ${name}");`,
        `_Static_assert(_Alignof(${name}) == ${align}, "align of ${name}");`,
      ];
    });
    expect(complaints([], abi, facts, ['-ffreestanding'])).toBe('');
    const wrong = '_Static_assert(sizeof(size_t) == 3, "no");';
    expect(complaints([], abi, [wrong], ['-ffreestanding'])).toMatch('no');
  });

  test.skipIf(!isHere)('complains about a layout that is wrong', () => {
    const wrong = struct('Wrong', { a: u8, b: u32 }, { offsets: { b: 2 }, abi });
    expect(complaints([wrong], abi)).toMatch('size of 0');
  });
});
