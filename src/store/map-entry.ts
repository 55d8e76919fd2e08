// What a slot of a map holds: an entry, which is a struct of the key and the record behind two words that only the map uses.
// The segment's layout text describes the entry, so that the digest covers the key type too.
//
//     0  present   u32   1 = the key is in the map; 0 = it was deleted, or the slot was never used
//     8  base      f64   added to the slot's generation, so that no key's generation goes back
//    16  key
//        record    aligned to 8 bytes
import { SegmentError } from '../errors.ts';
import { canonicalText, layoutFromCanonical } from '../layout/canonical.ts';
import { keyCodecOf, type KeyCodec } from '../layout/map-key.ts';
import { f64, u32 } from '../layout/numbers.ts';
import { struct } from '../layout/struct.ts';
import type { AnyLayout, AnyType } from '../layout/types.ts';
import { ENTRY_KEY_WORD } from '../sync/map-index.ts';

const WORD = 4;
const KEY_OFFSET = ENTRY_KEY_WORD * WORD;
const RECORD_ALIGNMENT = 8;

/** Key type and record layout of a map, with how their entries lie in memory. */
export interface MapEntry {
  readonly key: AnyType;
  readonly layout: AnyLayout;
  /** Of the whole entry. */
  readonly entry: AnyLayout;
  readonly keyCodec: KeyCodec;
  readonly keyWords: number;
  /** Bytes from the start of the entry. */
  readonly recordOffset: number;
}

/** Lays entries out. @throws {LayoutError} LAYOUT_FIELD_INVALID for a type that cannot be a key, LAYOUT_TOO_LARGE */
export function mapEntry(key: AnyType, layout: AnyLayout): MapEntry {
  const keyCodec = keyCodecOf(key, layout.abi, layout.name);
  const keyWords = Math.ceil(keyCodec.size / WORD);
  const recordOffset = KEY_OFFSET + Math.ceil(keyCodec.size / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
  const entry = struct(
    layout.name,
    { present: u32, base: f64, key, record: layout },
    { abi: layout.abi, offsets: { present: 0, base: 8, key: KEY_OFFSET, record: recordOffset } },
  );
  return { key, layout, entry, keyCodec, keyWords, recordOffset };
}

/** Finds key type and record layout in the entry layout that a segment brought. @throws {SegmentError} SEGMENT_FORMAT */
export function mapEntryOf(entry: AnyLayout, segment: string | undefined): MapEntry {
  const typeOf = (name: string): AnyType | undefined =>
    entry.fields.find((field) => field.name === name)?.type as AnyType | undefined;
  const key = typeOf('key');
  const record = typeOf('record');
  try {
    if (key !== undefined && record?.kind === 'struct') {
      const found = mapEntry(key, layoutFromCanonical(canonicalText(record as AnyLayout), entry.name));
      if (found.entry.digest === entry.digest) return found;
    }
  } catch (error) {
    throw damaged(segment, error);
  }
  throw damaged(segment);
}

const damaged = (segment: string | undefined, cause?: unknown): SegmentError =>
  new SegmentError('SEGMENT_FORMAT', 'cannot open map: its layout text does not describe entries of a map', {
    segment,
    cause,
  });
