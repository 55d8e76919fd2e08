// Keys of maps: which types may be one, and how a key becomes bytes. Equal keys have equal bytes and the other way round, so a
// key is compared as it is stored.
import { LayoutError } from '../errors.ts';
import type { Abi } from './abi.ts';
import { asValueError, Fault } from './fault.ts';
import { shapeOn, type Shape } from './shape.ts';
import type { AnyType } from './types.ts';
import { codecOfShape } from './value-codec.ts';

/** Moves keys of one type. Callers bound the range. */
export interface KeyCodec {
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
