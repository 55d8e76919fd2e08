// The types of the definition language: what a field type stands for, and what a record of a layout looks like
// when it is read, written, patched or viewed. Types only; nothing here exists at run time.
import type { Abi, Pack } from './abi.ts';

declare const VALUE: unique symbol;

/** One field type. `Out` is what a read gives, `In` what a write takes, `Column` what a column of it is. */
export interface FieldType<out Out, out In = Out, out Column = Out[]> {
  readonly kind: string;
  /** Bytes, on the host's ABI; of a struct, a union or an array of them on the ABI that it was made for. */
  readonly size: number;
  /** Bytes, likewise. */
  readonly align: number;
  readonly [VALUE]: { readonly out: Out; readonly in: In; readonly column: Column };
}
// oxlint-disable-next-line typescript/no-explicit-any -- any field type at all: inference needs `any`, not `unknown`
export type AnyType = FieldType<any, any, any>;
export type Fields = Readonly<Record<string, AnyType>>;
type Flat<T> = { [K in keyof T]: T[K] } & {};

/** A plain integer or float type; an integer is a base for `bits` and `enumOf`, a length, and a guard's word. */
export interface NumberType<V extends number | bigint, Column> extends FieldType<V, V, Column> {
  readonly numeric: true;
}
export type IntegerBase = NumberType<any, any>;

/** Record type that a read of `L` gives. */
export type Infer<L> = L extends FieldType<infer Out, any, any> ? Out : never;
/** Record type that a whole write of `L` takes: arrays also as typed arrays, unions with one member, lengths optional. */
export type InferInput<L> = L extends FieldType<any, infer In, any> ? In : never;
/** Nested-partial form of it, for `assign` and `encode`. */
export type InferPatch<L> = L extends Layout<infer F> ? PatchOf<F> : never;

export interface PadType extends FieldType<never, any, never> {
  readonly kind: 'pad';
}
type HasSibling<S extends string> = { readonly lengthField: S };
export type Sized<T, O> = O extends { readonly length: infer S extends string } ? T & HasSibling<S> : T;

/** Names of the fields that hold values: all but the padding. */
export type Valued<F extends Fields> = {
  [K in keyof F]: F[K] extends PadType ? never : K;
}[keyof F] &
  string;
type LengthFields<F extends Fields> = {
  [K in keyof F]: F[K] extends HasSibling<infer S> ? S : never;
}[keyof F];

// `as` keeps the definition's key order in tooltips; a mapped union of names does not.
export type RecordOf<F extends Fields> = Flat<{
  -readonly [K in keyof F as F[K] extends PadType ? never : K]: Infer<F[K]>;
}>;
export type InputOf<F extends Fields> = Flat<
  {
    readonly [
      K in keyof F as F[K] extends PadType ? never : K extends LengthFields<F> ? never : K
    ]: InferInput<F[K]>;
  } & {
    readonly [K in keyof F as K extends LengthFields<F> ? K : never]?: InferInput<F[K]>;
  }
>;
export type PatchOf<F extends Fields> = Flat<{
  readonly [K in Valued<F>]?: F[K] extends Layout<infer G> ? PatchOf<G> : InferInput<F[K]>;
}>;
export type ViewOf<F extends Fields> = Flat<
  { -readonly [K in Valued<F> as F[K] extends Composite ? never : K]: Infer<F[K]> } & {
    readonly [K in Valued<F> as F[K] extends Composite ? K : never]: MemberView<F[K]>;
  }
>;
type Composite = Layout<any> | ArrayType<any, any> | UnionType<any> | BitsType<any, any>;
type MemberView<T> =
  T extends Layout<infer F>
    ? ViewOf<F>
    : T extends UnionType<infer F>
      ? ViewOf<F>
      : T extends ArrayType<infer E, infer N>
        ? ArrayView<E, N>
        : Infer<T>;

/** Live array in a view: `length`, indexed get and set, iteration; not an `Array`. */
export interface ArrayView<E extends AnyType, N extends number> extends Iterable<Infer<E>> {
  readonly length: N;
  [index: number]: E extends Composite ? MemberView<E> : Infer<E>;
}

type NumericArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;
type TypedArrayOf<V> = V extends number
  ? NumericArray
  : V extends bigint
    ? BigInt64Array | BigUint64Array
    : never;
type ListInput<E> = readonly InferInput<E>[] | TypedArrayOf<InferInput<E>>;
export interface ArrayType<E extends AnyType, N extends number> extends FieldType<Infer<E>[], ListInput<E>> {
  readonly kind: 'array';
  readonly of: E;
  readonly length: N;
}

export interface BitsType<B extends IntegerBase, K extends string> extends FieldType<
  { [M in K]: Infer<B> },
  { readonly [M in K]: Infer<B> }
> {
  readonly kind: 'bits';
}

type ExactlyOne<F extends Fields> = {
  [K in Valued<F>]: { readonly [J in K]: InferInput<F[K]> } & {
    readonly [J in Exclude<Valued<F>, K>]?: never;
  };
}[Valued<F>];
/** A union reads as accessors over a private copy of its bytes; it is written with that, or with exactly one member. */
export interface UnionType<F extends Fields> extends FieldType<RecordOf<F>, ExactlyOne<F> | RecordOf<F>> {
  readonly kind: 'union';
  readonly members: F;
}

/** Names that JavaScript needs for itself. */
type ReservedName = 'toJSON' | 'constructor' | '__proto__' | 'prototype';
/** Refuses reserved and integer-like names, and a `length` that names no integer sibling. */
export type NamesOf<F extends Fields> = {
  readonly [K in keyof F]: K extends ReservedName | number | `${number}`
    ? never
    : F[K] extends HasSibling<infer S>
      ? S extends keyof F
        ? F[S] extends IntegerBase
          ? F[K]
          : never
        : never
      : F[K];
};

export interface UnionOptions {
  readonly pack?: Pack;
  readonly abi?: Abi | 'host';
}
export interface StructOptions<F extends Fields> extends UnionOptions {
  /** Asserts the total size in bytes; with `offsets`, a larger one pads the end. */
  readonly size?: number;
  /** Pins fields of a foreign struct, in bytes from its start. */
  readonly offsets?: { readonly [K in keyof F]?: number };
}

/** Where and how one field lies; `size` and `align` are those of the layout's ABI. */
export interface Field<Name extends string = string, T extends AnyType = AnyType> {
  readonly name: Name;
  readonly type: T;
  readonly offset: number;
  readonly size: number;
  readonly align: number;
}
export type FieldsOf<F extends Fields> = readonly { [K in keyof F & string]: Field<K, F[K]> }[keyof F &
  string][];
export type BufferSource = ArrayBufferLike | ArrayBufferView;

/** A struct laid out for one ABI; frozen. It is a field type too, so that structs nest. */
export interface Layout<F extends Fields = any> extends FieldType<RecordOf<F>, InputOf<F>> {
  readonly kind: 'struct';
  readonly name: string;
  readonly abi: Abi;
  readonly pack: Pack | undefined;
  /** 32 hexadecimal digits, equal wherever the memory is equal. */
  readonly digest: string;
  /** All fields in memory order, padding included. */
  readonly fields: FieldsOf<F>;
  readonly offsets: { readonly [K in Valued<F>]: number };
  /** Reads the record at `byteOffset` (default 0) to a plain object. @throws ValueError INDEX_RANGE, VALUE_RANGE */
  decode(buffer: BufferSource, byteOffset?: number): RecordOf<F>;
  /** Writes the given fields and leaves all others as they are; on a throw nothing is written. @throws ValueError */
  encode(record: PatchOf<F>, buffer: BufferSource, byteOffset?: number): void;
  /** Makes a live accessor object over the memory itself. @throws ValueError INDEX_RANGE */
  view(buffer: BufferSource, byteOffset?: number): View<F>;
  /** Makes the record that all-zero bytes read as; a closed enum without a 0 gives its first member. */
  zero(): RecordOf<F>;
  /** Lays the same definition out for another ABI. @throws LayoutError LAYOUT_FIELD_INVALID if `size` or `offsets` are pinned */
  on(abi: Abi): Layout<F>;
  /** Draws a table of offsets, sizes and types as text. */
  describe(): string;
}
/** `moveTo` moves the view to another byte offset of its buffer; a field of that name takes its place. */
export type View<F extends Fields = any> = ViewOf<F> & { toJSON(): RecordOf<F> } & ('moveTo' extends keyof F
    ? unknown
    : { moveTo(byteOffset: number): View<F> });

export type AnyLayout = Layout<any>;
/** Names of the fields of `L` that hold values. */
export type FieldName<L> = L extends Layout<infer F> ? Valued<F> : never;
/** Names of its integer fields. */
export type IntegerName<L> =
  L extends Layout<infer F>
    ? { [K in keyof F]: F[K] extends IntegerBase ? K : never }[keyof F] & string
    : never;
/** Paths to the fields of type `T` in a record of `F`: through structs and unions by `.name`, into arrays by `[index]`. */
type PathOf<F extends Fields, T> = {
  [K in Valued<F>]: (F[K] extends T ? K : never) | `${K}${PathBehind<F[K], T>}`;
}[Valued<F>];
type PathBehind<E, T> =
  E extends Layout<infer F>
    ? `.${PathOf<F, T>}`
    : E extends UnionType<infer F>
      ? `.${PathOf<F, T>}`
      : E extends ArrayType<infer I, any>
        ? `[${number}]${(I extends T ? '' : never) | PathBehind<I, T>}`
        : never;
/** Paths to the fields of type `T` anywhere in a record of `L`; any string for a layout that is not known. */
export type FieldPath<L, T = AnyType> =
  L extends Layout<infer F> ? (0 extends F & 1 ? string : PathOf<F, T>) : never;
/** What a column of the field `K` of `L` is: a typed array for numbers, else an array. */
export type ColumnOf<L, K> =
  L extends Layout<infer F>
    ? K extends keyof F
      ? F[K] extends FieldType<any, any, infer C>
        ? C
        : never
      : never
    : never;
