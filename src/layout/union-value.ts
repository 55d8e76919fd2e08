// What a union reads as: an object of accessors over a private copy of its bytes. Each member decodes when it is read, and setting
// one changes what the others read as; so do the parts of members that are structs, arrays or bit fields.
import { asValueError, pathStep } from './fault.ts';
import { checkLength, mostIn } from './lengths.ts';
import { lengthFieldOf, type Shape, type StructShape, type UnionShape } from './shape.ts';
import { INSPECT, inspected, leftOut, marked, shown, type Place } from './shown.ts';
import type { ValueCodec } from './value-codec.ts';

type CodecOf = (shape: Shape) => ValueCodec;
type Bytes = DataView<ArrayBuffer>;

const BYTES = new WeakMap<object, { readonly shape: UnionShape; readonly bytes: Bytes }>();

/** Where the union, and each part of it, lies in the copy. */
const PLACES = new WeakMap<object, Place>();

/** What unions and their parts inherit: members whose bytes mean nothing are left out of JSON, and marked for `util.inspect`. */
const SHOWABLE: PropertyDescriptorMap = {
  toJSON: {
    value(this: object) {
      const place = PLACES.get(this);
      return place === undefined ? this : shown(place, leftOut);
    },
  },
  [INSPECT]: {
    value(
      this: object,
      _depth: number,
      options: object,
      inspect?: (value: unknown, options: object) => string,
    ) {
      const place = PLACES.get(this);
      return place === undefined ? this : inspected(shown(place, marked), options, inspect);
    },
  },
};
const ShowableObject: object = Object.create(Object.prototype, SHOWABLE) as object;

/** Makes accessors that share one copy of bytes. */
class LiveCopy {
  readonly #bytes: Bytes;
  readonly #codecOf: CodecOf;

  constructor(bytes: Bytes, codecOf: CodecOf) {
    this.#bytes = bytes;
    this.#codecOf = codecOf;
  }

  /** Defines `key` of `target` as the value of `shape` at `at`; `most` is the largest value of one that is a length. */
  #define(target: object, key: string | number, shape: Shape, at: number, path: string, most?: number): void {
    const codec = this.#codecOf(shape);
    const parts = this.#parts(shape, at, path);
    Object.defineProperty(target, key, {
      enumerable: true,
      get: () => parts ?? this.#act('read', path, (bytes) => codec.read(bytes, at)),
      set: (value: unknown) => {
        this.#act('write', path, (bytes) => {
          if (most !== undefined && (typeof value === 'number' || typeof value === 'bigint'))
            checkLength(value, most, String(key));
          codec.write(bytes, at, value);
        });
      },
    });
  }

  /** Does `work` on a copy of the bytes and keeps it only if that went well. */
  #act<R>(act: 'read' | 'write', path: string, work: (bytes: Bytes) => R): R {
    const bytes = act === 'read' ? this.#bytes : new DataView(this.#bytes.buffer.slice(0));
    try {
      const result = work(bytes);
      if (act === 'write') new Uint8Array(this.#bytes.buffer).set(new Uint8Array(bytes.buffer));
      return result;
    } catch (error) {
      throw asValueError(error, act, path);
    }
  }

  /** Makes the live object of a shape with parts; undefined for others. */
  #parts(shape: Shape, at: number, path: string): object | undefined {
    switch (shape.kind) {
      case 'struct':
      case 'union':
        return this.record(shape, at, path);
      case 'bits': {
        const codec = this.#codecOf(shape);
        const read = (bytes: Bytes): Record<string, unknown> =>
          codec.read(bytes, at) as Record<string, unknown>;
        const unit = this.#showable(Object.create(ShowableObject) as object, shape, at);
        for (const { name } of shape.members) {
          Object.defineProperty(unit, name, {
            enumerable: true,
            get: () => read(this.#bytes)[name],
            set: (value: unknown) => {
              this.#act('write', path, (bytes) =>
                codec.patch?.(bytes, at, { ...read(bytes), [name]: value }),
              );
            },
          });
        }
        return Object.preventExtensions(unit);
      }
      case 'array': {
        if (shape.lengthField !== undefined) return undefined;
        const list: unknown[] = this.#showable(Object.defineProperties([], SHOWABLE), shape, at);
        for (let i = 0; i < shape.length; i++)
          this.#define(list, i, shape.of, at + i * shape.of.size, path + pathStep(i));
        return Object.preventExtensions(list);
      }
      default:
        return undefined;
    }
  }

  #showable<T extends object>(made: T, shape: Shape, at: number): T {
    PLACES.set(made, { shape, view: this.#bytes, at, codecOf: this.#codecOf });
    return made;
  }

  record(shape: StructShape | UnionShape, at: number, path: string): object {
    const record = this.#showable(Object.create(ShowableObject) as object, shape, at);
    for (const { name, shape: member, offset } of shape.fields) {
      if (member.kind === 'pad') continue;
      if (lengthFieldOf(member) === undefined)
        this.#define(record, name, member, at + offset, path + pathStep(name), mostIn(name, shape.fields));
      else this.#defineCounted(record, name, shape, at, path);
    }
    return Object.preventExtensions(record);
  }

  /** Defines a member whose length is in a sibling: only the whole struct can tell where it ends. */
  #defineCounted(
    record: object,
    name: string,
    shape: StructShape | UnionShape,
    at: number,
    path: string,
  ): void {
    const codec = this.#codecOf(shape);
    Object.defineProperty(record, name, {
      enumerable: true,
      get: () => this.#act('read', path, (bytes) => (codec.read(bytes, at) as Record<string, unknown>)[name]),
      set: (value: unknown) => {
        this.#act('write', path, (bytes) => codec.patch?.(bytes, at, { [name]: value }));
      },
    });
  }
}

/** Makes the value over `bytes`, which it owns from now on. */
export function makeUnionValue(shape: UnionShape, bytes: Bytes, codecOf: CodecOf): object {
  const value = new LiveCopy(bytes, codecOf).record(shape, 0, shape.name);
  BYTES.set(value, { shape, bytes });
  return value;
}

/** Gives the bytes of a value that was read from a union of this size and these members, else undefined. */
export function unionBytes(value: unknown, shape: UnionShape): Uint8Array | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const held = BYTES.get(value);
  if (held === undefined || held.shape.size !== shape.size) return undefined;
  const same =
    held.shape === shape ||
    shape.fields.every(({ name, shape: member }) => member.kind === 'pad' || Object.hasOwn(value, name));
  return same ? new Uint8Array(held.bytes.buffer) : undefined;
}

/** Tells whether a value was read from a union. */
export function isUnionValue(value: unknown): boolean {
  return typeof value === 'object' && value !== null && BYTES.has(value);
}
