// The map of the deaths and what is done to it, on the side of the test and of the victim.
import { f64, type MapWriter, struct, u32 } from '../../src/index.ts';

export const definition = { key: u32, layout: struct('Number', { value: f64, twice: f64 }) };
export type Writer = MapWriter<typeof u32, typeof definition.layout>;

export const recordOf = (value: number) => ({ value, twice: 2 * value });

/** One call on a map: a key is set to a value, or deleted, or only read. */
export interface Act {
  readonly key: number;
  readonly value?: number;
  readonly reads?: true;
}
export function perform(map: Writer, { key, value, reads }: Act): void {
  if (reads) map.get(key);
  else if (value === undefined) map.delete(key);
  else map.set(key, recordOf(value));
}
