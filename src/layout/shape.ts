// The heart of the folder: a Shape is one field type laid out for one ABI, as plain data. Codecs, generated code, views,
// digests, tables and peers' source text are all functions of it. A public FieldType is a handle that knows its shapes.
import { LayoutError } from '../errors.ts';
import { HOST_ABI, type Abi } from './abi.ts';
import { show } from './fault.ts';
import type { TextEncoding } from './text-encoding.ts';
import type { AnyType } from './types.ts';

/** Stored form of one number; `u64` and `i64` are read as bigint. */
export type NumberCode = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64' | 'f32' | 'f64';

interface Extent {
  /** Bytes. */
  readonly size: number;
  /** Bytes. */
  readonly align: number;
}

export interface NumberShape extends Extent {
  readonly kind: 'number';
  readonly code: NumberCode;
  /** The value in JavaScript is a bigint, whatever the width. */
  readonly wide: boolean;
  readonly bigEndian: boolean;
}

export interface BooleanShape extends Extent {
  readonly kind: 'boolean';
  /** What true is stored as: 1, or all ones as Delphi's long forms have it. */
  readonly allOnes: boolean;
  readonly bigEndian: boolean;
}

export interface EnumMember {
  readonly name: string;
  readonly value: number | bigint;
}
export interface EnumShape extends Extent {
  readonly kind: 'enum';
  readonly base: NumberShape;
  readonly members: readonly EnumMember[];
  readonly open: boolean;
}

export interface BitsMember {
  readonly name: string;
  /** Bits below it in the unit. */
  readonly shift: number;
  readonly width: number;
}
export interface BitsShape extends Extent {
  readonly kind: 'bits';
  readonly base: NumberShape;
  readonly members: readonly BitsMember[];
}

/** What a stored time counts: 100 ns since 1601 (u64), days since 1899-12-30 (f64), or ms since 1970 (i64). */
export type Epoch = 'filetime' | 'tDateTime' | 'unixMs';
export interface TimeShape extends Extent {
  readonly kind: 'time';
  readonly epoch: Epoch;
  readonly bigEndian: boolean;
}

/** Where a text ends: at a NUL that must fit, at a NUL or the field's end, after a leading length byte, or where a sibling says. */
export type TextEnding = 'terminated' | 'full' | 'counted' | 'sibling';
export interface TextShape extends Extent {
  readonly kind: 'text';
  readonly encoding: TextEncoding;
  readonly bigEndian: boolean;
  /** Code units of the field, without the length byte. */
  readonly units: number;
  /** Code units that its length field can count, where those are fewer. */
  readonly countable?: number;
  readonly ending: TextEnding;
  readonly truncate: boolean;
  /** An unmappable character is written as `?`. */
  readonly replace: boolean;
  readonly lengthField: string | undefined;
}

export interface BytesShape extends Extent {
  readonly kind: 'bytes';
  readonly lengthField: string | undefined;
}

export interface ArrayShape extends Extent {
  readonly kind: 'array';
  readonly of: Shape;
  /** As in a struct. */
  readonly depth: number;
  readonly length: number;
  readonly lengthField: string | undefined;
}

export interface PadShape extends Extent {
  readonly kind: 'pad';
}

/** One field at its place. `align` is what its place keeps: the type's own, lowered by `pack` and by a pin. */
export interface PlacedField {
  readonly name: string;
  readonly type: AnyType;
  readonly shape: Shape;
  readonly offset: number;
  readonly align: number;
}
interface CompositeShape extends Extent {
  readonly name: string;
  /** In memory order; those of a union in the definition's. */
  readonly fields: readonly PlacedField[];
  /** Structs, unions and arrays from here to the deepest value inside. */
  readonly depth: number;
}
export interface StructShape extends CompositeShape {
  readonly kind: 'struct';
  /** What its definition pins. */
  readonly pinned: 'size' | 'offsets' | undefined;
}
export interface UnionShape extends CompositeShape {
  readonly kind: 'union';
}

export type Shape =
  | NumberShape
  | BooleanShape
  | EnumShape
  | BitsShape
  | TimeShape
  | TextShape
  | BytesShape
  | ArrayShape
  | PadShape
  | StructShape
  | UnionShape;

/** Gives the sibling that holds the length of this text, byte string or array, if there is one. */
export function lengthFieldOf(shape: Shape): string | undefined {
  return shape.kind === 'text' || shape.kind === 'bytes' || shape.kind === 'array'
    ? shape.lengthField
    : undefined;
}

/** How one public type answers for its ABIs. */
export interface TypeInside {
  shapeOn(abi: Abi): Shape;
  /** ABI that `size` and `align` of the public type are for; a struct with pins and an `abi` of its own has no other. */
  readonly home: Abi;
  /** The public type for that ABI where it is another object: a nested struct laid out anew. */
  typeOn?: (abi: Abi) => AnyType;
  /** The same type stored big-endian; throws a LayoutError where that has no meaning. */
  bigEndian(): AnyType;
}

const INSIDES = new WeakMap<object, TypeInside>();

/** Registers a public type; only registered ones are accepted in a definition. */
export function register<T extends object>(type: T, inside: TypeInside): T {
  INSIDES.set(type, inside);
  return type;
}

/** Gives the inside of a public type, undefined for any other value. */
export function insideOf(value: unknown): TypeInside | undefined {
  return typeof value === 'object' && value !== null ? INSIDES.get(value) : undefined;
}

/** Gives the shape of `type` on `abi`. @throws LayoutError LAYOUT_FIELD_INVALID if it is no field type */
export function shapeOn(type: unknown, abi: Abi): Shape {
  const inside = insideOf(type);
  if (inside === undefined)
    throw new LayoutError('LAYOUT_FIELD_INVALID', 'cannot lay out a value that is no field type');
  return inside.shapeOn(abi);
}

/** Remembers the shape that `make` gives for each ABI. */
export function shapePerAbi(make: (abi: Abi) => Shape): (abi: Abi) => Shape {
  const shapes = new Map<Abi, Shape>();
  return (abi) => {
    let shape = shapes.get(abi);
    if (shape === undefined) shapes.set(abi, (shape = Object.freeze(make(abi))));
    return shape;
  };
}

/** Makes and registers a public type of plain data; `size` and `align` are those of `home`. */
export function defineType<T extends AnyType>(
  kind: string,
  make: (abi: Abi) => Shape,
  bigEndian: (() => AnyType) | 'same' | 'none',
  extra: object = {},
  typeOn?: (abi: Abi) => AnyType,
  home: Abi = HOST_ABI,
): T {
  const perAbi = shapePerAbi(make);
  const { size, align } = perAbi(home);
  const type = Object.freeze({ kind, size, align, ...extra }) as unknown as T;
  return register(type, {
    shapeOn: perAbi,
    home,
    ...(typeOn === undefined ? {} : { typeOn }),
    bigEndian() {
      if (bigEndian === 'same') return type;
      if (bigEndian === 'none')
        throw new LayoutError(
          'LAYOUT_FIELD_INVALID',
          `cannot store ${kind} big-endian: swap its members instead`,
        );
      return bigEndian();
    },
  });
}

/** Throws the error of a definition that cannot be laid out. */
export function refuse(what: string, fact: string): never {
  throw new LayoutError('LAYOUT_FIELD_INVALID', `cannot lay out ${what}: ${fact}`);
}

/** Largest record: 1 GiB, far above any segment and far below where byte offsets lose precision. */
export const MAX_SIZE = 2 ** 30;

/** Most elements of an array: half of what the engine's own arrays are sure to hold (170 000 000 are an error of its own). */
export const MAX_ELEMENTS = 2 ** 26;
/** Most code units of a text: each may read as two of a string, which has at most 2^29 - 24. */
export const MAX_UNITS = 2 ** 27;

/**
 * Gives `count` back if it is an acceptable number of units, at most `most`.
 * @throws LayoutError LAYOUT_FIELD_INVALID, LAYOUT_TOO_LARGE
 */
export function checkCount(what: string, count: unknown, bytesEach: number, most = MAX_SIZE): number {
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 1) {
    refuse(what, `its length must be a positive integer, found ${show(count)}`);
  }
  if (count * bytesEach > MAX_SIZE) {
    throw new LayoutError(
      'LAYOUT_TOO_LARGE',
      `cannot lay out ${what}: ${count} of ${bytesEach} bytes, expected at most ${MAX_SIZE} bytes`,
    );
  }
  if (count > most) {
    throw new LayoutError(
      'LAYOUT_TOO_LARGE',
      `cannot lay out ${what}: its length is ${count}, expected at most ${most} (bytes may have more)`,
    );
  }
  return count;
}

/** Deepest nesting of structs, unions and arrays: what reads a layout calls itself for each level. */
export const MAX_DEPTH = 32;

/** Gives the depth of what is made of `parts`. @throws LayoutError LAYOUT_TOO_LARGE */
export function depthAbove(what: string, parts: readonly Shape[]): number {
  let depth = 1;
  for (const part of parts) if ('depth' in part) depth = Math.max(depth, part.depth + 1);
  if (depth > MAX_DEPTH) {
    throw new LayoutError(
      'LAYOUT_TOO_LARGE',
      `cannot lay out ${what}: types are nested ${depth} deep, expected at most ${MAX_DEPTH}`,
    );
  }
  return depth;
}

/** Gives the options back. @throws LayoutError LAYOUT_FIELD_INVALID if they are no object */
export function requireOptions<O extends object>(what: string, options: O | undefined): O | undefined {
  if (options === undefined || (typeof options === 'object' && options !== null)) return options;
  return refuse(what, `its options must be an object, found ${show(options)}`);
}

/** Checks that `value` is a layout. @throws LayoutError LAYOUT_FIELD_INVALID */
export function requireLayout(act: string, value: unknown): void {
  if (insideOf(value) === undefined || (value as AnyType).kind !== 'struct')
    throw new LayoutError('LAYOUT_FIELD_INVALID', `cannot ${act}: expected a layout, found another value`);
}
