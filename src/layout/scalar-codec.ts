// Codecs of the values without parts: numbers, booleans, enums, times and byte strings; and of bit fields, one unit each.
import { Fault, show, wrongType } from './fault.ts';
import { bytesOf, copyOut, zeroFill } from './memory.ts';
import { checker, loader, storer } from './number-access.ts';
import type {
  BitsShape,
  BooleanShape,
  BytesShape,
  EnumMember,
  EnumShape,
  NumberShape,
  TimeShape,
} from './shape.ts';
import { checkKeys, keyReader } from './keys.ts';
import { fromStored, toStored } from './times.ts';
import type { ValueCodec } from './value-codec.ts';

export function numberCodec(shape: NumberShape): ValueCodec {
  const check = checker(shape);
  const store = storer(shape);
  return {
    read: loader(shape),
    write: (view, at, value) => store(view, at, check(value)),
  };
}

const UNSIGNED = { 1: 'u8', 2: 'u16', 4: 'u32', 8: 'u64' } as const;

/** Gives the unsigned number of the same bytes; a bigint only for 8 bytes. */
export function unsignedUnit({ size, align, bigEndian }: NumberShape): NumberShape {
  return { kind: 'number', code: UNSIGNED[size as 1 | 2 | 4 | 8], wide: size === 8, bigEndian, size, align };
}

export function booleanCodec(shape: BooleanShape): ValueCodec {
  const { size, align, bigEndian, allOnes } = shape;
  const unit = unsignedUnit({ kind: 'number', code: 'u8', wide: false, bigEndian, size, align });
  const load = loader(unit);
  const store = storer(unit);
  const stored = allOnes ? 2 ** (8 * size) - 1 : 1;
  return {
    read: (view, at) => load(view, at) !== 0,
    write(view, at, value) {
      if (typeof value !== 'boolean') wrongType('a boolean', value);
      store(view, at, value ? stored : 0);
    },
  };
}

const NAMED_MEMBERS = 8;

/** Lists the members of an enum for an error text. */
export function membersText({ members }: EnumShape): string {
  const named = members.slice(0, NAMED_MEMBERS).map(({ name, value }) => `${name} (${value})`);
  return members.length > NAMED_MEMBERS
    ? `${named.join(', ')} or ${members.length - NAMED_MEMBERS} more`
    : named.join(', ');
}

/** Maps stored values to names; the first of several names of one value wins. */
export function namesOfEnum({ members }: EnumShape): Map<number | bigint, string> {
  const names = new Map<number | bigint, string>();
  for (const { name, value } of members) if (!names.has(value)) names.set(value, name);
  return names;
}

/** Gives a quick way from stored values to names, undefined for a value without one: an array where values are small. */
export function nameFinder(shape: EnumShape): (stored: number | bigint) => string | undefined {
  const names = namesOfEnum(shape);
  const table = tableOfNames(shape);
  return table === undefined ? (stored) => names.get(stored) : (stored) => table[stored as number];
}

const TABLE_END = 256;

/** Gives the names by value as an array; undefined where some value is negative, large or a bigint. */
export function tableOfNames(shape: EnumShape): readonly (string | undefined)[] | undefined {
  if (shape.base.wide || shape.members.some(({ value }) => value < 0 || value >= TABLE_END)) return undefined;
  const table = Array.from<string | undefined>({ length: TABLE_END });
  for (const [stored, name] of namesOfEnum(shape)) table[Number(stored)] = name;
  return table;
}

/** Throws the fault of a stored value that a closed enum has no name for. */
export function unknownMember(shape: EnumShape, stored: number | bigint): never {
  throw new Fault('VALUE_RANGE', `expected one of ${membersText(shape)}, found ${stored}`);
}

/** Gives the stored value of what a caller wrote into an enum field. @throws Fault VALUE_TYPE, VALUE_RANGE */
export function enumStorer(shape: EnumShape): (value: unknown) => number | bigint {
  const { members } = shape;
  const values = new Map(members.map(({ name, value }) => [name, value]));
  const find = members.length <= NAMED_MEMBERS ? scan(members) : (name: string) => values.get(name);
  const check = checker(shape.base);
  return (value) => {
    if (typeof value !== 'string') {
      if (shape.open && (typeof value === 'number' || typeof value === 'bigint')) return check(value);
      return wrongType(`the name of a member (${membersText(shape)})`, value);
    }
    const stored = find(value);
    if (stored === undefined)
      throw new Fault('VALUE_RANGE', `expected one of ${membersText(shape)}, found ${show(value)}`);
    return stored;
  };
}

/** HOT: for a few names a comparison of each is quicker than a hash (bench/rows/fields.ts). */
function scan(members: readonly EnumMember[]): (name: string) => number | bigint | undefined {
  const names = members.map(({ name }) => name);
  const values = members.map(({ value }) => value);
  return (name) => {
    for (let i = 0; i < names.length; i++) if (names[i] === name) return values[i];
    return undefined;
  };
}

export function enumCodec(shape: EnumShape): ValueCodec {
  const nameOf = nameFinder(shape);
  const load = loader(shape.base);
  const store = storer(shape.base);
  const toValue = enumStorer(shape);
  const unknown = shape.open
    ? (stored: number | bigint) => stored
    : (stored: number | bigint) => unknownMember(shape, stored);
  return {
    read(view, at) {
      const stored = load(view, at);
      return nameOf(stored) ?? unknown(stored);
    },
    write: (view, at, value) => store(view, at, toValue(value)),
  };
}

/** HOT path for units up to 32 bits is in generated code; here one bigint path serves all widths. */
export function bitsCodec(shape: BitsShape): ValueCodec {
  const { base, members } = shape;
  const unit = unsignedUnit(base);
  const load = loader(unit);
  const store = storer(unit);
  const template = Object.fromEntries(members.map(({ name }) => [name, base.wide ? 0n : 0]));
  const read = keyReader('bits', members);
  const plan = members.map(({ name, shift, width }) => ({
    name,
    shift: BigInt(shift),
    mask: (1n << BigInt(width)) - 1n,
  }));
  const named = plan.reduce((mask, member) => mask | (member.mask << member.shift), 0n);
  const pack = (value: unknown): bigint => {
    const source = checkKeys(value, read);
    let packed = 0n;
    for (const { name, shift, mask } of plan)
      packed |= bitValue(name, source[name], mask, base.wide) << shift;
    return packed;
  };
  const put = (view: DataView, at: number, packed: bigint): void =>
    store(view, at, unit.wide ? packed : Number(packed));
  return {
    read(view, at) {
      const stored = BigInt(load(view, at));
      const record: Record<string, unknown> = { ...template };
      for (const { name, shift, mask } of plan) {
        const bits = (stored >> shift) & mask;
        record[name] = base.wide ? bits : Number(bits);
      }
      return record;
    },
    write: (view, at, value) => put(view, at, pack(value)),
    patch(view, at, value) {
      const packed = pack(value);
      put(view, at, (BigInt(load(view, at)) & ~named) | packed);
    },
  };
}

export function bitValue(name: string, value: unknown, mask: bigint, wide: boolean): bigint {
  const fault = (code: 'VALUE_TYPE' | 'VALUE_RANGE', fact: string): never => {
    const error = new Fault(code, fact);
    error.path = `.${name}`;
    throw error;
  };
  if (typeof value !== (wide ? 'bigint' : 'number')) {
    return fault('VALUE_TYPE', `expected a ${wide ? 'bigint' : 'number'}, found ${show(value)}`);
  }
  if (typeof value === 'number' && !Number.isInteger(value))
    return fault('VALUE_RANGE', `expected an integer from 0 to ${mask}, found ${show(value)}`);
  const bits = BigInt(value as number | bigint);
  return bits < 0n || bits > mask
    ? fault('VALUE_RANGE', `expected an integer from 0 to ${mask}, found ${show(value)}`)
    : bits;
}

export function timeCodec(shape: TimeShape): ValueCodec {
  const { epoch, size, align, bigEndian } = shape;
  const code = epoch === 'filetime' ? 'u64' : epoch === 'unixMs' ? 'i64' : 'f64';
  const unit: NumberShape = { kind: 'number', code, wide: code !== 'f64', bigEndian, size, align };
  const load = loader(unit);
  const store = storer(unit);
  return {
    read: (view, at) => fromStored(epoch, load(view, at)),
    write: (view, at, value) => store(view, at, toStored(epoch, value)),
  };
}

function requireBytes(value: unknown, atMost: number, exactly: boolean): Uint8Array {
  if (!(value instanceof Uint8Array)) wrongType('a Uint8Array', value);
  if (exactly ? value.length !== atMost : value.length > atMost) {
    throw new Fault(
      'VALUE_RANGE',
      `byte string is ${value.length} bytes, expected ${exactly ? 'exactly' : 'at most'} ${atMost}`,
    );
  }
  return value;
}

export function bytesCodec({ size }: BytesShape): ValueCodec {
  return {
    read: (view, at) => copyOut(view, at, size),
    write: (view, at, value) => bytesOf(view, at, size).set(requireBytes(value, size, true)),
    counted: {
      read: (view, at, length) => copyOut(view, at, length),
      write(view, at, value) {
        const source = requireBytes(value, size, false);
        bytesOf(view, at, source.length).set(source);
        zeroFill(view, at + source.length, size - source.length);
        return source.length;
      },
    },
  };
}
