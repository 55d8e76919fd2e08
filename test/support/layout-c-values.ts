// Spells a record as a C initialiser, so that a compiler says which bytes it is. Each value is spelled as C says it: text as string
// literals, floats as numbers, bit fields by their names; big-endian values are swapped by the compiler.
import type { NumberShape, Shape, TextShape } from '../../src/layout/shape.ts';

/** How the C declaration spells what a shape does not tell. */
export interface Spelling {
  /** Gives the name of the `index`-th member; '' for an anonymous one, whose members join those around it. */
  readonly memberName: (name: string, index: number) => string;
  /** Prefix of a literal of 4-byte characters: that of `wchar_t` or of `char32_t`. */
  readonly utf32: 'L' | 'U';
}

const real = (value: number, suffix: '' | 'f'): string => {
  if (Number.isNaN(value)) return `__builtin_nan${suffix}("")`;
  if (!Number.isFinite(value)) return `${value < 0 ? '-' : ''}__builtin_inf${suffix}()`;
  const digits = Object.is(value, -0) ? '-0' : String(value);
  return `${/[.e]/.test(digits) ? digits : `${digits}.0`}${suffix}`;
};

/** Bits of a float as an unsigned integer: C has no constant expression that swaps the bytes of a float. */
function bitsOf(value: number, size: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  if (size === 4) view.setFloat32(0, value);
  else view.setFloat64(0, value);
  return size === 4 ? BigInt(view.getUint32(0)) : view.getBigUint64(0);
}

function whole(value: number | bigint | boolean, size: number, bigEndian: boolean): string {
  const text = `(uint${8 * size}_t)0x${BigInt.asUintN(8 * size, BigInt(value)).toString(16)}ull`;
  return bigEndian && size > 1 ? `__builtin_bswap${8 * size}(${text})` : text;
}

function numeric({ code, size, bigEndian }: NumberShape, value: number | bigint): string {
  if (code !== 'f32' && code !== 'f64') return whole(value, size, bigEndian);
  if (bigEndian) return whole(bitsOf(Number(value), size), size, true);
  return real(Number(value), size === 4 ? 'f' : '');
}

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;

/** A string literal of the unit's width. ASCII goes in octal; the compiler encodes the rest, but C1 controls, which it refuses to name. */
function textLiteral(
  { encoding, ending, size, bigEndian }: TextShape,
  value: string,
  { utf32 }: Spelling,
): string {
  const unitOf = (point: number): string =>
    encoding.unit === 1 ? `${point}` : whole(point, encoding.unit, true);
  if (bigEndian) {
    const units = Array.from({ length: value.length }, (_, i) => value.charCodeAt(i));
    return `{ ${units.map(unitOf).join(', ')} }`;
  }
  const literal = [...value].map((character) => {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80 || (point < 0xa0 && encoding.unit > 1)) return octal(point);
    if (point < 0xa0) return octal(0xc2) + octal(point);
    return `\\U${point.toString(16).padStart(8, '0')}`;
  });
  const prefix = ['', 'u8', 'u', '', utf32][encoding.unit] ?? '';
  const counted = ending === 'counted' ? octal(value.length) : '';
  return size === 0 ? '{ 0 }' : `${prefix}"${counted}${literal.join('')}"`;
}

function time(shape: Extract<Shape, { kind: 'time' }>, value: Date): string {
  const ms = value.getTime();
  if (shape.epoch === 'unixMs') return whole(BigInt(ms), 8, shape.bigEndian);
  if (shape.epoch === 'filetime') {
    const units = (BigInt(ms) - BigInt(Date.UTC(1601, 0, 1))) * 10_000n;
    const words = [units & 0xffff_ffffn, units >> 32n].map((word) => whole(word, 4, shape.bigEndian));
    return `{ ${(shape.bigEndian ? words.toReversed() : words).join(', ')} }`;
  }
  const day = Math.floor(ms / 86_400_000);
  const part = (ms - day * 86_400_000) / 86_400_000;
  const serial = day - Math.floor(Date.UTC(1899, 11, 30) / 86_400_000);
  const days = serial < 0 ? serial - part : serial + part;
  return shape.bigEndian ? whole(bitsOf(days, 8), 8, true) : real(days, '');
}

function members(
  list: readonly { readonly name: string; readonly shape: Shape }[],
  record: Readonly<Record<string, unknown>>,
  spelling: Spelling,
): readonly string[] {
  return list.flatMap(({ name, shape }, i) => {
    const value = record[name];
    if (!Object.hasOwn(record, name) || shape.kind === 'pad') return [];
    const called = spelling.memberName(name, i);
    if (called !== '') return [`.${called} = ${initialiser(shape, value, spelling)}`];
    const inner = value as Readonly<Record<string, unknown>>;
    if (shape.kind === 'struct' || shape.kind === 'union') return members(shape.fields, inner, spelling);
    return shape.kind === 'bits' ? bitMembers(shape, inner, spelling) : [];
  });
}

/** Bit fields are members of their own in C; those without a name there have none to be set by. */
const bitMembers = (
  shape: Extract<Shape, { kind: 'bits' }>,
  record: Readonly<Record<string, unknown>>,
  spelling: Spelling,
): readonly string[] =>
  shape.members.flatMap(({ name }, i) => {
    const called = spelling.memberName(name, i);
    return called === '' ? [] : [`.${called} = 0x${BigInt(record[name] as number).toString(16)}ull`];
  });

/** Spells `value`, which a write of `shape` would take, as an initialiser of the C type of that shape. */
export function initialiser(shape: Shape, value: unknown, spelling: Spelling): string {
  switch (shape.kind) {
    case 'number':
      return numeric(shape, value as number | bigint);
    case 'boolean':
      return whole(value === true ? (shape.allOnes ? -1 : 1) : 0, shape.size, shape.bigEndian);
    case 'enum': {
      const found = shape.members.find(({ name }) => name === value)?.value;
      return numeric(shape.base, found ?? (value as number | bigint));
    }
    case 'bits': {
      const record = value as Readonly<Record<string, number | bigint>>;
      if (!shape.base.bigEndian)
        return `{ ${bitMembers(shape, record, { ...spelling, memberName: (_, i) => `m${i}` }).join(', ')} }`;
      const unit = shape.members.reduce(
        (sum, { name, shift }) => sum | (BigInt(record[name] ?? 0) << BigInt(shift)),
        0n,
      );
      return whole(unit, shape.size, true);
    }
    case 'time':
      return time(shape, value as Date);
    case 'text':
      return textLiteral(shape, value as string, spelling);
    case 'bytes':
      return `{ ${[...(value as Uint8Array), ''].join(', ')} }`.replace('{  }', '{ 0 }');
    case 'array': {
      const items = (value as readonly unknown[]).map((item) => initialiser(shape.of, item, spelling));
      return items.length === 0 ? '{ 0 }' : `{ ${items.join(', ')} }`;
    }
    case 'struct':
    case 'union': {
      const list = members(shape.fields, value as Readonly<Record<string, unknown>>, spelling);
      return list.length === 0 ? '{ 0 }' : `{ ${list.join(', ')} }`;
    }
    case 'pad':
      throw new TypeError('padding has no value');
  }
}
