// Keys of maps: which types may be one, and how a key becomes bytes. Equal keys have equal bytes and the other way round, so a
// key is compared as it is stored.
import { LayoutError } from '../errors.ts';
import type { Abi } from './abi.ts';
import { asValueError, Fault } from './fault.ts';
import { shapeOn, type NumberCode, type Shape } from './shape.ts';
import type { AnyType } from './types.ts';
import { codecOfShape } from './value-codec.ts';

/** Moves keys of one type. Callers bound the range. */
export interface KeyCodec {
  /**
   * Statements that store `key` in the 32-bit words `sought` and set `isStored`, for the keys that most programs have; any other
   * key leaves `isStored` as it is. Undefined where there is no quicker way than `tryWrite`.
   */
  readonly quickly: string | undefined;
  /** Bytes. */
  readonly size: number;
  /** @throws ValueError VALUE_RANGE for a stored length beyond the key */
  read(view: DataView, at: number): unknown;
  /** Writes every byte of the key. @throws ValueError */
  write(view: DataView, at: number, key: unknown): void;
  /** Does the same, but gives false for a key of the right type that the bytes cannot hold. @throws ValueError VALUE_TYPE */
  tryWrite(view: DataView, at: number, key: unknown): boolean;
}

/** Says why values of this shape cannot be keys; undefined if they can. */
function unfit(shape: Shape): string | undefined {
  if (shape.kind === 'number')
    return shape.code === 'f32' || shape.code === 'f64' ? 'a float is no exact key' : undefined;
  if (shape.kind !== 'text') return `it is of kind ${shape.kind}`;
  if (shape.ending === 'sibling') return 'it has no sibling that could hold its length';
  return shape.truncate || shape.replace ? 'texts that differ would be one key' : undefined;
}

/** Gives the codec of a key type; `name` is that of the map's records. @throws LayoutError LAYOUT_FIELD_INVALID */
export function keyCodecOf(type: AnyType, abi: Abi, name: string): KeyCodec {
  const shape = shapeOn(type, abi);
  const fact = unfit(shape);
  if (fact !== undefined) {
    throw new LayoutError(
      'LAYOUT_FIELD_INVALID',
      `cannot use the key type of ${name}: ${fact}, expected a text that is stored whole, or an integer`,
    );
  }
  const { read, write } = codecOfShape(shape);
  const what = `a key of ${name}`;
  return {
    quickly: quickText(shape),
    size: shape.size,
    read(view, at) {
      try {
        return read(view, at);
      } catch (error) {
        throw asValueError(error, 'read', what);
      }
    },
    write(view, at, key) {
      try {
        write(view, at, key);
      } catch (error) {
        throw asValueError(error, 'write', what);
      }
    },
    tryWrite(view, at, key) {
      try {
        write(view, at, key);
        return true;
      } catch (error) {
        if (error instanceof Fault && error.code !== 'VALUE_TYPE') return false;
        throw asValueError(error, 'read', what);
      }
    },
  };
}

const WORD = 4;
const RANGES: Readonly<Partial<Record<NumberCode, readonly [low: number, high: number]>>> = {
  u8: [0, 0xff],
  i8: [-0x80, 0x7f],
  u16: [0, 0xffff],
  i16: [-0x8000, 0x7fff],
  u32: [0, 0xffff_ffff],
  i32: [-0x8000_0000, 0x7fff_ffff],
};

/** HOT: a key is stored at every call (bench/run.ts, "map"). */
function quickText(shape: Shape): string | undefined {
  if (shape.kind === 'number') {
    const range = shape.bigEndian || shape.wide ? undefined : RANGES[shape.code];
    if (range === undefined) return undefined;
    const isWhole = shape.code === 'u32' ? '(key >>> 0) === key' : '(key | 0) === key';
    const mask = shape.size === WORD ? '| 0' : `& ${2 ** (8 * shape.size) - 1}`;
    return `if (typeof key === "number" && ${isWhole} && key >= ${range[0]} && key <= ${range[1]}) { sought[0] = key ${mask}; isStored = true; }`;
  }
  if (shape.kind !== 'text' || shape.ending === 'counted') return undefined;
  if (shape.encoding.unit !== 1 || !shape.encoding.ascii) return undefined;
  const limit = shape.ending === 'terminated' ? shape.units - 1 : shape.units;
  const words = Math.ceil(shape.size / WORD);
  // Plain ASCII is stored as it is. Another character, or a NUL, sets a bit of `odd` above the seventh.
  return `if (typeof key === "string" && key.length <= ${limit}) {
  const length = key.length;
  let odd = 0, i = 0, w = 0;
  for (; i + 4 <= length; i += 4) {
    const a = key.charCodeAt(i), b = key.charCodeAt(i + 1), c = key.charCodeAt(i + 2), d = key.charCodeAt(i + 3);
    odd |= a | b | c | d | (a - 1) | (b - 1) | (c - 1) | (d - 1);
    sought[w++] = a | b << 8 | c << 16 | d << 24;
  }
  if (i < length) {
    let last = 0;
    for (let shift = 0; i < length; i++, shift += 8) {
      const a = key.charCodeAt(i);
      odd |= a | (a - 1);
      last |= a << shift;
    }
    sought[w++] = last;
  }
  while (w < ${words}) sought[w++] = 0;
  isStored = (odd & ~0x7f) === 0;
}`;
}
