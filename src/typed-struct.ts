// The bridge to the package typed-struct: a layout of an existing definition, and a class for detached copies of the same bytes
// (queues, sockets, serial ports).
import { Struct, type StructConstructor } from 'typed-struct';
import { layoutOfBuilder } from './layout/from-typed-struct.ts';
import { requireLayout } from './layout/shape.ts';
import { buildTypedStruct, type Build } from './layout/to-typed-struct.ts';
import type { FieldType, Infer, Layout } from './layout/types.ts';

type Plain<V> = V extends number | bigint | boolean | string ? FieldType<V> : FieldType<any>;
/** Field types of a builder's properties, as far as its own types tell them. */
export type BuilderFields<T> = { readonly [K in keyof T & string]: Plain<T[K]> };

/**
 * Makes a layout of a typed-struct builder: packed, with its byte orders and gaps.
 * @throws LayoutError LAYOUT_FIELD_INVALID for aliases, bit fields, BCD, CRCs, tails, literals and custom getters, named
 * @example
 * const Packet = fromTypedStruct(new Struct('Packet').UInt8('id').Float32LE('level'));
 * Packet.size; // 5
 */
export function fromTypedStruct<T extends object, Name extends string>(
  builder: Struct<T, Name, boolean>,
  name?: string,
): Layout<BuilderFields<T>> {
  const own = (builder as unknown as { readonly defaultClassName?: unknown } | undefined)?.defaultClassName;
  return layoutOfBuilder(builder, name ?? (typeof own === 'string' ? own : 'Struct')) as Layout<
    BuilderFields<T>
  >;
}

/**
 * Makes a typed-struct class whose instances have the bytes of the layout's records. Plain numbers are typed-struct's own, everything
 * else is read and written by the layout, so that text, booleans and enums mean the same on both sides.
 * @throws LayoutError LAYOUT_FIELD_INVALID for fields called `$raw` or `toString`, and for what is no layout
 */
export function toTypedStruct<L extends Layout<any>>(layout: L): StructConstructor<Infer<L>, string> {
  requireLayout('make a typed-struct class', layout);
  const build = buildTypedStruct(new Struct(layout.name) as unknown as Build, layout);
  return (build as unknown as { compile(name: string): StructConstructor<Infer<L>, string> }).compile(
    layout.name,
  );
}
