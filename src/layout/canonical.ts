// Makes a layout of a canonical text, and finds where two layouts differ. The text comes from a segment that anybody may have
// written: every word is checked, the work is bounded by the length of the text, and what is not exactly a canonical layout is
// refused.
import { LayoutError } from '../errors.ts';
import { HOST_ABI } from './abi.ts';
import { canonicalText, canonicalType } from './canonical-text.ts';
import { array, bits, bytes, enumOf, pad } from './composites.ts';
import * as numbers from './numbers.ts';
import { sizedUnion, struct } from './struct.ts';
import { textOf } from './text-types.ts';
import { MAX_DEPTH, shapeOn, type PlacedField, type Shape, type TextEnding } from './shape.ts';
import { typeText } from './describe.ts';
import { pathStep } from './fault.ts';
import type { AnyType, Fields, IntegerBase, Layout } from './types.ts';

const MAX_TEXT = 2 ** 22;

const WORDS: ReadonlyMap<string, AnyType> = new Map<string, AnyType>([
  ['u8', numbers.u8],
  ['i8', numbers.i8],
  ['u16', numbers.u16],
  ['i16', numbers.i16],
  ['u32', numbers.u32],
  ['i32', numbers.i32],
  ['u64', numbers.u64],
  ['i64', numbers.i64],
  ['f32', numbers.f32],
  ['f64', numbers.f64],
  ['bool8', numbers.bool],
  ['bool32', numbers.bool32],
  ['ones8', numbers.byteBool],
  ['ones16', numbers.wordBool],
  ['ones32', numbers.longBool],
  ['filetime', numbers.filetime],
  ['tDateTime', numbers.tDateTime],
  ['unixMs', numbers.unixMs],
]);

const INTEGER = /^(?:0|-?[1-9]\d{0,19})$/;

function fail(fact: string): never {
  throw new LayoutError('LAYOUT_FIELD_INVALID', `cannot read a canonical layout: ${fact}`);
}

function list(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : fail(`expected a list of ${what}`);
}

function string(value: unknown, what: string): string {
  return typeof value === 'string' ? value : fail(`expected ${what} as text`);
}

function count(value: unknown, what: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : fail(`expected ${what} as a count`);
}

export { canonicalText };

/** Collects named entries without letting a name reach a prototype, and refuses a name that comes twice. */
function named<T>(entries: readonly unknown[], read: (entry: readonly unknown[]) => T): Record<string, T> {
  const fields = new Map<string, T>();
  for (const entry of entries) {
    const parts = list(entry, 'entries');
    const name = string(parts[0], 'a name');
    if (fields.has(name)) fail(`the name ${JSON.stringify(name)} comes twice`);
    fields.set(name, read(parts));
  }
  return Object.fromEntries(fields);
}

function word(text: string): AnyType {
  const bigEndian = text.endsWith('be');
  const type = WORDS.get(bigEndian ? text.slice(0, -2) : text);
  if (type === undefined) fail(`no type is called ${JSON.stringify(text.slice(0, 40))}`);
  return bigEndian ? numbers.be(type) : type;
}

function typeOf(value: unknown, depth: number): AnyType {
  if (typeof value === 'string') return word(value);
  if (depth > MAX_DEPTH) fail(`it is nested deeper than ${MAX_DEPTH}`);
  const [kind, ...rest] = list(value, 'a type');
  switch (kind) {
    case 'struct':
      return structOf('part', rest, depth);
    case 'union':
      return unionOf(rest, depth);
    case 'array':
      return array(typeOf(rest[1], depth + 1), count(rest[0], 'a length'), sibling(rest[2]));
    case 'bytes':
      return bytes(count(rest[0], 'a size'), sibling(rest[1]));
    case 'bits':
      return bits(
        word(string(rest[0], 'a unit')) as IntegerBase,
        named(list(rest[1], 'members'), (entry) => count(entry[1], 'a width')),
      );
    case 'enum':
      // Whether unknown values are allowed is no property of the memory; a tool must be able to show them.
      return enumOf(
        word(string(rest[0], 'a base')) as IntegerBase,
        named(list(rest[1], 'members'), (entry) => enumValue(entry[1])),
        { open: true },
      );
    default:
      return textOf(string(kind, 'a kind'), count(rest[0], 'a length'), ...endingOf(rest[1]));
  }
}

function sibling(value: unknown): { readonly length?: string } {
  return value === undefined ? {} : { length: string(value, 'a sibling') };
}

function endingOf(value: unknown): readonly [TextEnding, string | undefined] {
  if (Array.isArray(value) && value[0] === 'sibling') return ['sibling', string(value[1], 'a sibling')];
  if (value === 'terminated' || value === 'full' || value === 'counted') return [value, undefined];
  return fail('a text does not say how it ends');
}

function enumValue(value: unknown): number {
  const text = string(value, 'a member');
  if (!INTEGER.test(text)) fail('the value of a member is no integer');
  const integer = BigInt(text);
  // enumOf takes bigints for every base and checks their range.
  return integer as unknown as number;
}

/** Padding is not listed in the text: what has no fields is made of it. */
const orPadding = (fields: Fields, size: number): Fields =>
  Object.keys(fields).length === 0 ? { reserved: pad(size) } : fields;

function structOf(name: string, rest: readonly unknown[], depth: number): Layout {
  const offsets = new Map<string, number>();
  const fields = named(list(rest[1], 'fields'), (entry) => {
    offsets.set(entry[0] as string, count(entry[1], 'an offset'));
    return typeOf(entry[2], depth + 1);
  });
  const size = count(rest[0], 'a size');
  return struct<Fields>(name, orPadding(fields, size), {
    size,
    offsets: Object.fromEntries(offsets),
    abi: HOST_ABI,
  });
}

function unionOf(rest: readonly unknown[], depth: number): AnyType {
  const members = named(list(rest[1], 'members'), (entry) => typeOf(entry[1], depth + 1));
  const size = count(rest[0], 'a size');
  return sizedUnion('part', orPadding(members, size), size);
}

/**
 * Makes a layout that reads the memory which `text` describes; its digest is that of the layout which gave the text.
 * @throws LayoutError LAYOUT_FIELD_INVALID, LAYOUT_TOO_LARGE
 */
export function layoutFromCanonical(text: string, name: string): Layout {
  if (typeof text !== 'string' || text.length > MAX_TEXT)
    fail(`expected a text of at most ${MAX_TEXT} characters`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new LayoutError('LAYOUT_FIELD_INVALID', 'cannot read a canonical layout: it is no JSON', {
      cause: error,
    });
  }
  const [kind, ...rest] = list(parsed, 'a struct');
  if (kind !== 'struct') fail('it is no struct');
  const layout = structOf(name, rest, 0);
  if (canonicalText(layout) !== text) fail('it is not in canonical form');
  return layout;
}

interface Difference {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

const typed = (shape: Shape): string => {
  const text = canonicalType(shape);
  return typeof text === 'string' ? text : typeText(shape);
};
const placed = ({ shape, offset }: PlacedField): string => `${typed(shape)} at byte ${offset}`;

function differenceOfFields(
  expected: readonly PlacedField[],
  found: readonly PlacedField[],
  path: string,
): Difference | undefined {
  const theirs = found.filter(({ shape }) => shape.kind !== 'pad');
  const ours = expected.filter(({ shape }) => shape.kind !== 'pad');
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    const field = ours[i];
    const other = theirs[i];
    if (field === undefined)
      return {
        path: path + pathStep((other as PlacedField).name),
        expected: 'no field',
        found: placed(other as PlacedField),
      };
    const here = path + pathStep(field.name);
    if (other === undefined) return { path: here, expected: placed(field), found: 'no field' };
    if (field.name !== other.name)
      return { path: here, expected: placed(field), found: `${other.name}, ${placed(other)}` };
    const deeper = differenceOfShapes(field.shape, other.shape, here);
    const moved = field.offset !== other.offset;
    if (moved || deeper?.path === here) return { path: here, expected: placed(field), found: placed(other) };
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

function differenceOfShapes(expected: Shape, found: Shape, path: string): Difference | undefined {
  if (JSON.stringify(canonicalType(expected)) === JSON.stringify(canonicalType(found))) return undefined;
  const whole = { path, expected: typed(expected), found: typed(found) };
  if (
    expected.kind === 'array' &&
    found.kind === 'array' &&
    expected.length === found.length &&
    expected.lengthField === found.lengthField
  ) {
    return differenceOfShapes(expected.of, found.of, `${path}[0]`) ?? whole;
  }
  const composite =
    (expected.kind === 'struct' && found.kind === 'struct') ||
    (expected.kind === 'union' && found.kind === 'union');
  if (!composite) return whole;
  const inside = differenceOfFields(expected.fields, found.fields, path);
  return inside ?? { path, expected: `${expected.size} bytes`, found: `${found.size} bytes` };
}

/** Says where two layouts first differ, for instance `field bid: expected f64 at byte 16, found f32 at byte 16`; an empty text if nowhere. */
export function firstDifference(expected: Layout, found: Layout): string {
  const difference = differenceOfShapes(shapeOn(expected, expected.abi), shapeOn(found, found.abi), '');
  if (difference === undefined) return '';
  const { path } = difference;
  const subject = path === '' ? 'size' : `field ${path.replace(/^\./, '')}`;
  return `${subject}: expected ${difference.expected}, found ${difference.found}`;
}
