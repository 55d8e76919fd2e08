// Definitions, canonical texts and bytes made by somebody who means harm: each gives a layout, a value or an error of ours.
import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LayoutError, SharecordError } from '../../src/errors.ts';
import { canonicalText, firstDifference, layoutFromCanonical } from '../../src/layout/canonical.ts';
import { codegen } from '../../src/layout/codegen.ts';
import { codecOf, referenceCodecOf } from '../../src/layout/codec.ts';
import { array, bits, bytes, enumOf, pad } from '../../src/layout/composites.ts';
import { bool, f64, u16, u32, u64, u8 } from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char, char16, char32, shortString, utf8 } from '../../src/layout/text-types.ts';
import type { AnyType, Fields } from '../../src/layout/types.ts';
import { toTypedStruct } from '../../src/typed-struct.ts';
import { layoutsWithRecords, layoutsWithUnions } from '../support/layout-arbitraries.ts';
import { withCode } from '../support/with-code.ts';

const refused = expect.objectContaining({
  name: 'LayoutError',
  code: 'LAYOUT_FIELD_INVALID',
}) as unknown as Error;
const define = (fields: unknown, options?: unknown) =>
  struct<Fields>('Hostile', fields as Fields, options as never);

describe('definitions', () => {
  test.each(['__proto__', 'constructor', 'prototype', 'toJSON', '', '0', '42', '18446744073709551616'])(
    'the field name %j is refused',
    (name) => {
      const fields = Object.fromEntries([[name, u8], ['a', u8]]); // prettier-ignore
      expect(() => define(fields)).toThrow(refused);
      expect(() => union<Fields>('Hostile', fields)).toThrow(refused);
      expect(() => bits(u32, Object.fromEntries([[name, 1]]))).toThrow(refused); // prettier-ignore
    },
  );

  test('any other name is data: it reaches no prototype, and no code', () => {
    const names = fc.uniqueArray(
      fc.oneof(
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.constantFrom(
          '"',
          "'",
          '`',
          '\\',
          '\n',
          '\r',
          '\u2028',
          '\u2029',
          '*/',
          '//',
          '${1}',
          '});globalThis.hacked=1;({',
          '"];globalThis.hacked=1;["',
          'x0',
          'view',
          'o',
          'target',
          'record',
          'b0',
          'arguments',
          'then',
          'valueOf',
          'hasOwnProperty',
          '\ud800',
        ),
      ),
      { minLength: 1, maxLength: 6 },
    );
    const safe = names
      .map((list) =>
        list.filter((name) => !/^(?:0|[1-9]\d*|__proto__|constructor|prototype|toJSON)$/.test(name)),
      )
      .filter((list) => list.length > 0);
    fc.assert(
      fc.property(safe, (list) => {
        const layout = define(Object.fromEntries(list.map((name) => [name, f64])));
        const record = Object.fromEntries(list.map((name, i) => [name, i + 0.5]));
        const view = new DataView(new ArrayBuffer(layout.size));
        codecOf(layout).encode(view, 0, record);
        expect(codecOf(layout).decode(view, 0)).toEqual(record);
        expect(Object.getPrototypeOf(codecOf(layout).decode(view, 0))).toBe(Object.prototype);
        expect(codecOf(layout).decodeInto(view, 0, layout.zero())).toEqual(record);
        expect(layoutFromCanonical(canonicalText(layout), 'Again').digest).toBe(layout.digest);
        expect((globalThis as { hacked?: unknown }).hacked).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test('what is no field type is refused: look-alikes, cycles, proxies', () => {
    const cycle: { kind: string; of?: unknown; length: number } = { kind: 'array', length: 2 };
    cycle.of = cycle;
    const lookAlike = { kind: 'u8', size: 1, align: 1, numeric: true };
    for (const type of [
      cycle,
      lookAlike,
      new Proxy(u8, {}),
      { ...u8 },
      null,
      undefined,
      'u8',
      8,
      u8.kind,
      () => u8,
    ]) {
      expect(() => define({ a: type })).toThrow(refused);
      expect(() => array(type as AnyType, 2)).toThrow(refused);
    }
  });

  test('counts, sizes, packs and offsets are checked', () => {
    for (const n of [0, -1, 1.5, Number.NaN, '3', null, 2 ** 53, undefined]) {
      expect(() => array(u8, n as number)).toThrow(LayoutError);
      expect(() => utf8(n as number)).toThrow(LayoutError);
      expect(() => bytes(n as number)).toThrow(LayoutError);
      expect(() => pad(n as number)).toThrow(LayoutError);
    }
    expect(() => array(array(array(u64, 2 ** 10), 2 ** 10), 2 ** 10)).toThrow(withCode('LAYOUT_TOO_LARGE'));
    for (const most of [array(u8, 2 ** 26), utf8(2 ** 27), char32(2 ** 27), bytes(2 ** 30)])
      expect(define({ a: most }).size).toBeGreaterThan(2 ** 25);
    // What an array or a string of the engine could not hold.
    for (const make of [
      () => array(u8, 2 ** 26 + 1),
      () => array(u8, 170_000_000),
      () => utf8(2 ** 27 + 1),
      () => char(2 ** 29),
      () => char32(2 ** 27 + 1),
      () => layoutFromCanonical(canonicalText(define({ a: array(u8, 9) })).replaceAll('9', '99999999'), 'L'),
    ])
      expect(make).toThrow(withCode('LAYOUT_TOO_LARGE'));
    for (const pack of [0, 3, 32, '8', null]) expect(() => define({ a: u8 }, { pack })).toThrow(refused);
    for (const abi of ['macos', '', 5, '__proto__', 'toString'])
      expect(() => define({ a: u8 }, { abi })).toThrow(refused);
    for (const size of [0, -1, 1.5, '1']) expect(() => define({ a: u8 }, { size })).toThrow(refused);
    for (const at of [-1, 1.5, '1', Number.NaN])
      expect(() => define({ a: u8 }, { offsets: { a: at } })).toThrow(refused);
    expect(() => define({ a: u8 }, { offsets: { b: 1 } })).toThrow(refused);
    expect(() => define({ a: u8 }, { offsets: { a: 2 ** 40 } })).toThrow(withCode('LAYOUT_TOO_LARGE'));
    expect(() => define({})).toThrow(refused);
    expect(() => bits(u8, { a: 9 })).toThrow(refused);
    expect(() => bits(u8, { a: 4, b: 5 })).toThrow(refused);
    expect(() => enumOf(u8, { A: 256 })).toThrow(refused);
    expect(() => enumOf(u8, {})).toThrow(refused);
  });

  test('nesting beyond 32 is refused where it is defined; 32 work, and are found again', () => {
    const large = expect.objectContaining({
      name: 'LayoutError',
      code: 'LAYOUT_TOO_LARGE',
    }) as unknown as Error;
    const kinds = [
      (inner: AnyType) => array(inner, 1),
      (inner: AnyType) => define({ a: inner }),
      (inner: AnyType) => union<Fields>('U', { a: inner }),
    ];
    for (const nest of [
      ...kinds,
      (inner: AnyType, i: number) => (kinds[i % 3] as (typeof kinds)[0])(inner),
    ]) {
      let deepest: AnyType = u8;
      for (let i = 0; i < 31; i++) deepest = nest(deepest, i);
      const layout = define({ a: deepest });
      const bytesOf = (record: unknown): Uint8Array => {
        const memory = new Uint8Array(layout.size).fill(0xcc);
        codecOf(layout).encode(new DataView(memory.buffer), 0, record);
        return memory;
      };
      expect(bytesOf(layout.decode(Uint8Array.of(7)))).toEqual(Uint8Array.of(7));
      expect(layoutFromCanonical(canonicalText(layout), 'Again').digest).toBe(layout.digest);
      expect(() => define({ a: layout })).toThrow(large);
      expect(() => array(layout, 2)).toThrow(large);
      expect(() => union<Fields>('U', { a: layout })).toThrow(large);
    }
  });

  test('options and members that are no objects are refused', () => {
    for (const none of [null, 5, 'x', true] as never[]) {
      for (const make of [
        () => utf8(4, none),
        () => char(4, none),
        () => char16(4, none),
        () => shortString(4, none),
        () => array(u8, 4, none),
        () => bytes(4, none),
        () => bits(u8, none),
        () => enumOf(u8, none),
        () => enumOf(u8, { A: 1 }, none),
        () => struct('S', none),
        () => struct('S', { a: u8 }, none),
        () => union('S', none),
        () => union('S', { a: u8 }, none),
        () => toTypedStruct(none),
        () => codegen(none, 'c'),
      ])
        expect(make, make.toString()).toThrow(refused);
    }
    expect(() => toTypedStruct(u8 as never)).toThrow(refused);
  });

  test('ten thousand fields work, and nesting multiplies sizes only', () => {
    const many = define(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, u16])));
    const record = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, i]));
    const view = new DataView(new ArrayBuffer(many.size));
    codecOf(many).encode(view, 0, record);
    expect(codecOf(many).decode(view, 0)).toEqual(record);
    expect(codecOf(many).decodeInto(view, 0, many.zero())).toEqual(record);
    let deep = define({ a: u8 });
    for (let i = 0; i < 20; i++) deep = define({ a: deep, b: deep });
    expect(deep.size).toBe(2 ** 20);
    expect(() => {
      for (let i = 0; i < 20; i++) deep = define({ a: deep, b: deep });
    }).toThrow(withCode('LAYOUT_TOO_LARGE'));
  });

  test('a setter or a constant that Object.prototype gets later sees nothing of the records, which stay plain objects', () => {
    const Late = struct('Late', {
      a: u8,
      mode: bits(u8, { low: 4, high: 4 }),
      inner: struct('In', { b: u8 }),
    });
    const memory = Uint8Array.of(1, 0x32, 4);
    const record = Late.decode(memory);
    const target = Late.zero();
    const seen: unknown[] = [];
    const names = ['a', 'low', 'inner', 'b'];
    try {
      for (const name of names) {
        // oxlint-disable-next-line no-extend-native -- that is the attack
        Object.defineProperty(Object.prototype, name, {
          configurable: true,
          ...(name === 'low' ? { value: 9 } : { set: (value: unknown) => seen.push(value) }),
        });
      }
      for (let i = 0; i < 100; i++) {
        for (const read of [
          Late.decode(memory),
          codecOf(Late).decodeInto(new DataView(memory.buffer), 0, target),
        ]) {
          expect(Object.keys(read)).toEqual(['a', 'mode', 'inner']);
          expect(JSON.stringify(read)).toBe('{"a":1,"mode":{"low":2,"high":3},"inner":{"b":4}}');
        }
        expect(JSON.stringify(Late.zero())).toBe('{"a":0,"mode":{"low":0,"high":0},"inner":{"b":0}}');
      }
    } finally {
      for (const name of names) Reflect.deleteProperty(Object.prototype, name);
    }
    expect(seen).toEqual([]);
    expect(Late.decode(memory)).toEqual(record);
    expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
  });

  test('a setter that Object.prototype has when a layout is made sees nothing of its records', () => {
    const layout = define({ trapped: f64, mode: enumOf(u8, { On: 0 }) });
    const seen: unknown[] = [];
    // oxlint-disable-next-line no-extend-native -- that is the attack
    Object.defineProperty(Object.prototype, 'trapped', {
      configurable: true,
      set(value: unknown) {
        seen.push(value);
      },
    });
    try {
      for (const codec of [codecOf(layout), referenceCodecOf(layout)]) {
        const record = codec.decode(new DataView(new ArrayBuffer(layout.size)), 0);
        expect(Object.hasOwn(record, 'trapped')).toBe(true);
      }
      expect(Object.hasOwn(layout.zero(), 'trapped')).toBe(true);
    } finally {
      delete (Object.prototype as { trapped?: unknown }).trapped;
    }
    expect(seen).toEqual([]);
  });
});

describe('canonical texts', () => {
  test('layoutFromCanonical(canonicalText(layout)) reads the same bytes, for every layout', () => {
    fc.assert(
      fc.property(layoutsWithUnions, ({ layout, record }) => {
        const again = layoutFromCanonical(canonicalText(layout), 'Again');
        expect(again.digest).toBe(layout.digest);
        expect([again.size, again.offsets]).toEqual([layout.size, layout.offsets]);
        expect(firstDifference(layout, again)).toBe('');
        const view = new DataView(new ArrayBuffer(layout.size));
        codecOf(layout).encode(view, 0, record);
        const copy = new DataView(new ArrayBuffer(layout.size));
        codecOf(again).encode(copy, 0, codecOf(again).decode(view, 0));
        expect(new Uint8Array(copy.buffer)).toEqual(new Uint8Array(view.buffer));
      }),
      { numRuns: 300 },
    );
  });

  test('any text gives a layout with that text, or a LayoutError', () => {
    const check = (text: string): void => {
      try {
        expect(canonicalText(layoutFromCanonical(text, 'Hostile'))).toBe(text);
      } catch (error) {
        expect(error).toBeInstanceOf(LayoutError);
      }
    };
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), check), { numRuns: 500 });
    fc.assert(
      fc.property(
        layoutsWithUnions,
        fc.nat(),
        fc.nat(12),
        fc.string({ maxLength: 6 }),
        ({ layout }, at, length, insert) => {
          const text = canonicalText(layout);
          const cut = at % text.length;
          check(text.slice(0, cut) + insert + text.slice(cut + length));
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('known attacks are refused', () => {
    const attacks = [
      '["struct",1,[["__proto__",0,"u8"]]]',
      '["struct",1,[["constructor",0,"u8"]]]',
      '["struct",2,[["a",0,"u8"],["a",1,"u8"]]]',
      '["struct",1,[["a",0,"u16"]]]',
      '["struct",8,[["a",0,"u32"],["b",2,"u32"]]]',
      '["struct",1e300,[["a",0,"u8"]]]',
      '["struct",8,[["a",-8,"u64"]]]',
      '["struct",0,[]]',
      '["struct",1,[["a",0,["array",4294967296,"u8"]]]]',
      '["struct",1,[["a",0,["array",0,"u8"]]]]',
      '["struct",4,[["a",0,["bits","u32",[["x",33]]]]]]',
      '["struct",1,[["a",0,["enum","u8",[["x","1e5"]]]]]]',
      '["struct",4,[["a",0,["utf-7",4,"full"]]]]',
      '["struct",4,[["a",0,["bytes",4,"missing"]]]]',
      `${'["struct",1,[["a",0,'.repeat(5000)}"u8"${']]]'.repeat(5000)}`,
      `["struct",1,[["a",0,${'["array",1,'.repeat(100)}"u8"${']'.repeat(100)}]]]`,
      '{"__proto__":{"polluted":1}}',
      'null',
      '',
      ' ["struct",1,[["a",0,"u8"]]]',
    ];
    for (const text of attacks) expect(() => layoutFromCanonical(text, 'Hostile'), text).toThrow(LayoutError);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(() => layoutFromCanonical(5 as never, 'Hostile')).toThrow(LayoutError);
  });

  test('firstDifference names the first field that differs, with both sides', () => {
    const Quote = struct('Quote', {
      symbol: utf8(12),
      bid: f64,
      levels: array(struct('Level', { price: f64, size: u32 }), 2),
    });
    const cases = [
      [
        struct('Q', { symbol: utf8(12), bid: u32, levels: array(struct('L', { price: f64, size: u32 }), 2) }),
        'field bid: expected f64 at byte 16, found u32 at byte 12',
      ],
      [
        struct('Q', { symbol: utf8(13), bid: f64, levels: array(struct('L', { price: f64, size: u32 }), 2) }),
        'field symbol: expected utf-8 text of 12 bytes with terminator at byte 0, found utf-8 text of 13 bytes with terminator at byte 0',
      ],
      [
        struct('Q', { symbol: utf8(12), ask: f64 }),
        'field bid: expected f64 at byte 16, found ask, f64 at byte 16',
      ],
      [
        struct('Q', { symbol: utf8(12), bid: f64 }),
        'field levels: expected 2 of Level at byte 24, found no field',
      ],
      [
        struct('Q', { symbol: utf8(12), bid: f64, levels: array(struct('L', { price: f64, size: u16 }), 2) }),
        'field levels[0].size: expected u32 at byte 8, found u16 at byte 8',
      ],
    ] as const;
    for (const [found, text] of cases) expect(firstDifference(Quote, found as never)).toBe(text);
    expect(firstDifference(Quote, Quote)).toBe('');
    expect(firstDifference(struct('A', { a: u8 }, { offsets: {}, size: 2 }), struct('A', { a: u8 }))).toBe(
      'size: expected 2 bytes, found 1 bytes',
    );
  });
});

describe('bytes', () => {
  test('any bytes decode, or give an error of ours', () => {
    fc.assert(
      fc.property(layoutsWithRecords, fc.infiniteStream(fc.nat(255)), ({ layout }, noise) => {
        const memory = Uint8Array.from({ length: layout.size }, () => noise.next().value ?? 0);
        const results = [codecOf(layout), referenceCodecOf(layout)].map((codec) => {
          try {
            return JSON.stringify(codec.decode(new DataView(memory.buffer), 0), (_, value: unknown) =>
              typeof value === 'bigint' ? String(value) : value,
            );
          } catch (error) {
            expect(error).toBeInstanceOf(SharecordError);
            return (error as Error).message;
          }
        });
        expect(results[0]).toBe(results[1]);
      }),
      { numRuns: 500 },
    );
  });

  test('a refused read leaves the target as it was', () => {
    const layout = struct('Half', { a: u32, mode: enumOf(u8, { On: 1 }), b: u32 });
    const bad = new DataView(new ArrayBuffer(layout.size));
    bad.setUint32(0, 99, true);
    for (const codec of [codecOf(layout), referenceCodecOf(layout)]) {
      const target = { a: 1, mode: 'On', b: 2 };
      expect(() => codec.decodeInto(bad, 0, target)).toThrow(
        expect.objectContaining({
          code: 'VALUE_RANGE',
          message: 'cannot read Half.mode: expected one of On (1), found 0',
        }),
      );
      expect(target).toEqual({ a: 1, mode: 'On', b: 2 });
    }
  });
});

describe('values', () => {
  const One = struct('One', { v: u8 });
  const grown = (first: unknown, value: unknown, reading: number): unknown[] => {
    const list: unknown[] = Array.from({ length: 3 }, () => value);
    let reads = 0;
    Object.defineProperty(list, 0, {
      enumerable: true,
      get() {
        if (++reads === reading) list.push(...Array.from({ length: 60 }, () => value));
        return first;
      },
    });
    return list;
  };

  test.each([
    ['structs', One, { v: 1 }],
    ['booleans', bool, true],
    ['numbers', u8, 1],
    ['enums', enumOf(u8, { On: 1 }), 'On'],
    ['unions', union('U', { v: u8 }), { v: 1 }],
  ] as const)(
    'an array of %s that grows while it is read writes its field and no byte more',
    (_, of, value) => {
      const Short = struct<Fields>('Short', { list: array(of, 3), z: u8 });
      const Counted = struct<Fields>('Counted', { n: u8, list: array(of, 3, { length: 'n' }), z: u8 });
      for (const reading of [1, 2]) {
        for (const [layout, record, image] of [
          [Short, () => ({ list: grown(value, value, reading), z: 7 }), [1, 1, 1, 7, 0xcc, 0xcc]],
          [Counted, () => ({ list: grown(value, value, reading), z: 7 }), [3, 1, 1, 1, 7, 0xcc, 0xcc]],
        ] as const) {
          for (const codec of [codecOf(layout), referenceCodecOf(layout)]) {
            for (const write of ['encode', 'patch', 'patchOrNothing'] as const) {
              const memory = new Uint8Array(layout.size + 2).fill(0xcc);
              try {
                codec[write](new DataView(memory.buffer), 0, record());
                expect([...memory]).toEqual(image);
              } catch (error) {
                // What tries a record before it writes it may find the longer array at its second look.
                expect([write, reading, error]).toMatchObject(['patchOrNothing', 1, { code: 'VALUE_RANGE' }]);
                expect(memory.every((byte) => byte === 0xcc)).toBe(true);
              }
            }
          }
        }
      }
    },
  );

  test('a long array that grows while it is read writes its field and no byte more', () => {
    const Long = struct('Long', { list: array(One, 40), z: u8 });
    for (const codec of [codecOf(Long), referenceCodecOf(Long)]) {
      const list = grown({ v: 1 }, { v: 1 }, 1);
      list.push(...Array.from({ length: 37 }, () => ({ v: 1 })));
      const memory = new Uint8Array(Long.size + 2).fill(0xcc);
      codec.encode(new DataView(memory.buffer), 0, { list, z: 7 });
      expect([...memory.subarray(40)]).toEqual([7, 0xcc, 0xcc]);
    }
  });

  test('an array that shrinks, or lies about its length, is refused', () => {
    const Counted = struct('Counted', { n: u8, list: array(u8, 3, { length: 'n' }), z: u8 });
    const lie = (length: unknown): unknown =>
      new Proxy([1, 2, 3], { get: (target, key) => (key === 'length' ? length : Reflect.get(target, key)) });
    for (const list of [lie(-1), lie(Number.NaN), lie('2'), lie(1.5), lie(4), lie(2 ** 40)]) {
      const memory = new Uint8Array(Counted.size).fill(0xcc);
      expect(() => Counted.encode({ list: list as number[] }, memory)).toThrow(withCode('VALUE_RANGE'));
      expect(memory.every((byte) => byte === 0xcc)).toBe(true);
    }
  });
});

describe('padding', () => {
  const Gap = struct('Gap', { p: pad(4) });
  const Room = struct('Room', { a: u8, gap: Gap, gaps: array(Gap, 2), z: u8 });

  test('a struct of nothing else is read, written, viewed and found again', () => {
    const record = { a: 1, gap: {}, gaps: [{}, {}], z: 2 };
    for (const codec of [codecOf(Room), referenceCodecOf(Room)]) {
      const memory = new Uint8Array(Room.size).fill(0xcc);
      codec.encode(new DataView(memory.buffer), 0, record);
      expect([...memory]).toEqual([1, ...Array.from({ length: 12 }, () => 0), 2]);
      expect(codec.decode(new DataView(memory.buffer), 0)).toEqual(record);
      expect(codec.decodeInto(new DataView(memory.buffer), 0, Room.zero())).toEqual(record);
      expect(Room.view(memory).toJSON()).toEqual(record);
      for (const none of [[], 5, null, { p: 1 }])
        expect(() => codec.encode(new DataView(memory.buffer), 0, { ...record, gap: none })).toThrow(
          withCode('VALUE_TYPE'),
        );
    }
    expect(Room.zero()).toEqual({ a: 0, gap: {}, gaps: [{}, {}], z: 0 });
    expect(Gap.decode(new ArrayBuffer(4))).toEqual({});
    for (const layout of [Room, Gap]) {
      const again = layoutFromCanonical(canonicalText(layout), 'Again');
      expect([again.digest, again.size]).toEqual([layout.digest, layout.size]);
    }
  });
});

describe('without code from strings', () => {
  test('the plain loop takes over and reads and writes the same', () => {
    const script = `
      import { struct } from './src/layout/struct.ts';
      import { f64, u8 } from './src/layout/numbers.ts';
      import { array, enumOf } from './src/layout/composites.ts';
      import { utf8 } from './src/layout/text-types.ts';
      import { codecOf, referenceCodecOf } from './src/layout/codec.ts';
      import { emitRecord } from './src/layout/compile.ts';
      import { evaluate } from './src/layout/evaluate.ts';
      const layout = struct('Plain', { name: utf8(8), mode: enumOf(u8, { Off: 0, On: 1 }), list: array(f64, 3) });
      const memory = new ArrayBuffer(layout.size);
      layout.encode({ name: 'abc', mode: 'On', list: [1, 2, 3] }, memory);
      const record = layout.decode(memory);
      console.log(JSON.stringify([codecOf(layout) === referenceCodecOf(layout), evaluate({}, 'return 1') === undefined,
        emitRecord(layout) !== undefined, record, codecOf(layout).decodeInto(new DataView(memory), 0, layout.zero())]));
    `;
    const root = new URL('../..', import.meta.url);
    const output = execFileSync(
      process.execPath,
      [
        '--disallow-code-generation-from-strings',
        '--no-warnings',
        '--experimental-strip-types',
        '--input-type=module',
        '-e',
        script,
      ],
      { cwd: root, encoding: 'utf8' },
    );
    const record = { name: 'abc', mode: 'On', list: [1, 2, 3] };
    expect(JSON.parse(output)).toEqual([true, true, true, record, record]);
  });
});
