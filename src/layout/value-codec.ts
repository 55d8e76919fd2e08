// The contract between one shape and the records that hold it, and the finding of the codec of a shape. These codecs are the
// plain loop: the reference that generated code is compared with, and what runs where code generation is forbidden.
import { arrayCodec, structCodec, unionCodec } from './composite-codec.ts';
import { bitsCodec, booleanCodec, bytesCodec, enumCodec, numberCodec, timeCodec } from './scalar-codec.ts';
import type { Shape } from './shape.ts';
import { textCodec } from './text-codec.ts';

/** Reads and writes one value at byte `at` of a DataView whose range the caller has bounded. */
export interface ValueCodec {
  /** @throws Fault VALUE_RANGE on an unknown closed enum member or a stored length beyond its field */
  read(view: DataView, at: number): unknown;
  /** Sets every byte of the value. @throws Fault; the value may then be half written */
  write(view: DataView, at: number, value: unknown): void;
  /** Writes a part: nested fields left out stay, and so do bits without a name. Absent: as `write`. */
  patch?(view: DataView, at: number, value: unknown): void;
  /** For values whose length a sibling holds. */
  counted?: {
    read(view: DataView, at: number, length: number): unknown;
    /** Gives the length written, in elements. */
    write(view: DataView, at: number, value: unknown): number;
  };
}

const CODECS = new WeakMap<Shape, ValueCodec>();

function make(shape: Shape): ValueCodec {
  switch (shape.kind) {
    case 'number':
      return numberCodec(shape);
    case 'boolean':
      return booleanCodec(shape);
    case 'enum':
      return enumCodec(shape);
    case 'bits':
      return bitsCodec(shape);
    case 'time':
      return timeCodec(shape);
    case 'text':
      return textCodec(shape);
    case 'bytes':
      return bytesCodec(shape);
    case 'array':
      return arrayCodec(shape, codecOfShape);
    case 'struct':
      return structCodec(shape, codecOfShape);
    case 'union':
      return unionCodec(shape, codecOfShape);
    case 'pad':
      throw new TypeError('padding has no codec');
  }
}

/** Gives the codec of a shape; the same one for the same shape. */
export function codecOfShape(shape: Shape): ValueCodec {
  let codec = CODECS.get(shape);
  if (codec === undefined) CODECS.set(shape, (codec = make(shape)));
  return codec;
}
