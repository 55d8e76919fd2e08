// Whole records: the codec that stores use, generated where the engine allows it; and what a record of zeros reads as.
import { generateCodec, MAX_LEAVES } from './compile.ts';
import { makerOf } from './record-maker.ts';
import { referenceCodecOf, type RecordCodec } from './reference-codec.ts';
import { shapeOn, type Shape, type StructShape } from './shape.ts';
import type { Layout } from './types.ts';
import { codecOfShape } from './value-codec.ts';

export { referenceCodecOf, type RecordCodec };

const CODECS = new WeakMap<Layout, RecordCodec>();

/** Gives the fastest codec of a layout; the same one for the same layout. */
export function codecOf(layout: Layout): RecordCodec {
  let codec = CODECS.get(layout);
  if (codec === undefined) CODECS.set(layout, (codec = generateCodec(layout) ?? referenceCodecOf(layout)));
  return codec;
}

/** Tells whether all-zero bytes decode: false if some closed enum has no member 0. */
export function zeroDecodes(layout: Layout): boolean {
  return decodesZero(shapeOn(layout, layout.abi));
}

function decodesZero(shape: Shape): boolean {
  switch (shape.kind) {
    case 'enum':
      return shape.open || shape.members.some(({ value }) => Number(value) === 0);
    case 'array':
      return shape.lengthField !== undefined || decodesZero(shape.of);
    case 'struct':
      return shape.fields.every((field) => decodesZero(field.shape));
    default:
      return true;
  }
}

/** Makes the value that all-zero bytes read as; a closed enum without a 0 gives its first member. */
export function zeroOf(shape: Shape): unknown {
  switch (shape.kind) {
    case 'enum': {
      const member = shape.members.find(({ value }) => Number(value) === 0);
      if (member !== undefined) return member.name;
      return shape.open ? (shape.base.wide ? 0n : 0) : shape.members[0]?.name;
    }
    case 'array':
      return Array.from({ length: shape.lengthField === undefined ? shape.length : 0 }, () =>
        zeroOf(shape.of),
      );
    case 'struct':
      return zeroRecord(shape);
    default: {
      const codec = codecOfShape(shape);
      const zeros = new DataView(new ArrayBuffer(shape.size));
      const counted = 'lengthField' in shape && shape.lengthField !== undefined ? codec.counted : undefined;
      return counted === undefined ? codec.read(zeros, 0) : counted.read(zeros, 0, 0);
    }
  }
}

function zeroRecord(shape: StructShape): Record<string, unknown> {
  const valued = shape.fields.filter(({ shape: { kind } }) => kind !== 'pad');
  const keys = valued.map(({ name }) => name);
  // Beyond this a constructor's parameters, and generated code, are no gain.
  if (keys.length > MAX_LEAVES)
    return Object.fromEntries(valued.map(({ name, shape: part }) => [name, zeroOf(part)]));
  // Floats start as a fraction, so that the engine keeps their fields as doubles from the first object on.
  const isFloat = (part: Shape): boolean =>
    part.kind === 'number' && (part.code === 'f32' || part.code === 'f64');
  const values = valued.map(({ shape: part }) => (isFloat(part) ? 0.5 : zeroOf(part)));
  const record = new (makerOf(shape, keys))(...values);
  for (const { name, shape: part } of valued) if (isFloat(part)) record[name] = 0;
  return record;
}
