// The Layout object: one frozen description of a record with the calls that users make on it.
import type { Abi, Pack } from './abi.ts';
import { canonicalText } from './canonical-text.ts';
import { codecOf, type RecordCodec, zeroOf } from './codec.ts';
import { describe } from './describe.ts';
import { checkRange, lengthOf, viewOf } from './memory.ts';
import { makeView } from './record-view.ts';
import { sha256Hex } from './sha256.ts';
import { refuse, register, type StructShape, type TypeInside } from './shape.ts';
import type { BufferSource, Layout } from './types.ts';

const DIGEST_DIGITS = 32;

/** Makes the layout of a struct placed for the ABI `inside.home`. `on` lays the same definition out for another ABI. */
export function makeLayout(
  shape: StructShape,
  pack: Pack | undefined,
  inside: Omit<TypeInside, 'bigEndian'>,
  on: (abi: Abi) => Layout,
): Layout {
  const { name, size, align } = shape;
  const abi = inside.home;
  const valued = shape.fields.filter((field) => field.shape.kind !== 'pad');
  let digest: string | undefined;
  let codec: RecordCodec | undefined;
  /** Gives the byte of a DataView at which a record may begin. HOT: no second view is made (bench/rows/packages.ts, "decode"). */
  const placeIn = (view: DataView, byteOffset: unknown): number => {
    const at = byteOffset ?? 0;
    checkRange(name, at, size, lengthOf(view));
    return at;
  };
  const layout = {
    kind: 'struct',
    name,
    abi,
    pack,
    size,
    align,
    get digest(): string {
      return (digest ??= sha256Hex(canonicalText(layout)).slice(0, DIGEST_DIGITS));
    },
    fields: Object.freeze(
      shape.fields.map((field) =>
        Object.freeze({
          name: field.name,
          type: field.type,
          offset: field.offset,
          size: field.shape.size,
          align: field.align,
        }),
      ),
    ),
    offsets: Object.freeze(Object.fromEntries(valued.map((field) => [field.name, field.offset]))),
    decode(buffer: BufferSource, byteOffset?: number) {
      codec ??= codecOf(layout);
      if (buffer instanceof DataView) return codec.decode(buffer, placeIn(buffer, byteOffset));
      return codec.decode(viewOf(name, buffer, byteOffset, size), 0);
    },
    encode(record: unknown, buffer: BufferSource, byteOffset?: number): void {
      codec ??= codecOf(layout);
      if (buffer instanceof DataView) codec.patchOrNothing(buffer, placeIn(buffer, byteOffset), record);
      else codec.patchOrNothing(viewOf(name, buffer, byteOffset, size), 0, record);
    },
    view(buffer: BufferSource, byteOffset?: number) {
      return makeView(layout, buffer, byteOffset);
    },
    zero: () => zeroOf(shape),
    on,
    describe: () => describe(shape, abi, pack),
  } as unknown as Layout;
  Object.freeze(layout);
  return register(layout, {
    ...inside,
    bigEndian: () => refuse(name, 'a struct cannot be stored big-endian as a whole: swap its fields instead'),
  });
}
