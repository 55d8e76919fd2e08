// Finds what a draft changed: the nested partial of the fields whose value differs from before. Lengths that a changed text, byte
// string or array sets itself are left out while the caller has not touched them.
import { lengthFieldOf, shapeOn, type Shape, type StructShape } from './shape.ts';
import type { Layout } from './types.ts';
import { unionBytes } from './union-value.ts';

type Parts = Readonly<Record<string | number, unknown>>;

const isObject = (value: unknown): value is Parts => typeof value === 'object' && value !== null;

function sameElements(before: unknown, draft: unknown, same: (a: unknown, b: unknown) => boolean): boolean {
  if (!isObject(before) || !isObject(draft) || before['length'] !== draft['length']) return false;
  for (let i = 0; i < Number(before['length']); i++) if (!same(before[i], draft[i])) return false;
  return true;
}

/** Tells whether two values would be stored as the same bytes. Anything that cannot be stored counts as changed, and is refused later. */
export function same(shape: Shape, before: unknown, draft: unknown): boolean {
  switch (shape.kind) {
    case 'struct':
      return isObject(draft) && changesOf(shape, before as Parts, draft) === undefined;
    case 'array':
      return sameElements(before, draft, (a, b) => same(shape.of, a, b));
    case 'bytes':
      return draft instanceof Uint8Array && sameElements(before, draft, Object.is);
    case 'bits':
      return (
        isObject(draft) &&
        Object.keys(draft).length === shape.members.length &&
        shape.members.every(({ name }) => (before as Parts)[name] === draft[name])
      );
    case 'time':
      return draft instanceof Date && Object.is((before as Date).getTime(), draft.getTime());
    case 'union': {
      const [a, b] = [unionBytes(before, shape), unionBytes(draft, shape)];
      return a !== undefined && b !== undefined && sameElements(a, b, Object.is);
    }
    default:
      return Object.is(before, draft);
  }
}

function changesOf(
  { fields }: StructShape,
  before: Parts,
  draft: Parts,
): Record<string, unknown> | undefined {
  const changes: [string, unknown][] = [];
  const known = new Set<string>();
  for (const { name, shape } of fields) {
    if (shape.kind === 'pad') continue;
    known.add(name);
    const [old, next] = [before[name], draft[name]];
    if (shape.kind === 'struct' && isObject(next) && isObject(old)) {
      const inside = changesOf(shape, old, next);
      if (inside !== undefined) changes.push([name, inside]);
    } else if (!same(shape, old, next)) changes.push([name, next]);
  }
  for (const key in draft) if (!known.has(key)) changes.push([key, draft[key]]);
  // A changed length goes with what it measures, so that one that does not fit is refused.
  const changed = new Set(changes.map(([name]) => name));
  for (const { name, shape } of fields) {
    const sibling = lengthFieldOf(shape);
    if (sibling !== undefined && changed.has(sibling) && !changed.has(name))
      changes.push([name, draft[name]]);
  }
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}

/**
 * Gives the changes of `draft` against `before` as a patch for `RecordCodec.patch`; undefined if there are none. A field that the draft
 * lacks, or should not have, is in the patch, so that writing it fails with its name.
 */
export function changedFields(
  layout: Layout,
  before: object,
  draft: object,
): Record<string, unknown> | undefined {
  return changesOf(shapeOn(layout, layout.abi) as StructShape, before as Parts, draft as Parts);
}

const WITH_LENGTHS = new WeakMap<Layout, boolean>();

/** Tells whether some field of the layout holds another one's length, so that a whole draft may contradict itself. */
export function hasLengths(layout: Layout): boolean {
  let known = WITH_LENGTHS.get(layout);
  if (known === undefined) WITH_LENGTHS.set(layout, (known = holdsLengths(shapeOn(layout, layout.abi))));
  return known;
}

function holdsLengths(shape: Shape): boolean {
  if (shape.kind === 'array') return shape.lengthField !== undefined || holdsLengths(shape.of);
  if (shape.kind === 'struct') return shape.fields.some((field) => holdsLengths(field.shape));
  return lengthFieldOf(shape) !== undefined;
}
