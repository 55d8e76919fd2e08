// What a union reads as, and how it is written.
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { codecOf, referenceCodecOf } from '../../src/layout/codec.ts';
import { array, bits, bytes, enumOf } from '../../src/layout/composites.ts';
import { ABIS, type Abi } from '../../src/layout/abi.ts';
import { f32, f64, long, sizeT, u16, u32, u64, u8 } from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { utf8, wchar } from '../../src/layout/text-types.ts';
import { withCode } from '../support/with-code.ts';

const Value = union('Value', {
  real: f64,
  word: u64,
  parts: struct('Parts', { low: u16, high: u16, list: array(u8, 4) }),
  flags: bits(u32, { a: 1, b: 31 }),
  text: utf8(8),
  mode: enumOf(u8, { On: 1 }),
});
const Holder = struct('Holder', { kind: u8, value: Value });
const read = (bytesOfValue: readonly number[]) => {
  const memory = new Uint8Array(Holder.size);
  memory.set(bytesOfValue, Holder.offsets.value);
  return Holder.decode(memory).value;
};

describe('union', () => {
  test('has the size and alignment of its largest members, every member at 0', () => {
    const Odd = union('Odd', { bytes: bytes(9), word: u64 });
    expect([Odd.size, Odd.align]).toEqual([16, 8]);
    expect(struct('S', { a: u8, odd: Odd }).size).toBe(24);
    const packed = union('Odd', { bytes: bytes(9), word: u64 }, { pack: 1 });
    expect([packed.size, packed.align]).toEqual([9, 1]);
  });

  test('has the size and alignment of its own abi, and as a field those of the struct around it', () => {
    const members = { word: sizeT, text: wchar(3), whole: long };
    const sizes = ABIS.map((abi) => {
      const { size, align } = union('U', members, { abi });
      return [abi, size, align];
    });
    expect(sizes).toEqual([
      ['win64', 8, 8],
      ['win32', 8, 4],
      ['linux64', 16, 8],
      ['linux32', 12, 4],
    ]);
    const inner = union('U', members, { abi: 'win32' });
    for (const [abi, size] of sizes) expect(struct('S', { inner }, { abi: abi as Abi }).size).toBe(size);
    expect(union('U', members).size).toBe(union('U', members, { abi: 'host' }).size);
  });

  test('reads as accessors: each member decodes when it is read, and only then', () => {
    const value = read([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    expect([value.real, value.word]).toEqual([1, 0x3ff0_0000_0000_0000n]);
    expect(value.parts).toEqual({ low: 0, high: 0, list: [0, 0, 0xf0, 0x3f] });
    expect(() => value.mode).toThrow(
      expect.objectContaining({
        code: 'VALUE_RANGE',
        message: 'cannot read Value.mode: expected one of On (1), found 0',
      }),
    );
  });

  test('setting one member, or a part of one, changes what the others read as', () => {
    const value = read([]);
    value.real = 2;
    expect(value.word).toBe(0x4000_0000_0000_0000n);
    value.parts.low = 7;
    value.parts.list[0] = 9;
    value.flags.b = 1;
    expect(value.word).toBe(0x4000_0009_0000_0003n);
    expect(() => (value.text = 'too long for it')).toThrow(
      'cannot write Value.text: text is 15 bytes, expected at most 7 and a terminator',
    );
    expect(() => ((value as { typo?: number }).typo = 1)).toThrow(TypeError);
    expect(value.word).toBe(0x4000_0009_0000_0003n);
  });

  test('is a private copy: neither the memory nor another read follows', () => {
    const memory = new Uint8Array(Holder.size);
    const [one, two] = [Holder.decode(memory).value, Holder.decode(memory).value];
    one.word = 5n;
    expect([two.word, memory.every((byte) => byte === 0)]).toEqual([0n, true]);
    memory.fill(1);
    expect(two.word).toBe(0n);
  });

  test('is written with exactly one member; the rest of its bytes are zeroed', () => {
    for (const codec of [codecOf(Holder), referenceCodecOf(Holder)]) {
      const memory = new Uint8Array(Holder.size).fill(0xcc);
      codec.encode(new DataView(memory.buffer), 0, { kind: 1, value: { mode: 'On' } });
      expect([...memory]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    }
  });

  test('is written with what was read, whatever its bytes mean', () => {
    const value = read([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const codec of [codecOf(Holder), referenceCodecOf(Holder)]) {
      const memory = new Uint8Array(Holder.size);
      codec.encode(new DataView(memory.buffer), 0, { kind: 0, value });
      expect([...memory.subarray(8)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    }
  });

  test('is replaced whole in a patch', () => {
    const memory = new Uint8Array(Holder.size).fill(0xff);
    Holder.encode({ value: { word: 1n } }, memory);
    expect([...memory]).toEqual([255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(() => Holder.encode({ value: { word: 1n, real: 2 } as never }, memory)).toThrow(
      withCode('VALUE_TYPE'),
    );
  });

  test('a member of another union of other members is no substitute', () => {
    const Other = struct('Other', { value: union('Other', { thing: f64 }) });
    const foreign = Other.decode(new ArrayBuffer(8)).value;
    expect(() => Holder.encode({ value: foreign as never }, new ArrayBuffer(16))).toThrow(
      'cannot write Holder.value.thing: no such field',
    );
  });

  test('shows its members, and equals a union of the same bytes', () => {
    const Small = struct('Small', { value: union('Value', { real: f32, word: u32 }) });
    const memory = Uint8Array.of(0, 0, 0x80, 0x3f);
    expect(JSON.stringify(Small.decode(memory))).toBe('{"value":{"real":1,"word":1065353216}}');
    expect(Small.decode(memory)).toEqual(Small.decode(memory));
    expect(Small.decode(memory)).not.toEqual(Small.decode(new Uint8Array(4)));
    expect(inspect(Small.decode(memory).value, { getters: true })).toContain('1065353216');
  });

  test('shows every member that decodes: the others are left out of JSON and marked for util.inspect', () => {
    const Mode = enumOf(u8, { On: 1 });
    const Mixed = struct('Mixed', {
      value: union('Value', {
        mode: Mode,
        byte: u8,
        part: struct('Part', { low: u8, modes: array(Mode, 2), inner: union('In', { mode: Mode, b: u8 }) }),
        flags: bits(u8, { a: 1, b: 7 }),
        list: array(struct('Item', { v: u8 }), 2),
      }),
    });
    const memory = Uint8Array.of(7, 1, 0, 5);
    const record = Mixed.decode(memory);
    const options = { breakLength: Infinity, compact: 10, depth: 10 };
    expect(JSON.stringify(record)).toBe(
      '{"value":{"byte":7,"part":{"low":7,"modes":["On",null],"inner":{"b":5}},"flags":{"a":1,"b":3},"list":[{"v":7},{"v":1}]}}',
    );
    expect(JSON.stringify(Mixed.view(memory))).toBe(JSON.stringify(record));
    const mark = (found: number) => `<expected one of On (1), found ${found}>`;
    const part = `{ low: 7, modes: [ 'On', ${mark(0)} ], inner: { mode: ${mark(5)}, b: 5 } }`;
    const value = `{ mode: ${mark(7)}, byte: 7, part: ${part}, flags: { a: 1, b: 3 }, list: [ { v: 7 }, { v: 1 } ] }`;
    expect(inspect(record, options)).toBe(`{ value: ${value} }`);
    expect(inspect(Mixed.view(memory), options)).toBe(`{ value: ${value} }`);
    expect(inspect(record.value.part, options)).toBe(part);
    expect(inspect(record.value.list, options)).toBe('[ { v: 7 }, { v: 1 } ]');
    expect(inspect(record.value.flags, options)).toBe('{ a: 1, b: 3 }');
    expect(JSON.stringify(record.value.list)).toBe('[{"v":7},{"v":1}]');
    record.value.byte = 1;
    expect(inspect(record.value, options)).toContain("{ mode: 'On', byte: 1");
  });

  test('a length inside it stays one that its field can have', () => {
    const Noted = struct('Noted', {
      value: union('V', { note: struct('Note', { n: u8, text: utf8(4, { length: 'n' }) }) }),
    });
    const { note } = Noted.decode(Uint8Array.of(1, 65, 66, 0, 0)).value;
    note.n = 2;
    expect(() => (note.n = 5)).toThrow(withCode('VALUE_RANGE'));
    expect([note.n, note.text]).toEqual([2, 'AB']);
  });

  test('inside another layout keeps its bytes through decodeInto', () => {
    const target = Holder.zero();
    const memory = new Uint8Array(Holder.size).fill(2);
    codecOf(Holder).decodeInto(new DataView(memory.buffer), 0, target);
    expect([target.kind, target.value.word]).toEqual([2, 0x0202_0202_0202_0202n]);
  });
});
