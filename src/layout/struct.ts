// Makes layouts: `struct` for records, `union` for members that share their bytes. Checks the options; placement.ts does the sums.
import { ABIS, HOST_ABI, isAbi, isPack, type Abi, type Pack } from './abi.ts';
import { show } from './fault.ts';
import { makeLayout } from './layout.ts';
import { place, type Definition } from './placement.ts';
import {
  defineType,
  insideOf,
  refuse,
  requireOptions,
  shapePerAbi,
  type Shape,
  type StructShape,
} from './shape.ts';
import type { AnyType, Fields, Layout, NamesOf, StructOptions, UnionOptions, UnionType } from './types.ts';

interface Options {
  readonly pack?: unknown;
  readonly abi?: unknown;
  readonly size?: unknown;
  readonly offsets?: unknown;
}

function checkName(kind: string, name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '') refuse(`a ${kind}`, 'it needs a name');
}

function checkByteCount(what: string, value: unknown, least: number): asserts value is number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    refuse(what, `expected a count of bytes from ${least}, found ${show(value)}`);
  }
}

function pinsOf(name: string, fields: object, offsets: unknown): ReadonlyMap<string, number> | undefined {
  if (offsets === undefined) return undefined;
  if (typeof offsets !== 'object' || offsets === null)
    refuse(name, 'its offsets must be an object of byte offsets');
  const pins = new Map<string, number>();
  for (const [field, offset] of Object.entries(offsets)) {
    if (!Object.hasOwn(fields, field))
      refuse(`${name}.${field}`, 'its offset is pinned, but there is no such field');
    if (offset === undefined) continue;
    checkByteCount(`${name}.${field}`, offset, 0);
    pins.set(field, offset);
  }
  return pins;
}

function packOf(name: string, pack: unknown): Pack | undefined {
  if (pack === undefined || isPack(pack)) return pack;
  return refuse(name, `pack must be 1, 2, 4, 8 or 16, found ${show(pack)}`);
}

function abiOf(name: string, abi: unknown): Abi {
  if (abi === undefined || abi === 'host') return HOST_ABI;
  return isAbi(abi) ? abi : refuse(name, `abi must be host, ${ABIS.join(', ')}, found ${show(abi)}`);
}

function define(kind: 'struct' | 'union', name: unknown, fields: unknown, options: Options): Definition {
  checkName(kind, name);
  if (typeof fields !== 'object' || fields === null)
    refuse(name, 'its fields must be an object of field types');
  const { size } = options;
  if (size !== undefined) checkByteCount(`${name} to its size`, size, 1);
  return Object.freeze({
    name,
    fields: Object.freeze(Object.entries(fields as Record<string, AnyType>)),
    union: kind === 'union',
    pack: packOf(name, options.pack),
    size,
    offsets: pinsOf(name, fields, options.offsets),
  });
}

/**
 * Lays a struct out by C's rules; key order is memory order.
 * @throws LayoutError LAYOUT_FIELD_INVALID, LAYOUT_TOO_LARGE
 * @example
 * const Quote = struct('Quote', { symbol: utf8(12), bid: f64, ask: f64, tick: u64, depth: array(f64, 5) });
 * Quote.size; // 80
 * Quote.offsets.bid; // 16
 */
export function struct<const F extends Fields>(
  name: string,
  fields: F & NamesOf<F>,
  options?: StructOptions<F>,
): Layout<F> {
  const checked = requireOptions('a struct', options) ?? {};
  const definition = define('struct', name, fields, checked);
  return layoutOf(definition, abiOf(name, checked.abi), checked.abi !== undefined) as Layout<F>;
}

/** `ownAbi` tells that the struct says itself what its pins hold for; any other takes that of the struct around it, pins and all. */
function layoutOf(definition: Definition, home: Abi, ownAbi: boolean): Layout {
  const { name, size, offsets } = definition;
  const pinned = size !== undefined ? 'size' : offsets !== undefined ? 'offsets' : undefined;
  const shapeOn = shapePerAbi((abi): StructShape => {
    if (abi === home) return { kind: 'struct', name, pinned, ...place(definition, abi) };
    if (ownAbi && pinned !== undefined) refusePins(name, pinned, home, abi);
    return { kind: 'struct', name, pinned, ...place({ ...definition, name: `${name} for ${abi}` }, abi) };
  });
  const layouts = new Map<Abi, Layout>();
  const layoutOn = (abi: Abi): Layout => {
    let layout = layouts.get(abi);
    if (layout === undefined) {
      const shape = shapeOn(abi) as StructShape;
      const inside = { shapeOn, home: abi, typeOn: layoutOn };
      layouts.set(abi, (layout = makeLayout(shape, definition.pack, inside, (other) => on(abi, other))));
    }
    return layout;
  };
  const on = (from: Abi, abi: Abi): Layout => {
    if (!isAbi(abi)) refuse(name, `abi must be ${ABIS.join(', ')}, found ${show(abi)}`);
    const held = abi === from ? undefined : pinnedIn(shapeOn(from));
    if (held?.pinned !== undefined) refusePins(held.name, held.pinned, from, abi);
    return layoutOn(abi);
  };
  return layoutOn(home);
}

function refusePins(name: string, pinned: 'size' | 'offsets', home: Abi, abi: Abi): never {
  refuse(`${name} for ${abi}`, `its ${pinned} ${pinned === 'size' ? 'is' : 'are'} pinned for ${home}`);
}

/** Finds a struct with pins: this one, or the first inside. */
function pinnedIn(shape: Shape, seen = new Set<Shape>()): StructShape | undefined {
  if (seen.has(shape)) return undefined;
  seen.add(shape);
  if (shape.kind === 'array') return pinnedIn(shape.of, seen);
  if (shape.kind !== 'struct' && shape.kind !== 'union') return undefined;
  if (shape.kind === 'struct' && shape.pinned !== undefined) return shape;
  for (const field of shape.fields) {
    const found = pinnedIn(field.shape, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Declares a union: a field type whose members share offset 0. Its `size` and `align` are those of `abi`, else those of the ABI that its
 * members were made for; as a field it takes the ABI of the struct around it.
 * @throws LayoutError LAYOUT_FIELD_INVALID, LAYOUT_TOO_LARGE
 */
export function union<const F extends Fields>(
  name: string,
  fields: F & NamesOf<F>,
  options?: UnionOptions,
): UnionType<F> {
  const checked = requireOptions('a union', options) ?? {};
  const definition = define('union', name, fields, checked);
  return unionType(
    definition,
    fields,
    checked.abi === undefined ? homeOf(definition) : abiOf(name, checked.abi),
  );
}

/** Gives the ABI that members of a union were made for. */
function homeOf({ fields }: Definition): Abi {
  const homes = fields.map(([, type]) => insideOf(type)?.home ?? HOST_ABI);
  return homes.find((home) => home !== HOST_ABI) ?? HOST_ABI;
}

function unionType<F extends Fields>(definition: Definition, fields: F, home: Abi): UnionType<F> {
  const { name } = definition;
  const extra = { name, members: Object.freeze({ ...fields }) };
  const make = (abi: Abi): Shape => ({ kind: 'union', name, ...place(definition, abi) });
  return defineType('union', make, 'none', extra, undefined, home);
}

/** Declares a union of a given size, padded at its end: what a canonical text says of it. @throws LayoutError LAYOUT_FIELD_INVALID */
export function sizedUnion(name: string, fields: Fields, size: number): UnionType<Fields> {
  return unionType(define('union', name, fields, { size, offsets: {} }), fields, HOST_ABI);
}
