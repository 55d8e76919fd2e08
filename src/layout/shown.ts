// What memory shows of itself where some of its bytes mean nothing: each value that decodes, and a stand-in for each that does not.
import { capacityOf, checkLength } from './lengths.ts';
import { lengthFieldOf, type Shape, type StructShape, type UnionShape } from './shape.ts';
import type { ValueCodec } from './value-codec.ts';

/** The method that `util.inspect` calls. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;
type Inspect = (value: unknown, options: object) => string;

/** Where a value lies, and how the values of its shape are read. */
export interface Place {
  readonly shape: Shape;
  readonly view: DataView;
  readonly at: number;
  readonly codecOf: (shape: Shape) => ValueCodec;
}
/** Gives what stands for a value that does not decode; undefined leaves it out. */
type StandIn = (error: unknown) => unknown;

const orStandIn = (read: () => unknown, standIn: StandIn): unknown => {
  try {
    return read();
  } catch (error) {
    return standIn(error);
  }
};

function elementsShown(place: Place, of: Shape, count: number, standIn: StandIn): unknown[] {
  const { at } = place;
  return Array.from({ length: count }, (_, i) =>
    shown({ ...place, shape: of, at: at + i * of.size }, standIn),
  );
}

function recordShown(place: Place, { fields }: StructShape | UnionShape, standIn: StandIn): object {
  const { view, at, codecOf } = place;
  const entries: [string, unknown][] = [];
  for (const { name, shape, offset } of fields) {
    if (shape.kind === 'pad') continue;
    const member = { ...place, shape, at: at + offset };
    const sibling = fields.find((field) => field.name === lengthFieldOf(shape));
    const value =
      sibling === undefined
        ? shown(member, standIn)
        : orStandIn(() => {
            const stored = codecOf(sibling.shape).read(view, at + sibling.offset) as number | bigint;
            return countedShown(member, checkLength(stored, capacityOf(shape), sibling.name), standIn);
          }, standIn);
    if (value !== undefined) entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

/** Gives the first `count` elements of a text, byte string or array. */
export function countedShown(place: Place, count: number, standIn: StandIn): unknown {
  const { shape, view, at, codecOf } = place;
  return shape.kind === 'array' && shape.of.kind !== 'number'
    ? elementsShown(place, shape.of, count, standIn)
    : codecOf(shape).counted?.read(view, at, count);
}

/** Gives a plain copy of the value at a place. */
export function shown(place: Place, standIn: StandIn): unknown {
  const { shape, view, at, codecOf } = place;
  if (shape.kind === 'struct' || shape.kind === 'union') return recordShown(place, shape, standIn);
  if (shape.kind === 'array' && shape.of.kind !== 'number')
    return elementsShown(place, shape.of, shape.length, standIn);
  return orStandIn(() => codecOf(shape).read(view, at), standIn);
}

/** Leaves a value out. */
export const leftOut: StandIn = () => undefined;

/** Says in angle brackets why a value cannot be shown. */
export const marked: StandIn = (error) => ({
  [INSPECT]: () => `<${error instanceof Error ? error.message : 'unreadable'}>`,
});

/** Does what `util.inspect` asks of its method. */
export const inspected = (value: unknown, options: object, inspect: Inspect | undefined): unknown =>
  inspect === undefined ? value : inspect(value, options);
