// Finds a field anywhere in a record by its path: names joined by dots, indexes in brackets (`head.seq`, `buffers[1].tick`).
import { shapeOn, type Shape } from './shape.ts';
import type { AnyLayout } from './types.ts';

/** A field at its place in the record. */
export interface FoundField {
  readonly path: string;
  /** Names and indexes from the record to the field; the first is a field of the record's own. */
  readonly steps: readonly [string, ...(string | number)[]];
  /** It lies in structs alone, in no array and no union. */
  readonly inStructs: boolean;
  /** Bytes from the start of the record. */
  readonly offset: number;
  readonly shape: Shape;
}

const INDEX = /^\[(0|[1-9]\d*)\]/;

/** Gives the field at `path`; undefined if there is none. A name that has dots or brackets of its own is found by its letters. */
export function findField(layout: AnyLayout, path: string): FoundField | undefined {
  const found = within(shapeOn(layout, layout.abi), path, 0);
  // A record is a struct: its first step is a name.
  return found && { ...found, path, steps: found.steps as FoundField['steps'] };
}

type Found = Omit<FoundField, 'path' | 'steps'> & { readonly steps: readonly (string | number)[] };

function within(record: Shape, path: string, at: number): Found | undefined {
  if (record.kind !== 'struct' && record.kind !== 'union') return undefined;
  const exact = record.fields.find(({ name }) => name === path);
  for (const { name, shape, offset } of exact === undefined ? record.fields : [exact]) {
    if (shape.kind === 'pad' || !path.startsWith(name)) continue;
    const found = behind(shape, path.slice(name.length), at + offset);
    if (found === undefined) continue;
    const inStructs = found.inStructs && record.kind === 'struct';
    return { ...found, inStructs, steps: [name, ...found.steps] };
  }
  return undefined;
}

function behind(shape: Shape, rest: string, at: number): Found | undefined {
  if (rest === '') return { steps: [], inStructs: true, offset: at, shape };
  if (rest.startsWith('.')) return within(shape, rest.slice(1), at);
  const [bracketed, digits] = INDEX.exec(rest) ?? [];
  if (bracketed === undefined || shape.kind !== 'array' || Number(digits) >= shape.length) return undefined;
  const index = Number(digits);
  const found = behind(shape.of, rest.slice(bracketed.length), at + index * shape.of.size);
  return found && { ...found, inStructs: false, steps: [index, ...found.steps] };
}
