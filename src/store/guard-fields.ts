// Keeps what a guard owns in a record out of the reach of writes: its words are left out of what callers give, and stay as they
// are in memory when fields around them are written.
import type { FoundField } from '../layout/field-path.ts';
import { copyGiven } from '../layout/keys.ts';
import { shapeOn, type StructShape } from '../layout/shape.ts';
import type { AnyLayout } from '../layout/types.ts';
import type { ByteRange } from '../layout/value-runs.ts';

export type Values = Record<string, unknown>;

const isObject = (value: unknown): value is Values => typeof value === 'object' && value !== null;

/** Gives the object along `steps` that has the last of them; undefined if there is none. */
function ownerOf(record: Values, steps: Path): Values | undefined {
  let owner: unknown = record;
  for (const step of steps.slice(0, -1)) owner = isObject(owner) ? owner[step] : undefined;
  return isObject(owner) ? owner : undefined;
}

type Path = readonly (string | number)[];

/** Copies a record of `shape` without the fields at `paths`. */
function without(record: object, { fields }: StructShape, paths: readonly Path[]): Values {
  const valued = fields.filter(({ shape }) => shape.kind !== 'pad');
  const copy = copyGiven(
    record,
    valued.map(({ name }) => name),
  );
  for (const { name, shape } of valued) {
    const behind = paths.filter(([first]) => first === name).map(([, ...rest]) => rest);
    const value = copy[name];
    if (behind.some(({ length }) => length === 0)) delete copy[name];
    else if (behind.length > 0 && shape.kind === 'struct' && isObject(value))
      copy[name] = without(value, shape, behind);
  }
  return copy;
}

/** The fields of one guard. */
export class GuardFields {
  /** Their bytes in the record. */
  readonly ranges: readonly ByteRange[];
  readonly #record: StructShape;
  /** The steps to those that callers can leave out: through structs alone. */
  readonly #paths: readonly Path[];

  constructor(layout: AnyLayout, fields: readonly FoundField[]) {
    this.ranges = fields.map(({ offset, shape }) => ({ from: offset, to: offset + shape.size }));
    this.#record = shapeOn(layout, layout.abi) as StructShape;
    this.#paths = fields.filter(({ inStructs }) => inStructs).map(({ steps }) => steps);
  }

  /** Copies what a caller gave, without the guard's fields. Inside arrays and unions they stay, and are ignored. */
  strip(record: object): Values {
    return without(record, this.#record, this.#paths);
  }

  /** Gives the guard's fields of `record` the values that they have in `source`. */
  fill(record: Values, source: Values): void {
    for (const steps of this.#paths) {
      const [to, from] = [ownerOf(record, steps), ownerOf(source, steps)];
      const last = steps.at(-1)!;
      if (to !== undefined && from !== undefined) to[last] = from[last];
    }
  }
}
