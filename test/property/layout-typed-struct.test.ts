// The bridge to typed-struct, in both directions.
import * as fc from 'fast-check';
import { Struct } from 'typed-struct';
import { describe, expect, test } from 'vitest';
import { array, bits, bytes, enumOf } from '../../src/layout/composites.ts';
import { codecOf } from '../../src/layout/codec.ts';
import { be, bool, f32, f64, u16, u32, u8 } from '../../src/layout/numbers.ts';
import { struct } from '../../src/layout/struct.ts';
import { char, char16, utf8 } from '../../src/layout/text-types.ts';
import { fromTypedStruct, toTypedStruct } from '../../src/typed-struct.ts';
import { layoutsWithRecords } from '../support/layout-arbitraries.ts';
import { withCode } from '../support/with-code.ts';

const rawOf = (instance: object): Buffer => (instance as { $raw: Buffer }).$raw;
const inner = new Struct('Inner').UInt8('q').UInt16LE('w').Boolean16('b').BigInt64BE('n').compile();
const builder = new Struct('Packet')
  .UInt8('id')
  .Int16BE('level')
  .Float32LE('gain')
  .BigUInt64BE('serial')
  .Boolean16('live')
  .seek(3)
  .Buffer('raw', 5)
  .String('name', 8)
  .String('city', 8, 'win1251')
  .UInt16Array('samples', 3)
  .Struct('inner', inner)
  .StructArray('list', inner, 2)
  .StringArray('tags', { lines: 2, length: 4 })
  .seek(2);

describe('fromTypedStruct', () => {
  const Packet = fromTypedStruct(builder);

  test('keeps offsets, gaps and the size', () => {
    const offsets = {
      id: 0,
      level: 1,
      gain: 3,
      serial: 7,
      live: 15,
      raw: 20,
      name: 25,
      city: 33,
      samples: 41,
      inner: 47,
      list: 60,
      tags: 86,
    };
    expect(Packet.offsets).toEqual(offsets);
    expect([Packet.name, Packet.size, Packet.size]).toEqual(['Packet', 96, builder.getSize()]);
    expect(Packet.zero()).toMatchObject({
      list: [{ q: 0, w: 0, b: false, n: 0n }, {}],
      tags: ['', ''],
      samples: [0, 0, 0],
    });
  });

  test('keeps every field, whatever its name, beside the gaps', () => {
    const names = fc.uniqueArray(
      fc.constantFrom('gapAt0', 'gapAt1', 'gapAt1_', 'gapAt1__', 'gapAt4', 'gapAt5', 'x'),
      {
        minLength: 1,
      },
    );
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 4 }), (called, gap) => {
        // `any`: each call gives the builder another type, and the names come at run time.
        const gappy = called.reduce((made, name) => made.UInt8(name).seek(gap), new Struct('P') as any);
        const made = fromTypedStruct(gappy);
        expect(made.offsets).toEqual(Object.fromEntries(called.map((name, i) => [name, i * (1 + gap)])));
        expect(made.size).toBe(called.length * (1 + gap));
      }),
    );
  });

  test('reads what typed-struct wrote, and writes what it reads', () => {
    const Class = new Struct('P')
      .UInt8('id')
      .Int16BE('level')
      .Float32LE('gain')
      .BigUInt64BE('serial')
      .Boolean16('live')
      .Buffer('raw', 2)
      .compile();
    const Mine = fromTypedStruct(
      new Struct('P')
        .UInt8('id')
        .Int16BE('level')
        .Float32LE('gain')
        .BigUInt64BE('serial')
        .Boolean16('live')
        .Buffer('raw', 2),
    );
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.integer({ min: -32_768, max: 32_767 }),
        fc.float({ noNaN: true }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.boolean(),
        (id, level, gain, serial, live) => {
          const record = { id, level, gain, serial, live, raw: Uint8Array.of(1, 2) };
          const theirs = new Class();
          Object.assign(theirs, { id, level, gain, serial, live });
          theirs.raw.set([1, 2]);
          expect(Mine.decode(rawOf(theirs))).toEqual(record);
          const memory = Buffer.alloc(Mine.size);
          Mine.encode(record, memory);
          expect(memory.equals(rawOf(theirs))).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('refuses by name what a layout cannot say', () => {
    const cases: readonly (readonly [unknown, string])[] = [
      [
        new Struct('P').UInt8(['a', 'b']),
        'P.b: it overlaps the field before it: an alias, a bit field or a step back',
      ],
      [new Struct('P').Bits8({ high: [0, 4], low: [4, 4] }), 'P.high: bit fields'],
      [new Struct('P').BCD('a'), 'P.a: its type cannot be carried over'],
      [new Struct('P').Custom('a', 2, () => 1), 'P.a: a getter of its own cannot be carried over'],
      [new Struct('P').UInt8('n').String('rest'), 'P.rest: a tail of variable length'],
      [new Struct('P').UInt8('n').Buffer('rest'), 'P.rest: a tail of variable length'],
      [
        new Struct('P').UInt8('n').CRC16LE('crc'),
        'P.crc: a field that is counted from the end, such as a CRC',
      ],
      [new Struct('P').UInt8('n').compile(), 'expected a builder'],
      [
        new Struct('P').Struct('inner', new Struct('I').String('s', 3).compile()),
        'P.inner.s: the encoding of a text',
      ],
      [
        new Struct('P').Struct('inner', new Struct('I').Bits8({ a: [0, 4], b: [4, 4] }).compile()),
        'P.inner.a: its type in a compiled class cannot be told',
      ],
      [new Struct('P').UInt8('a', 7), 'P.a: a literal cannot be carried over'],
      [new Struct('P').String('s', { literal: 'ab' }), 'P.s: a literal cannot be carried over'],
      [
        new Struct('P').Struct('inner', new Struct('I').UInt8('n').UInt16LE('m', 0x55).compile()),
        'P.inner.m: a literal cannot be carried over',
      ],
      [{}, 'expected a builder'],
      [undefined, 'expected a builder'],
    ];
    for (const [value, text] of cases) {
      expect(() => fromTypedStruct(value as typeof builder), text).toThrow(text);
      expect(() => fromTypedStruct(value as typeof builder)).toThrow(
        expect.objectContaining({ name: 'LayoutError' }),
      );
    }
  });
});

describe('toTypedStruct', () => {
  test('instances have the bytes of records, for every layout', () => {
    fc.assert(
      fc.property(layoutsWithRecords, ({ layout, record }) => {
        if (Object.hasOwn(record, 'toString')) {
          expect(() => toTypedStruct(layout)).toThrow('Sample.toString: every instance has that name');
          return;
        }
        const memory = Buffer.alloc(layout.size);
        codecOf(layout).encode(new DataView(memory.buffer, memory.byteOffset), 0, record);
        const Class = toTypedStruct(layout);
        expect(Class.baseSize).toBe(layout.size);
        const copy = new Class(Buffer.alloc(layout.size)) as Record<string, unknown>;
        for (const name of Object.keys(record)) copy[name] = record[name];
        expect(rawOf(copy).equals(memory)).toBe(true);
        const read = new Class(memory) as Record<string, unknown>;
        for (const name of Object.keys(record)) {
          const value = read[name] as { toJSON?: () => unknown } | number;
          const plain =
            typeof value === 'object' && !(value instanceof Date) && !(value instanceof Uint8Array)
              ? value.toJSON?.()
              : value;
          expect({ [name]: plain }).toEqual({ [name]: record[name] });
        }
      }),
      { numRuns: 150 },
    );
  });

  test.each(['$raw', 'toString'])('refuses a field called %s by name', (name) => {
    for (const type of [u8, bool]) {
      expect(() => toTypedStruct(struct('Packet', { [name]: type }))).toThrow(
        expect.objectContaining({
          code: 'LAYOUT_FIELD_INVALID',
          message: `cannot make a typed-struct class of Packet.${name}: every instance has that name for itself`,
        }),
      );
    }
  });

  test('text, booleans, enums and bits mean what the layout says', () => {
    const Packet = struct('Packet', {
      wide: char16(6), ansi: char(6, { encoding: 'gbk' }), yes: bool, mode: enumOf(u8, { Off: 0, On: 1 }), flags: bits(u8, { ready: 1, level: 3 }),
      point: struct('Point', { x: f64 }), list: array(be(u16), 2), n: u32, note: utf8(4, { length: 'n' }), raw: bytes(2), real: f32,
    }); // prettier-ignore
    const copy = new (toTypedStruct(Packet))();
    copy.wide = 'é中';
    copy.ansi = '中a';
    copy.yes = true;
    copy.mode = 'On';
    copy.flags = { ready: 1, level: 2 };
    copy.point.x = 1.5;
    copy.list[1] = 258;
    copy.note = 'abc';
    expect(Packet.decode(rawOf(copy))).toMatchObject({
      wide: 'é中', ansi: '中a', yes: true, mode: 'On', flags: { ready: 1, level: 2 }, point: { x: 1.5 }, list: [0, 258], n: 3, note: 'abc',
    }); // prettier-ignore
    expect(() => (copy.wide = 'far too long')).toThrow(withCode('VALUE_TOO_LONG'));
    expect(rawOf(copy).length).toBe(Packet.size);
  });
});
