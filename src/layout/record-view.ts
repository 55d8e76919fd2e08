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
import { checkLength, mostIn } from './lengths.ts';
import { Fault, pathStep } from './fault.ts';
import { loader } from './number-access.ts';
import { bytesOf, checkRange, viewOf as dataViewOf } from './memory.ts';
import { countedShown, INSPECT, inspected, leftOut, marked, shown, type Place } from './shown.ts';
import type { BufferSource, Layout } from './types.ts';
import { codecOfShape } from './value-codec.ts';
import { bitAccessor, countedAccessor, lengthAccessor, valueAccessor } from './view-accessors.ts';
import { atOf, guarded, innerOf, move, Part, viewOf, type Accessor, type MakePart } from './view-part.ts';

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
    const most = mostIn(name, shape.fields);
    if (most !== undefined) define(made, name, lengthAccessor(field, most));
    else if (sibling === undefined) define(made, name, accessorOf(name, field.shape, offset));
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

/** Gives what sets an element that is a part: it is written whole, and none of it if any of it is refused. */
function partSetter(shape: Shape, i: number): (this: Part, value: unknown) => void {
  return function setPart(value) {
    guarded(this, 'write', pathStep(i), () => {
      const codec = codecOfShape(shape);
      const image = new Uint8Array(shape.size);
      const other = typeof value === 'object' && value !== null ? (BEHIND.get(value) ?? value) : value;
      const isSame = other instanceof classOf(shape);
      codec.write(new DataView(image.buffer), 0, isSame ? codec.read(viewOf(other), atOf(other)) : value);
      bytesOf(viewOf(this), atOf(this) + i * shape.size, shape.size).set(image);
    });
  };
}

/** Gives the accessor of an element; one beyond a stored length is not there. */
function elementOf({ shape: { of, length, lengthField }, lengthOf }: List, i: number): Accessor {
  const member = accessorOf(i, of, i * of.size);
  const accessor = isPart(of) ? { ...member, set: partSetter(of, i) } : member;
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
  return showable(
    made,
    (part) => codec.counted?.read(viewOf(part), atOf(part), list.lengthOf(part)),
    (part) => countedShown(placeOf(part, list.shape), list.lengthOf(part), marked),
  );
}

const placeOf = (part: Part, shape: Shape): Place => ({
  shape,
  view: viewOf(part),
  at: atOf(part),
  codecOf: codecOfShape,
});

/** Lets a part be shown: `readPart` for JSON may throw, `showPart` for `util.inspect` may give a mark for the whole. */
function showable(
  partClass: PartClass,
  readPart: (part: Part) => unknown,
  showPart: (part: Part) => unknown,
): PartClass {
  const behind = (part: Part): Part => BEHIND.get(part) ?? part;
  Object.defineProperties(partClass.prototype, {
    toJSON: {
      value(this: Part) {
        const part = behind(this);
        return guarded(part, 'read', '', () => readPart(part));
      },
    },
    [INSPECT]: {
      value(
        this: Part,
        _depth: number,
        options: object,
        inspect?: (value: unknown, options: object) => string,
      ) {
        try {
          return inspected(showPart(behind(this)), options, inspect);
        } catch (error) {
          return inspected(marked(error), options, inspect);
        }
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
      made = showable(
        plain,
        (part) =>
          shape.kind === 'union'
            ? shown(placeOf(part, shape), leftOut)
            : codecOfShape(shape).read(viewOf(part), atOf(part)),
        (part) => shown(placeOf(part, shape), marked),
      );
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
