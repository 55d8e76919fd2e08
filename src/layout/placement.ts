// Lays fields out by C's rules: each at the next multiple of its alignment, the whole rounded up to the largest of them.
// `pack` lowers alignments, pins move fields, members of a union share offset 0.
import { LayoutError } from '../errors.ts';
import type { Abi, Pack } from './abi.ts';
import { checkFieldName } from './names.ts';
import { NUMBER_ACCESS } from './number-access.ts';
import {
  depthAbove,
  insideOf,
  lengthFieldOf,
  MAX_SIZE,
  refuse,
  type NumberShape,
  type PlacedField,
  type Shape,
} from './shape.ts';
import type { AnyType } from './types.ts';

export interface Definition {
  readonly name: string;
  readonly fields: readonly (readonly [name: string, type: AnyType])[];
  readonly union: boolean;
  readonly pack: Pack | undefined;
  readonly size: number | undefined;
  readonly offsets: ReadonlyMap<string, number> | undefined;
}

export interface Placement {
  /** In memory order; those of a union in the definition's. */
  readonly fields: readonly PlacedField[];
  readonly depth: number;
  readonly size: number;
  readonly align: number;
}

const roundUp = (at: number, align: number): number => Math.ceil(at / align) * align;

/** Largest power of two, at most `align`, that divides `at`. */
function alignmentAt(at: number, align: number): number {
  let kept = align;
  while (at % kept !== 0) kept /= 2;
  return kept;
}

function checkSize(what: string, size: number): void {
  if (size > MAX_SIZE) {
    throw new LayoutError(
      'LAYOUT_TOO_LARGE',
      `cannot lay out ${what}: ${size} bytes, expected at most ${MAX_SIZE} bytes`,
    );
  }
}

/** Places the fields of a definition on one ABI. @throws LayoutError LAYOUT_FIELD_INVALID, LAYOUT_TOO_LARGE */
export function place(definition: Definition, abi: Abi): Placement {
  const { name: owner, union, pack, offsets } = definition;
  const fields: PlacedField[] = [];
  let at = 0;
  let end = 0;
  let align = 1;
  for (const [name, type] of definition.fields) {
    checkFieldName(owner, name);
    const inside = insideOf(type);
    if (inside === undefined) refuse(`${owner}.${name}`, 'it is no field type');
    const shape = inside.shapeOn(abi);
    const natural = Math.min(shape.align, pack ?? shape.align);
    const pin = offsets?.get(name);
    const offset = pin ?? (union ? 0 : roundUp(at, natural));
    const kept = alignmentAt(offset, natural);
    fields.push({ name, type: inside.typeOn?.(abi) ?? type, shape, offset, align: kept });
    at = offset + shape.size;
    end = Math.max(end, at);
    align = Math.max(align, kept);
    checkSize(owner, end);
  }
  if (fields.length === 0) refuse(owner, 'it needs at least one field');
  checkSiblings(owner, fields, union);
  if (!union) {
    fields.sort((a, b) => a.offset - b.offset);
    checkOverlap(owner, fields);
  }
  const size = totalSize(definition, end, roundUp(end, align));
  checkSize(owner, size);
  return Object.freeze({
    fields: Object.freeze(fields.map((field) => Object.freeze(withRoom(field, fields)))),
    size,
    align: alignmentAt(size, align),
    depth: depthAbove(
      owner,
      fields.map(({ shape }) => shape),
    ),
  });
}

function totalSize({ name, size, offsets }: Definition, end: number, natural: number): number {
  if (size === undefined) return natural;
  const fits = offsets === undefined ? size === natural : size >= end;
  if (!fits) refuse(name, `its size is ${offsets === undefined ? natural : end} bytes, expected ${size}`);
  return size;
}

/** Refuses overlap of fields that are in memory order. */
function checkOverlap(owner: string, fields: readonly PlacedField[]): void {
  for (let i = 1; i < fields.length; i++) {
    const before = fields[i - 1] as PlacedField;
    const field = fields[i] as PlacedField;
    const end = before.offset + before.shape.size;
    if (field.offset < end) {
      refuse(
        `${owner}.${field.name}`,
        `it starts at byte ${field.offset}, but ${before.name} ends at byte ${end}`,
      );
    }
  }
}

const isInteger = (shape: Shape): boolean =>
  shape.kind === 'number' && shape.code !== 'f32' && shape.code !== 'f64';

function checkSiblings(owner: string, fields: readonly PlacedField[], union: boolean): void {
  for (const { name, shape } of fields) {
    const sibling = lengthFieldOf(shape);
    if (sibling === undefined) continue;
    if (union) refuse(`${owner}.${name}`, 'a member of a union has no sibling to hold its length');
    const holder = fields.find((field) => field.name === sibling);
    if (holder === undefined || !isInteger(holder.shape)) {
      refuse(
        `${owner}.${name}`,
        `its length must be in an integer field beside it, found ${JSON.stringify(sibling)}`,
      );
    }
  }
}

/** Tells a text how many units its length field can count, where that is fewer than it has room for. */
function withRoom(field: PlacedField, fields: readonly PlacedField[]): PlacedField {
  const { shape } = field;
  if (shape.kind !== 'text' || shape.lengthField === undefined) return field;
  const holder = fields.find(({ name }) => name === shape.lengthField)?.shape as NumberShape;
  const countable = Number(NUMBER_ACCESS[holder.code].high);
  return countable >= shape.units ? field : { ...field, shape: Object.freeze({ ...shape, countable }) };
}
