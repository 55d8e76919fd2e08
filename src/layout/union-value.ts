// What a union reads as: an object of accessors over a private copy of its bytes. Each member decodes when it is read, and
// setting one changes what the others read as.
import { asValueError } from './fault.ts';
import { pathStep } from './fault.ts';
import type { UnionShape } from './shape.ts';
import type { ValueCodec } from './value-codec.ts';

interface Member {
  readonly name: string;
  readonly codec: ValueCodec;
}

const BYTES = new WeakMap<object, { readonly size: number; readonly bytes: DataView<ArrayBuffer> }>();

/** Makes the value over `bytes`, which it owns from now on. */
export function makeUnionValue(
  shape: UnionShape,
  members: readonly Member[],
  bytes: DataView<ArrayBuffer>,
): object {
  const value = {};
  for (const { name, codec } of members) {
    Object.defineProperty(value, name, {
      enumerable: true,
      get() {
        try {
          return codec.read(bytes, 0);
        } catch (error) {
          throw asValueError(error, 'read', shape.name + pathStep(name));
        }
      },
      set(next: unknown) {
        const staged = new DataView(bytes.buffer.slice(0));
        try {
          codec.write(staged, 0, next);
        } catch (error) {
          throw asValueError(error, 'write', shape.name + pathStep(name));
        }
        new Uint8Array(bytes.buffer).set(new Uint8Array(staged.buffer));
      },
    });
  }
  BYTES.set(value, { size: shape.size, bytes });
  return Object.preventExtensions(value);
}

/** Gives the bytes of a value that was read from a union of this size and these members, else undefined. */
export function unionBytes(value: unknown, shape: UnionShape): Uint8Array | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const held = BYTES.get(value);
  if (held === undefined || held.size !== shape.size) return undefined;
  const same = shape.fields.every(
    ({ name, shape: member }) => member.kind === 'pad' || Object.hasOwn(value, name),
  );
  return same ? new Uint8Array(held.bytes.buffer) : undefined;
}

/** Tells whether a value was read from a union. */
export function isUnionValue(value: unknown): boolean {
  return typeof value === 'object' && value !== null && BYTES.has(value);
}
