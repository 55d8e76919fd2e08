// Makes a layout of a typed-struct definition: of a builder by what it keeps about its properties, of a compiled class inside one by
// looking at what an instance makes of random bytes. What a layout cannot say is refused by name, never guessed.
import { LayoutError } from '../errors.ts';
import { array, bytes, pad } from './composites.ts';
import { codecOfShape } from './value-codec.ts';
import { HOST_ABI } from './abi.ts';
import * as numbers from './numbers.ts';
import { shapeOn } from './shape.ts';
import { struct } from './struct.ts';
import { char, char16, utf8 } from './text-types.ts';
import type { AnyType, Fields, Layout } from './types.ts';

/** One property of a builder. typed-struct keeps these to itself, so each is checked before it is believed. */
interface Property {
  readonly type: unknown;
  readonly offset: number;
  readonly len?: number;
  readonly size?: number;
  readonly be?: boolean;
  readonly tail?: boolean;
  readonly encoding?: string;
  readonly mask?: readonly [number, number];
  readonly struct?: unknown;
  readonly literal?: unknown;
}

// The values of its enum PropType, as of 2.7.
const NUMBER_TYPES: readonly (AnyType | undefined)[] = [
  numbers.u8,
  numbers.i8,
  numbers.u16,
  numbers.i16,
  numbers.u32,
  numbers.i32,
  numbers.f32,
  numbers.f64,
  numbers.byteBool,
  numbers.wordBool,
  numbers.longBool,
];
const STRUCT = 12;
const BUFFER = 13;
const STRING = 14;
const STRING_ARRAY = 15;
const BIG_INT = 16;
const BIG_UINT = 17;

function refuse(name: string, fact: string): never {
  throw new LayoutError('LAYOUT_FIELD_INVALID', `cannot make a layout of ${name}: ${fact}`);
}

const LITERAL = 'a literal cannot be carried over: a layout has no fixed values';

function propertiesOf(builder: unknown, name: string): readonly (readonly [string, Property])[] {
  const { props } = (builder ?? {}) as { readonly props?: unknown };
  if (!(props instanceof Map))
    refuse(name, 'expected a builder of typed-struct 2.7, not a compiled class or another version');
  return [...(props as Map<string, Property>)].toSorted(([, a], [, b]) => a.offset - b.offset);
}

/** typed-struct names encodings as Node and iconv-lite do; its latin1 is ISO 8859-1, not windows-1252. */
const encodingOf = (encoding: string): string =>
  ({ latin1: 'cp28591', binary: 'cp28591', ascii: 'cp20127' })[encoding] ??
  encoding.replace(/^win(?=\d)/, 'windows-');

function textOf(name: string, length: number | undefined, encoding = 'utf-8'): AnyType {
  if (length === undefined || length <= 0)
    refuse(name, 'a text without a fixed length has no place in a record');
  const options = { terminated: false };
  switch (encoding.toLowerCase().replaceAll(/[-_]/g, '')) {
    case 'utf8':
      return utf8(length, options);
    case 'utf16le':
    case 'ucs2':
      return char16(length / 2, options);
    default:
      return char(length, { ...options, encoding: encodingOf(encoding.toLowerCase()) });
  }
}

function elementOf(name: string, property: Property): AnyType {
  const { type, be, mask, len, encoding, size } = property;
  switch (type) {
    case STRUCT:
      return nestedLayout(property.struct, name);
    case BUFFER:
      return bytes(len ?? 0);
    case STRING:
      return textOf(name, len, encoding);
    case STRING_ARRAY:
      return textOf(name, size, encoding);
    case BIG_INT:
    case BIG_UINT: {
      const wide = type === BIG_INT ? numbers.i64 : numbers.u64;
      return be === true ? numbers.be(wide) : wide;
    }
    default: {
      const number = typeof type === 'number' ? NUMBER_TYPES[type] : undefined;
      if (number === undefined)
        refuse(
          name,
          typeof type === 'string'
            ? 'a getter of its own cannot be carried over'
            : 'its type cannot be carried over',
        );
      if (mask !== undefined && mask[1] < 8 * number.size)
        refuse(name, 'bit fields that start at the most significant bit cannot be carried over');
      return be === true ? numbers.be(number) : number;
    }
  }
}

function fieldOf(name: string, property: Property): AnyType {
  const element = elementOf(name, property);
  const isList = property.type !== BUFFER && property.type !== STRING && property.len !== undefined;
  return isList ? array(element, property.len ?? 0) : element;
}

/** Makes the layout of a builder. @throws LayoutError LAYOUT_FIELD_INVALID */
export function layoutOfBuilder(builder: unknown, name: string): Layout {
  const { size } = (builder ?? {}) as { readonly size?: unknown };
  const fields = propertiesOf(builder, name).map(([field, property]) => {
    const path = `${name}.${field}`;
    if (property.offset < 0)
      refuse(path, 'a field that is counted from the end, such as a CRC, cannot be carried over');
    if (property.tail === true) refuse(path, 'a tail of variable length has no place in a record');
    if (property.literal !== undefined) refuse(path, LITERAL);
    if (!Number.isSafeInteger(property.offset)) refuse(path, 'typed-struct gives it no offset');
    return { name: field, offset: property.offset, typeOf: () => fieldOf(path, property) };
  });
  return packed(name, fields, typeof size === 'number' ? size : 0);
}

interface Placed {
  readonly name: string;
  readonly offset: number;
  readonly typeOf: () => AnyType;
}

/** Lays fields out at their offsets, with padding between them. */
function packed(name: string, placed: readonly Placed[], size: number): Layout {
  const taken = new Set(placed.map((field) => field.name));
  const fields: [string, AnyType][] = [];
  let end = 0;
  const skipTo = (offset: number): void => {
    if (offset <= end) return;
    let gap = `gapAt${end}`;
    while (taken.has(gap)) gap += '_';
    fields.push([gap, pad(offset - end)]);
  };
  for (const { name: field, offset, typeOf } of placed) {
    if (offset < end)
      refuse(`${name}.${field}`, 'it overlaps the field before it: an alias, a bit field or a step back');
    skipTo(offset);
    const type = typeOf();
    fields.push([field, type]);
    end = offset + type.size;
  }
  skipTo(size);
  return struct<Fields>(name, Object.fromEntries(fields), { pack: 1 });
}

// ---- compiled classes, which say where their fields lie but not what they are

interface CompiledClass {
  new (raw: Uint8Array): Record<string, unknown>;
  readonly baseSize: number;
  getOffsets(): Readonly<Record<string, number>>;
}

const isCompiled = (value: unknown): value is CompiledClass =>
  typeof value === 'function' &&
  typeof (value as Partial<CompiledClass>).baseSize === 'number' &&
  'getOffsets' in value;

function nestedLayout(nested: unknown, name: string): Layout {
  if (!isCompiled(nested)) return layoutOfBuilder(nested, name);
  const offsets = Object.entries(nested.getOffsets()).toSorted(([, a], [, b]) => a - b);
  const fields = offsets.map(([field, offset]) => ({
    name: field,
    offset,
    typeOf: () => probe(nested, field, offset, `${name}.${field}`),
  }));
  return packed(name, fields, nested.baseSize);
}

const { u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, be, byteBool, wordBool, longBool } = numbers;
const CANDIDATES: readonly AnyType[] = [u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, longBool, wordBool, byteBool]
  .flatMap<AnyType>((type) => (type.size === 1 ? [type] : [type, be<AnyType>(type)])); // prettier-ignore
const TYPED_ARRAYS: ReadonlyMap<string, AnyType> = new Map<string, AnyType>([
  ['Uint8Array', u8],
  ['Int8Array', i8],
  ['Uint16Array', u16],
  ['Int16Array', i16],
  ['Uint32Array', u32],
  ['Int32Array', i32],
  ['Float32Array', f32],
  ['Float64Array', f64],
  ['BigInt64Array', i64],
  ['BigUint64Array', u64],
]);
const PROBES = 24;

/** Tells whether making an instance changes the byte of a field, as a literal does. */
const writesAt = (compiled: CompiledClass, offset: number): boolean =>
  [0x55, 0xaa].some((byte) => {
    const raw = bufferOf(compiled.baseSize).fill(byte);
    Reflect.construct(compiled, [raw]);
    return raw[offset] !== byte;
  });

/** Tells the type of a field by what it reads as. */
function probe(compiled: CompiledClass, field: string, offset: number, path: string): AnyType {
  const raw = bufferOf(compiled.baseSize);
  const instance = new compiled(raw);
  const value = instance[field];
  if (writesAt(compiled, offset)) refuse(path, LITERAL);
  if (ArrayBuffer.isView(value)) return probedArray(value as Uint8Array);
  if (Array.isArray(value) && isInstance(value[0]))
    return array(nestedLayout(value[0].constructor, path), value.length);
  if (isInstance(value)) return nestedLayout(value.constructor, path);
  if (typeof value === 'string')
    refuse(path, 'the encoding of a text in a compiled class cannot be told: give its builder');
  let candidates = CANDIDATES.filter(
    (type) => typeof type.size === 'number' && offset + type.size <= compiled.baseSize,
  );
  for (let n = 0; n < PROBES; n++) {
    raw.forEach((_, i) => (raw[i] = n === 0 ? 0 : (0x9e37 * (n * 131 + i * 7 + 1)) >>> 7));
    // One set bit tells widths of booleans apart.
    if (n > PROBES / 2) raw.fill(0).set([1], Math.min(offset + (n % 8), raw.length - 1));
    const found = instance[field];
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    candidates = candidates.filter((type) =>
      Object.is(codecOfShape(shapeOn(type, HOST_ABI)).read(view, offset), found),
    );
  }
  // A boolean of one width in both byte orders is one type.
  const [type] = candidates;
  if (type === undefined || candidates.some((other) => other.kind !== type.kind))
    refuse(path, 'its type in a compiled class cannot be told');
  return type;
}

function probedArray(value: Uint8Array): AnyType {
  const name = value.constructor.name;
  const element = TYPED_ARRAYS.get(name);
  // Only Node's Buffer is another name: an opaque byte string.
  return element === undefined ? bytes(value.length) : array(element, value.length);
}

const isInstance = (value: unknown): value is { readonly constructor: unknown } =>
  typeof value === 'object' && value !== null && isCompiled(value.constructor);

interface BufferMaker {
  alloc(size: number): Uint8Array;
}
/** typed-struct shares memory with a Buffer only. */
const bufferOf = (size: number): Uint8Array => {
  const { Buffer } = globalThis as { Buffer?: BufferMaker };
  return Buffer === undefined ? new Uint8Array(size) : Buffer.alloc(size);
};
