// The canonical text of a layout: what two sides must agree on, byte for byte, and nothing else. The digest covers it, a managed
// segment carries it, and a tool makes a layout of it that reads the same bytes. It is JSON of arrays:
//
//   struct   ["struct", size, [[name, offset, type], …]]     padding is not listed
//   union    ["union", size, [[name, type], …]]
//   array    ["array", length, type] or ["array", length, type, sibling]
//   bits     ["bits", unit, [[name, width], …]]              least significant first
//   enum     ["enum", base, [[name, "value"], …]]            ascending
//   text     [encoding, units, ending]                       ending: "terminated", "full", "counted" or ["sibling", name]
//   bytes    ["bytes", size] or ["bytes", size, sibling]
//   others   one word: "u8" … "f64", "bool8", "bool32", "ones8" …, "filetime", "tDateTime", "unixMs"; "be" behind it if big-endian
//
// A C long on linux64 is "i64" here, and a wchar is "utf-16" or "utf-32": spelling is not memory.
import { lengthFieldOf, shapeOn, type PlacedField, type Shape, type TextShape } from './shape.ts';
import type { Layout } from './types.ts';

type Canonical = string | readonly (string | number | Canonical)[];

const ordered = (word: string, bigEndian: boolean): string => (bigEndian ? `${word}be` : word);

function textCanonical(shape: TextShape): Canonical {
  const ending = shape.ending === 'sibling' ? ['sibling', shape.lengthField as string] : shape.ending;
  return [ordered(shape.encoding.name, shape.bigEndian), shape.units, ending];
}

const valued = (fields: readonly PlacedField[]): readonly PlacedField[] =>
  fields.filter(({ shape }) => shape.kind !== 'pad');

/** Gives the canonical form of one shape. */
export function canonicalType(shape: Exclude<Shape, { kind: 'pad' }> | Shape): Canonical {
  const sibling = lengthFieldOf(shape);
  const tail = sibling === undefined ? [] : [sibling];
  switch (shape.kind) {
    case 'number':
      return ordered(shape.code, shape.bigEndian);
    case 'boolean':
      return ordered(`${shape.allOnes ? 'ones' : 'bool'}${8 * shape.size}`, shape.bigEndian);
    case 'time':
      return ordered(shape.epoch, shape.bigEndian);
    case 'enum': {
      const members = shape.members.toSorted((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
      return ['enum', canonicalType(shape.base), members.map(({ name, value }) => [name, String(value)])];
    }
    case 'bits':
      return [
        'bits',
        ordered(`u${8 * shape.size}`, shape.base.bigEndian),
        shape.members.map(({ name, width }) => [name, width]),
      ];
    case 'text':
      return textCanonical(shape);
    case 'bytes':
      return ['bytes', shape.size, ...tail];
    case 'array':
      return ['array', shape.length, canonicalType(shape.of), ...tail];
    case 'struct':
      return [
        'struct',
        shape.size,
        valued(shape.fields).map(({ name, offset, shape: field }) => [name, offset, canonicalType(field)]),
      ];
    case 'union':
      return [
        'union',
        shape.size,
        valued(shape.fields).map(({ name, shape: field }) => [name, canonicalType(field)]),
      ];
    case 'pad':
      return ['pad', shape.size];
  }
}

const TEXTS = new WeakMap<Layout, string>();

/** Gives the canonical text of a layout, which its digest covers. */
export function canonicalText(layout: Layout): string {
  let text = TEXTS.get(layout);
  if (text === undefined)
    TEXTS.set(layout, (text = JSON.stringify(canonicalType(shapeOn(layout, layout.abi)))));
  return text;
}
