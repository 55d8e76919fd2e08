// Live accessor objects over a record's memory: no copy, each get reads, each set writes. One class per shape, with accessors on its
// prototype; array elements are accessors too, except in long arrays, which are proxies.
import {
  lengthFieldOf,
  shapeOn,
  type ArrayShape,
  type BitsShape,
  type Shape,
  type StructShape,
  type UnionShape,
} from './shape.ts';
import { checkRange, viewOf as dataViewOf } from './memory.ts';
import type { BufferSource, Layout } from './types.ts';
import { codecOfShape } from './value-codec.ts';
import { bitAccessor, countedAccessor, valueAccessor } from './view-accessors.ts';
import { atOf, guarded, innerOf, move, Part, viewOf, type Accessor, type MakePart } from './view-part.ts';

const INSPECT = Symbol.for('nodejs.util.inspect.custom');
type Inspect = (value: unknown, options: object) => string;

/** Elements that get accessors of their own; beyond this a proxy is cheaper than what they cost to make. */
const MAX_ACCESSORS = 1024;

const isPart = (shape: Shape): boolean =>
  shape.kind === 'struct' ||
  shape.kind === 'union' ||
  shape.kind === 'bits' ||
  (shape.kind === 'array' && shape.lengthField === undefined);

/** Gives the accessor of a member, a live part or a value. */
function accessorOf(key: string | number, shape: Shape, offset: number): Accessor {
  if (!isPart(shape)) return valueAccessor(key, shape, offset);
  const make = maker(shape);
  return {
    get() {
      return innerOf(this, key, offset, make);
    },
  };
}

type PartClass = new (view: DataView, at: number, path: string) => Part;
const CLASSES = new WeakMap<Shape, PartClass>();

function define(partClass: PartClass, key: string | number, accessor: Accessor): void {
  Object.defineProperty(partClass.prototype, key, { ...accessor, enumerable: true, configurable: true });
}

function recordClass(shape: StructShape | UnionShape): PartClass {
  const made = class RecordView extends Part {};
  const byName = new Map(shape.fields.map((field) => [field.name, field]));
  for (const field of shape.fields) {
    if (field.shape.kind === 'pad') continue;
    const sibling = byName.get(lengthFieldOf(field.shape) ?? '');
    define(
      made,
      field.name,
      sibling === undefined
        ? accessorOf(field.name, field.shape, field.offset)
        : countedAccessor(field, sibling),
    );
  }
  return made;
}

function bitsClass(shape: BitsShape): PartClass {
  const made = class BitsView extends Part {};
  for (const member of shape.members) define(made, member.name, bitAccessor(shape, member));
  return made;
}

function arrayClass({ of, length }: ArrayShape): PartClass {
  const made = class ArrayView extends Part {
    *[Symbol.iterator](): IterableIterator<unknown> {
      for (let i = 0; i < length; i++) yield (this as unknown as readonly unknown[])[i];
    }
  };
  Object.defineProperty(made.prototype, 'length', { value: length });
  if (length <= MAX_ACCESSORS)
    for (let i = 0; i < length; i++) define(made, i, accessorOf(i, of, i * of.size));
  return made;
}

function showable(partClass: PartClass, shape: Shape): PartClass {
  const read = (shown: Part): unknown => {
    const part = BEHIND.get(shown) ?? shown;
    return guarded(part, 'read', '', () => codecOfShape(shape).read(viewOf(part), atOf(part)));
  };
  Object.defineProperties(partClass.prototype, {
    toJSON: {
      value(this: Part) {
        return read(this);
      },
    },
    [INSPECT]: {
      value(this: Part, _depth: number, options: object, inspect?: Inspect) {
        const record = read(this);
        return inspect === undefined ? record : inspect(record, options);
      },
    },
  });
  return partClass;
}

function classOf(shape: Shape): PartClass {
  let made = CLASSES.get(shape);
  if (made === undefined) {
    if (shape.kind === 'array') made = arrayClass(shape);
    else made = shape.kind === 'bits' ? bitsClass(shape) : recordClass(shape as StructShape | UnionShape);
    CLASSES.set(shape, showable(made, shape));
  }
  return made;
}

/** Parts behind the proxies of long arrays: `util.inspect` calls its hook on the proxy. */
const BEHIND = new WeakMap<object, Part>();

const INDEX = /^(?:0|[1-9]\d*)$/;

/** Shows a long array: an index finds its element's accessor when it is asked for. */
function longArray(part: Part, { of, length }: ArrayShape): object {
  const accessorAt = (key: string | symbol): Accessor | undefined =>
    typeof key === 'string' && INDEX.test(key) && Number(key) < length
      ? accessorOf(Number(key), of, Number(key) * of.size)
      : undefined;
  const shown = new Proxy(part, {
    get(target, key): unknown {
      const accessor = accessorAt(key);
      if (accessor !== undefined) return accessor.get?.call(target) as unknown;
      if (key === Symbol.iterator) return () => elementsOf(target, of, length);
      const member = Reflect.get(target, key, target) as unknown;
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
    set(target, key, value): boolean {
      const accessor = accessorAt(key);
      accessor?.set?.call(target, value);
      return accessor?.set !== undefined;
    },
  });
  BEHIND.set(shown, part);
  return shown;
}

function* elementsOf(part: Part, of: Shape, length: number): IterableIterator<unknown> {
  for (let i = 0; i < length; i++) yield accessorOf(i, of, i * of.size).get?.call(part);
}

function maker(shape: Shape): MakePart {
  return (view, at, path) => {
    const part = Object.seal(new (classOf(shape))(view, at, path));
    const shown = shape.kind === 'array' && shape.length > MAX_ACCESSORS ? longArray(part, shape) : part;
    return { part, shown };
  };
}

const ROOTS = new WeakMap<Layout, PartClass>();

/** Gives the class of a layout's own view: that of its shape, and `moveTo` unless a field has that name. */
function rootClass(layout: Layout): PartClass {
  let made = ROOTS.get(layout);
  if (made !== undefined) return made;
  made = class extends classOf(shapeOn(layout, layout.abi)) {};
  if (!Object.hasOwn(layout.offsets, 'moveTo')) {
    Object.defineProperty(made.prototype, 'moveTo', {
      value(this: Part, byteOffset: unknown) {
        checkRange(layout.name, byteOffset, layout.size, viewOf(this).byteLength);
        move(this, byteOffset);
        return this;
      },
    });
  }
  ROOTS.set(layout, made);
  return made;
}

/** Makes a live view of the record at `byteOffset`. @throws ValueError VALUE_TYPE, INDEX_RANGE */
export function makeView(layout: Layout, buffer: BufferSource, byteOffset?: number): object {
  const whole = dataViewOf(layout.name, buffer, 0, 0);
  const at = byteOffset ?? 0;
  checkRange(layout.name, at, layout.size, whole.byteLength);
  return Object.seal(new (rootClass(layout))(whole, at, layout.name));
}
