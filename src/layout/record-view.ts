// Live accessor objects over a record's memory: no copy, each get reads, each set writes. One class per shape, with accessors on its
// prototype; array elements are accessors too, except in long arrays, which are proxies.
import {
  lengthFieldOf,
  shapeOn,
  type ArrayShape,
  type BitsShape,
  type NumberShape,
  type PlacedField,
  type Shape,
  type StructShape,
  type UnionShape,
} from './shape.ts';
import { checkLength } from './composite-codec.ts';
import { Fault, pathStep } from './fault.ts';
import { loader } from './number-access.ts';
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
  shape.kind === 'struct' || shape.kind === 'union' || shape.kind === 'bits' || shape.kind === 'array';

/** An array and how many of its elements count. */
interface List {
  readonly shape: ArrayShape;
  lengthOf(part: Part): number;
}

/** Gives the list of an array; `lengthAt` is where its sibling length lies, in bytes from the array. */
function listOf(shape: ArrayShape, sibling?: PlacedField, lengthAt = 0): List {
  if (sibling === undefined) return { shape, lengthOf: () => shape.length };
  const load = loader(sibling.shape as NumberShape);
  return {
    shape,
    lengthOf: (part) =>
      guarded(part, 'read', '', () =>
        checkLength(load(viewOf(part), atOf(part) + lengthAt), shape.length, sibling.name),
      ),
  };
}

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
    const { name, offset } = field;
    const sibling = byName.get(lengthFieldOf(field.shape) ?? '');
    if (sibling === undefined) define(made, name, accessorOf(name, field.shape, offset));
    else if (field.shape.kind !== 'array') define(made, name, countedAccessor(field, sibling));
    else {
      const list = listOf(field.shape, sibling, sibling.offset - offset);
      const make = partMaker(arrayClass(list), list);
      define(made, name, {
        get() {
          return innerOf(this, name, offset, make);
        },
      });
    }
  }
  return made;
}

function bitsClass(shape: BitsShape): PartClass {
  const made = class BitsView extends Part {};
  for (const member of shape.members) define(made, member.name, bitAccessor(shape, member));
  return made;
}

/** Gives the accessor of an element; one beyond a stored length is not there. */
function elementOf({ shape: { of, length, lengthField }, lengthOf }: List, i: number): Accessor {
  const accessor = accessorOf(i, of, i * of.size);
  if (lengthField === undefined) return accessor;
  const { get, set } = accessor;
  return {
    get() {
      return i < lengthOf(this) ? (get?.call(this) as unknown) : undefined;
    },
    ...(set && {
      set(value: unknown) {
        const count = lengthOf(this);
        guarded(this, 'write', pathStep(i), () => {
          if (i >= count)
            throw new Fault(
              'VALUE_RANGE',
              `there are ${count} elements, expected up to ${length} by ${lengthField}`,
            );
        });
        set.call(this, value);
      },
    }),
  };
}

function arrayClass(list: List): PartClass {
  const { length } = list.shape;
  const made = class ArrayView extends Part {
    *[Symbol.iterator](): IterableIterator<unknown> {
      for (let i = 0; i < list.lengthOf(this); i++) yield (this as unknown as readonly unknown[])[i];
    }
  };
  Object.defineProperty(made.prototype, 'length', {
    get(this: Part) {
      return list.lengthOf(BEHIND.get(this) ?? this);
    },
  });
  if (length <= MAX_ACCESSORS) for (let i = 0; i < length; i++) define(made, i, elementOf(list, i));
  const codec = codecOfShape(list.shape);
  return showable(made, (part) => codec.counted?.read(viewOf(part), atOf(part), list.lengthOf(part)));
}

function showable(partClass: PartClass, readPart: (part: Part) => unknown): PartClass {
  const read = (shown: Part): unknown => {
    const part = BEHIND.get(shown) ?? shown;
    return guarded(part, 'read', '', () => readPart(part));
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
    if (shape.kind === 'array') made = arrayClass(listOf(shape));
    else {
      const plain = shape.kind === 'bits' ? bitsClass(shape) : recordClass(shape as StructShape | UnionShape);
      made = showable(plain, (part) => codecOfShape(shape).read(viewOf(part), atOf(part)));
    }
    CLASSES.set(shape, made);
  }
  return made;
}

/** Parts behind the proxies of long arrays: `util.inspect` calls its hook on the proxy. */
const BEHIND = new WeakMap<object, Part>();

const INDEX = /^(?:0|[1-9]\d*)$/;

/** Shows a long array: an index finds its element's accessor when it is asked for. */
function longArray(part: Part, list: List): object {
  const accessorAt = (key: string | symbol): Accessor | undefined =>
    typeof key === 'string' && INDEX.test(key) && Number(key) < list.shape.length
      ? elementOf(list, Number(key))
      : undefined;
  const elements = function* elements(): IterableIterator<unknown> {
    for (let i = 0; i < list.lengthOf(part); i++) yield elementOf(list, i).get?.call(part);
  };
  const shown = new Proxy(part, {
    get(target, key): unknown {
      const accessor = accessorAt(key);
      if (accessor !== undefined) return accessor.get?.call(target) as unknown;
      if (key === Symbol.iterator) return elements;
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

function partMaker(partClass: PartClass, list: List | undefined): MakePart {
  return (view, at, path) => {
    const part = Object.seal(new partClass(view, at, path));
    const isLong = list !== undefined && list.shape.length > MAX_ACCESSORS;
    return { part, shown: isLong ? longArray(part, list) : part };
  };
}

function maker(shape: Shape): MakePart {
  const list = shape.kind === 'array' ? listOf(shape) : undefined;
  let make: MakePart | undefined;
  return (view, at, path) => (make ??= partMaker(classOf(shape), list))(view, at, path);
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
  const whole = dataViewOf(layout.name, buffer, 0, layout.size);
  const at = byteOffset ?? 0;
  checkRange(layout.name, at, layout.size, whole.byteLength);
  return Object.seal(new (rootClass(layout))(whole, at, layout.name));
}
