// Live accessor objects over a record's memory: no copy, each get reads, each set writes. One class per shape with accessors on
// its prototype; the memory and the place in it are private, so that a view can be sealed and still move.
import { capacityOf, checkLength } from './composite-codec.ts';
import { asValueError, pathStep } from './fault.ts';
import { checkRange, viewOf } from './memory.ts';
import { checker, loader, storer } from './number-access.ts';
import { bitValue, unsignedUnit } from './scalar-codec.ts';
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
import type { BufferSource, Layout } from './types.ts';
import { codecOfShape } from './value-codec.ts';

const INSPECT = Symbol.for('nodejs.util.inspect.custom');
type Inspect = (value: unknown, options: object) => string;

/** One part of a live record: a struct, union, array or bit field at a place in memory. */
class Part {
  #view: DataView;
  #at: number;
  readonly #path: string;
  /** Parts of this part that were asked for, with their offsets in it. */
  #parts: Map<string | number, readonly [part: Part, offset: number]> | undefined;

  constructor(view: DataView, at: number, path: string) {
    this.#view = view;
    this.#at = at;
    this.#path = path;
  }

  static place(part: Part): readonly [view: DataView, at: number] {
    return [part.#view, part.#at];
  }

  /** Moves a part and all its parts. */
  static move(part: Part, at: number): void {
    part.#at = at;
    for (const [inner, offset] of part.#parts?.values() ?? []) Part.move(inner, at + offset);
  }

  /** Reads the whole part, decoded. */
  static read(part: Part, shape: Shape): unknown {
    return part.#guard('read', '', () => codecOfShape(shape).read(part.#view, part.#at));
  }

  #guard<R>(act: 'read' | 'write', step: string, work: () => R): R {
    try {
      return work();
    } catch (error) {
      throw asValueError(error, act, this.#path + step);
    }
  }

  /** Gives a part of this part, the same one each time. */
  static inner(part: Part, key: string | number, shape: Shape, offset: number): Part {
    const parts = (part.#parts ??= new Map());
    const known = parts.get(key);
    if (known !== undefined) return known[0];
    const made = makePart(shape, part.#view, part.#at + offset, part.#path + pathStep(key));
    parts.set(key, [made, offset]);
    return made;
  }

  static get(part: Part, key: string | number, shape: Shape, offset: number): unknown {
    return part.#guard('read', pathStep(key), () => codecOfShape(shape).read(part.#view, part.#at + offset));
  }

  /** Writes one value; it is tried on private memory first, so that a refused one leaves the record as it was. */
  static set(part: Part, key: string | number, shape: Shape, offset: number, value: unknown): void {
    const codec = codecOfShape(shape);
    part.#guard('write', pathStep(key), () => {
      codec.write(new DataView(new ArrayBuffer(shape.size)), 0, value);
      codec.write(part.#view, part.#at + offset, value);
    });
  }

  static define(prototype: object, field: PlacedField, record: StructShape | UnionShape): void {
    const descriptor = Part.#descriptor(field, record);
    Object.defineProperty(prototype, field.name, { ...descriptor, enumerable: true, configurable: true });
  }

  static #descriptor(
    { name, shape, offset }: PlacedField,
    record: StructShape | UnionShape,
  ): PropertyDescriptor & ThisType<Part> {
    const length = lengthFieldOf(shape);
    const sibling = length === undefined ? undefined : record.fields.find((field) => field.name === length);
    if (isPart(shape)) {
      return {
        get() {
          return Part.inner(this, name, shape, offset);
        },
      };
    }
    if (sibling !== undefined) return Part.#counted(name, shape, offset, sibling);
    if (shape.kind === 'number') return Part.#number(name, shape, offset);
    return {
      get() {
        return Part.get(this, name, shape, offset);
      },
      set(value: unknown) {
        Part.set(this, name, shape, offset, value);
      },
    };
  }

  // HOT: no closure is made per access (bench/layout.ts, "view").
  static #number(name: string, shape: NumberShape, offset: number): PropertyDescriptor & ThisType<Part> {
    const load = loader(shape);
    const store = storer(shape);
    const check = checker(shape);
    return {
      get() {
        return load(this.#view, this.#at + offset);
      },
      set(value: unknown) {
        try {
          store(this.#view, this.#at + offset, check(value));
        } catch (error) {
          throw asValueError(error, 'write', this.#path + pathStep(name));
        }
      },
    };
  }

  /** A value whose length is in `sibling`: a set changes both. */
  static #counted(
    name: string,
    shape: Shape,
    offset: number,
    sibling: PlacedField,
  ): PropertyDescriptor & ThisType<Part> {
    const { counted } = codecOfShape(shape);
    const length = sibling.shape as NumberShape;
    const load = loader(length);
    const lengthCodec = codecOfShape(length);
    if (counted === undefined) throw new TypeError('a field with a sibling length has a counted codec');
    return {
      get() {
        return this.#guard('read', pathStep(name), () =>
          counted.read(
            this.#view,
            this.#at + offset,
            checkLength(load(this.#view, this.#at + sibling.offset), capacityOf(shape), sibling.name),
          ),
        );
      },
      set(value: unknown) {
        this.#guard('write', pathStep(name), () => {
          const count = counted.write(new DataView(new ArrayBuffer(shape.size)), 0, value);
          lengthCodec.write(this.#view, this.#at + sibling.offset, length.wide ? BigInt(count) : count);
          counted.write(this.#view, this.#at + offset, value);
        });
      },
    };
  }

  static defineBits(prototype: object, { base, members }: BitsShape): void {
    const unit = unsignedUnit(base);
    const load = loader(unit);
    const store = storer(unit);
    for (const { name, shift, width } of members) {
      const mask = (1n << BigInt(width)) - 1n;
      const by = BigInt(shift);
      const descriptor: PropertyDescriptor & ThisType<Part> = {
        enumerable: true,
        configurable: true,
        get() {
          const bits = (BigInt(load(this.#view, this.#at)) >> by) & mask;
          return base.wide ? bits : Number(bits);
        },
        set(value: unknown) {
          this.#guard('write', '', () => {
            const bits = bitValue(name, value, mask, base.wide) << by;
            const next = (BigInt(load(this.#view, this.#at)) & ~(mask << by)) | bits;
            store(this.#view, this.#at, unit.wide ? next : Number(next));
          });
        },
      };
      Object.defineProperty(prototype, name, descriptor);
    }
  }
}

const isPart = (shape: Shape): boolean =>
  shape.kind === 'struct' ||
  shape.kind === 'union' ||
  shape.kind === 'bits' ||
  (shape.kind === 'array' && shape.lengthField === undefined);

type PartClass = new (view: DataView, at: number, path: string) => Part;
const CLASSES = new WeakMap<Shape, PartClass>();

function showable(partClass: PartClass, shape: Shape): PartClass {
  Object.defineProperties(partClass.prototype, {
    toJSON: {
      value(this: Part) {
        return Part.read(this, shape);
      },
    },
    [INSPECT]: {
      value(this: Part, _depth: number, options: object, inspect?: Inspect) {
        const record = Part.read(this, shape);
        return inspect === undefined ? record : inspect(record, options);
      },
    },
  });
  return partClass;
}

function recordClass(shape: StructShape | UnionShape): PartClass {
  const made = class RecordView extends Part {};
  for (const field of shape.fields) if (field.shape.kind !== 'pad') Part.define(made.prototype, field, shape);
  return showable(made, shape);
}

function bitsClass(shape: BitsShape): PartClass {
  const made = class BitsView extends Part {};
  Part.defineBits(made.prototype, shape);
  return showable(made, shape);
}

function arrayClass(shape: ArrayShape): PartClass {
  const { of, length } = shape;
  const get = isPart(of)
    ? (part: Part, i: number): unknown => Part.inner(part, i, of, i * of.size)
    : (part: Part, i: number): unknown => Part.get(part, i, of, i * of.size);
  const made = class ArrayView extends Part {
    *[Symbol.iterator](): IterableIterator<unknown> {
      for (let i = 0; i < length; i++) yield get(this, i);
    }
  };
  Object.defineProperty(made.prototype, 'length', { value: length });
  for (let i = 0; i < length; i++) {
    Object.defineProperty(made.prototype, i, {
      enumerable: true,
      get(this: Part) {
        return get(this, i);
      },
      ...(isPart(of)
        ? {}
        : {
            set(this: Part, value: unknown) {
              Part.set(this, i, of, i * of.size, value);
            },
          }),
    });
  }
  return showable(made, shape);
}

function classOf(shape: Shape): PartClass {
  let made = CLASSES.get(shape);
  if (made === undefined) {
    made =
      shape.kind === 'array'
        ? arrayClass(shape)
        : shape.kind === 'bits'
          ? bitsClass(shape)
          : recordClass(shape as StructShape | UnionShape);
    CLASSES.set(shape, made);
  }
  return made;
}

function makePart(shape: Shape, view: DataView, at: number, path: string): Part {
  return Object.seal(new (classOf(shape))(view, at, path));
}

const ROOTS = new WeakMap<Layout, PartClass>();

/** Gives the class of a layout's own view: that of its shape, and `moveTo` unless a field has that name. */
function rootClass(layout: Layout): PartClass {
  let made = ROOTS.get(layout);
  if (made !== undefined) return made;
  const shape = shapeOn(layout, layout.abi);
  made = class extends classOf(shape) {};
  if (!Object.hasOwn(layout.offsets, 'moveTo')) {
    Object.defineProperty(made.prototype, 'moveTo', {
      value(this: Part, byteOffset: unknown) {
        const [view] = Part.place(this);
        checkRange(layout.name, byteOffset, layout.size, view.byteLength);
        Part.move(this, byteOffset);
        return this;
      },
    });
  }
  ROOTS.set(layout, made);
  return made;
}

/** Makes a live view of the record at `byteOffset`. @throws ValueError VALUE_TYPE, INDEX_RANGE */
export function makeView(layout: Layout, buffer: BufferSource, byteOffset?: number): object {
  const whole = viewOf(layout.name, buffer, 0, 0);
  const at = byteOffset ?? 0;
  checkRange(layout.name, at, layout.size, whole.byteLength);
  return Object.seal(new (rootClass(layout))(whole, at, layout.name));
}
