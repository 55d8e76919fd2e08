// One part of a live record: a struct, union, array or bit field at a place in memory. The place is private, so that a part can be
// sealed and still move; the functions here are the only way to it.
import { asValueError, pathStep } from './fault.ts';
import { KeptText } from './kept-text.ts';
import type { EnumMember, NumberCode } from './shape.ts';
import type { ValueCodec } from './value-codec.ts';

/** A getter and a setter for the prototype of a view. */
export type Accessor = PropertyDescriptor & ThisType<Part>;
/** Reports a value that a quick check did not like. */
export type Refuse = (part: Part, value: unknown) => void;

const isNumber = (value: unknown): value is number => typeof value === 'number';

/** A part and how it is shown to the caller, which differs for long arrays only. */
interface Inner {
  readonly part: Part;
  readonly shown: object;
  readonly offset: number;
}

export class Part {
  #view: DataView;
  #at: number;
  readonly #path: string;
  /** Parts of this part that were asked for. */
  #parts: Map<string | number, Inner> | undefined;
  /** Long texts by their place in this part: undefined after the first read, kept from the second one on. */
  #texts: Map<number, KeptText | undefined> | undefined;

  constructor(view: DataView, at: number, path: string) {
    this.#view = view;
    this.#at = at;
    this.#path = path;
  }

  static viewOf(part: Part): DataView {
    return part.#view;
  }

  static atOf(part: Part): number {
    return part.#at;
  }

  static pathOf(part: Part): string {
    return part.#path;
  }

  static move(part: Part, at: number): void {
    part.#at = at;
    for (const { part: inner, offset } of part.#parts?.values() ?? []) Part.move(inner, at + offset);
  }

  static innerOf(part: Part, key: string | number, offset: number, make: MakePart): object {
    const parts = (part.#parts ??= new Map<string | number, Inner>());
    let inner = parts.get(key);
    if (inner === undefined) {
      inner = { ...make(part.#view, part.#at + offset, part.#path + pathStep(key)), offset };
      parts.set(key, inner);
    }
    return inner.shown;
  }

  // HOT: from here on, a pair for each kind of little-endian number, so that the engine sees the one DataView call in it, and the
  // place beside it (bench/rows/fields.ts).

  static readonly numbers: Readonly<Record<NumberCode, (at: number, refuse: Refuse) => Accessor>> = {
    u8: (at, refuse) => ({
      get() {
        return this.#view.getUint8(this.#at + at);
      },
      set(value: unknown) {
        if (!isNumber(value) || (value & 0xff) !== value) refuse(this, value);
        this.#view.setUint8(this.#at + at, value as number);
      },
    }),
    i8: (at, refuse) => ({
      get() {
        return this.#view.getInt8(this.#at + at);
      },
      set(value: unknown) {
        if (!isNumber(value) || (value << 24) >> 24 !== value) refuse(this, value);
        this.#view.setInt8(this.#at + at, value as number);
      },
    }),
    u16: (at, refuse) => ({
      get() {
        return this.#view.getUint16(this.#at + at, true);
      },
      set(value: unknown) {
        if (!isNumber(value) || (value & 0xffff) !== value) refuse(this, value);
        this.#view.setUint16(this.#at + at, value as number, true);
      },
    }),
    i16: (at, refuse) => ({
      get() {
        return this.#view.getInt16(this.#at + at, true);
      },
      set(value: unknown) {
        if (!isNumber(value) || (value << 16) >> 16 !== value) refuse(this, value);
        this.#view.setInt16(this.#at + at, value as number, true);
      },
    }),
    u32: (at, refuse) => ({
      get() {
        return this.#view.getUint32(this.#at + at, true);
      },
      set(value: unknown) {
        if (!isNumber(value) || value >>> 0 !== value) refuse(this, value);
        this.#view.setUint32(this.#at + at, value as number, true);
      },
    }),
    i32: (at, refuse) => ({
      get() {
        return this.#view.getInt32(this.#at + at, true);
      },
      set(value: unknown) {
        if (!isNumber(value) || (value | 0) !== value) refuse(this, value);
        this.#view.setInt32(this.#at + at, value as number, true);
      },
    }),
    u64: (at, refuse) => ({
      get() {
        return this.#view.getBigUint64(this.#at + at, true);
      },
      set(value: unknown) {
        if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) refuse(this, value);
        this.#view.setBigUint64(this.#at + at, value as bigint, true);
      },
    }),
    i64: (at, refuse) => ({
      get() {
        return this.#view.getBigInt64(this.#at + at, true);
      },
      set(value: unknown) {
        if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) refuse(this, value);
        this.#view.setBigInt64(this.#at + at, value as bigint, true);
      },
    }),
    f32: (at, refuse) => ({
      get() {
        return this.#view.getFloat32(this.#at + at, true);
      },
      set(value: unknown) {
        // A finite number that becomes infinite does not fit; the difference of infinities is no number.
        if (!isNumber(value) || (Math.fround(value) - Math.fround(value) !== 0 && value - value === 0))
          refuse(this, value);
        this.#view.setFloat32(this.#at + at, value as number, true);
      },
    }),
    f64: (at, refuse) => ({
      get() {
        return this.#view.getFloat64(this.#at + at, true);
      },
      set(value: unknown) {
        if (!isNumber(value)) refuse(this, value);
        this.#view.setFloat64(this.#at + at, value as number, true);
      },
    }),
  };

  /** A boolean of one byte. */
  static flag(at: number, stored: number, refuse: Refuse): Accessor {
    return {
      get() {
        return this.#view.getUint8(this.#at + at) !== 0;
      },
      set(value: unknown) {
        if (typeof value !== 'boolean') refuse(this, value);
        this.#view.setUint8(this.#at + at, value === true ? stored : 0);
      },
    };
  }

  /** An enum of one byte: its names by value, and what to do with a value that has none. */
  static byteNames(
    at: number,
    names: readonly (string | undefined)[],
    members: readonly EnumMember[],
    unknown: (part: Part, stored: number) => unknown,
    storedOf: (part: Part, value: unknown) => number,
  ): Accessor {
    // A few names are compared one by one, each a constant to the engine.
    const [a, b, c, d] = members;
    const [nameA, nameB, nameC, nameD] = [a?.name, b?.name, c?.name, d?.name];
    const [storedA, storedB, storedC, storedD] = [a, b, c, d].map((member) => Number(member?.value));
    return {
      get() {
        const stored = this.#view.getUint8(this.#at + at);
        return names[stored] ?? unknown(this, stored);
      },
      set(value: unknown) {
        const stored =
          value === undefined
            ? undefined
            : value === nameA
              ? storedA
              : value === nameB
                ? storedB
                : value === nameC
                  ? storedC
                  : value === nameD
                    ? storedD
                    : undefined;
        this.#view.setUint8(this.#at + at, stored ?? storedOf(this, value));
      },
    };
  }

  /** Anything that its codec reads and writes; a fault gets the part's path and `step`. */
  static coded(at: number, step: string, codec: Pick<ValueCodec, 'read' | 'write'>): Accessor {
    return {
      get() {
        try {
          return codec.read(this.#view, this.#at + at);
        } catch (error) {
          throw asValueError(error, 'read', this.#path + step);
        }
      },
      set(value: unknown) {
        try {
          codec.write(this.#view, this.#at + at, value);
        } catch (error) {
          throw asValueError(error, 'write', this.#path + step);
        }
      },
    };
  }

  /** A long text of `size` bytes, whose codec may be asked only once for the same bytes. */
  static longText(
    at: number,
    step: string,
    size: number,
    codec: Pick<ValueCodec, 'read' | 'write'>,
  ): Accessor {
    const { get, set } = Part.coded(at, step, codec);
    const { read } = codec;
    const keep = (texts: Map<number, KeptText | undefined>, part: Part): unknown => {
      // Most views are read once.
      if (texts.has(at)) texts.set(at, new KeptText(size));
      else texts.set(at, undefined);
      return get!.call(part);
    };
    return {
      get() {
        const texts = (this.#texts ??= new Map<number, KeptText | undefined>());
        const kept = texts.get(at);
        return kept === undefined ? keep(texts, this) : kept.read(this.#view, this.#at + at, read);
      },
      set: set!,
    };
  }
}

/** Makes a part at a place. */
export type MakePart = (
  view: DataView,
  at: number,
  path: string,
) => { readonly part: Part; readonly shown: object };

/** Gives the memory that a part looks at. */
export const { viewOf } = Part;
/** Gives the byte of that memory at which the part begins. */
export const { atOf } = Part;
/** Gives a part of a part, the same one each time. */
export const { innerOf } = Part;
/** Moves a part and all its parts. */
export const { move } = Part;

/** Does `work` for a part; a fault becomes an error that names the part and `step`. */
export function guarded<R>(part: Part, act: 'read' | 'write', step: string, work: () => R): R {
  try {
    return work();
  } catch (error) {
    throw asValueError(error, act, Part.pathOf(part) + step);
  }
}
