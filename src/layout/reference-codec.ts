// The plain loop over whole records: what generated code must agree with, and what runs where it is forbidden.
import { asValueError, wrongType } from './fault.ts';
import { graft } from './graft.ts';
import { copyOut } from './memory.ts';
import { shapeOn } from './shape.ts';
import { putBack } from './trial.ts';
import type { Layout } from './types.ts';
import { codecOfShape } from './value-codec.ts';

/** Moves whole records between bytes and objects. Callers bound the range and hand in private memory for writes. */
export interface RecordCodec {
  /** Makes a fresh plain object of the record at `at`. @throws ValueError VALUE_RANGE on an unknown closed enum member or a stored length beyond its field */
  decode(view: DataView, at: number): Record<string, unknown>;
  /** Reads into `target` (made by `zero()` or `decode()`), reusing its nested objects and arrays, and returns it. On a throw the target is as it was. */
  decodeInto(view: DataView, at: number, target: object): object;
  /** Writes every byte of the record, padding as 0. @throws ValueError; the range may then be half written */
  encode(view: DataView, at: number, record: unknown): void;
  /** Writes the fields that the nested partial names. @throws ValueError; the range may then be half written */
  patch(view: DataView, at: number, patch: unknown): void;
  /** Does as `patch`, but on a throw nothing is written. */
  patchOrNothing(view: DataView, at: number, patch: unknown): void;
}

const REFERENCES = new WeakMap<Layout, RecordCodec>();

/** Gives the plain loop, which generated code is compared with. */
export function referenceCodecOf(layout: Layout): RecordCodec {
  let codec = REFERENCES.get(layout);
  if (codec === undefined) REFERENCES.set(layout, (codec = makeReference(layout)));
  return codec;
}

function makeReference(layout: Layout): RecordCodec {
  const { name } = layout;
  const codec = codecOfShape(shapeOn(layout, layout.abi));
  const decode = (view: DataView, at: number): Record<string, unknown> => {
    try {
      return codec.read(view, at) as Record<string, unknown>;
    } catch (error) {
      throw asValueError(error, 'read', name);
    }
  };
  const patch = (view: DataView, at: number, record: unknown): void => {
    try {
      codec.patch?.(view, at, record);
    } catch (error) {
      throw asValueError(error, 'write', name);
    }
  };
  return {
    decode,
    decodeInto(view, at, target) {
      try {
        if (typeof target !== 'object' || target === null) wrongType('a record to read into', target);
        return graft(target, codec.read(view, at)) as object;
      } catch (error) {
        throw asValueError(error, 'read', name);
      }
    },
    encode(view, at, record) {
      try {
        codec.write(view, at, record);
      } catch (error) {
        throw asValueError(error, 'write', name);
      }
    },
    patch,
    patchOrNothing(view, at, record) {
      patch(new DataView(new ArrayBuffer(layout.size)), 0, record);
      // A record that changes between two looks may be refused half-way at the second.
      const before = copyOut(view, at, layout.size);
      try {
        patch(view, at, record);
      } catch (error) {
        putBack(view, at, before);
        throw error;
      }
    },
  };
}
