// Keeps what a guard owns in a record out of the reach of writes: its words are left out of what callers give, and stay as they
// are in memory when fields around them are written.
import type { FoundField } from '../layout/field-path.ts';
import type { ByteRange } from '../layout/value-runs.ts';

export type Values = Record<string, unknown>;

const isObject = (value: unknown): value is Values => typeof value === 'object' && value !== null;

/** Gives the object along `steps` that has the last of them; undefined if there is none. */
function ownerOf(record: Values, steps: readonly (string | number)[]): Values | undefined {
  let owner: unknown = record;
  for (const step of steps.slice(0, -1)) owner = isObject(owner) ? owner[step] : undefined;
  return isObject(owner) ? owner : undefined;
}

/** The fields of one guard. */
export class GuardFields {
  /** Their bytes in the record. */
  readonly ranges: readonly ByteRange[];
  /** The steps to those that callers can leave out: through structs alone. */
  readonly #paths: readonly (readonly (string | number)[])[];

  constructor(fields: readonly FoundField[]) {
    this.ranges = fields.map(({ offset, shape }) => ({ from: offset, to: offset + shape.size }));
    this.#paths = fields.filter(({ inStructs }) => inStructs).map(({ steps }) => steps);
  }

  /** Copies what a caller gave, without the guard's fields. Inside arrays and unions they stay, and are ignored. */
  strip(record: object): Values {
    const fields: Values = { ...record };
    for (const steps of this.#paths) {
      let owner = fields;
      for (const step of steps.slice(0, -1)) {
        const inner = owner[step];
        if (!isObject(inner)) break;
        owner = owner[step] = { ...inner };
      }
      if (ownerOf(fields, steps) === owner) delete owner[steps.at(-1)!];
    }
    return fields;
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
