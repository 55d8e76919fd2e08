// The map of the race tests: keys below KEPT are there all the time, those from MOVING on come and go. Every record has its key in
// it, and the same value in all other fields, so that a record of another key, or of two writes, is seen.
import { f64, type MapWriter, struct, u32 } from '../../src/index.ts';

export const KEPT = 16;
export const MOVING = 1000;
export const MOVING_KEYS = 64;
/** More than KEPT and a few moving keys: slots and words of the index are used again all the time. */
export const CAPACITY = 40;
/** Keys from here on are there after a race, not in it. */
export const NEW = 5000;
/** A key that nobody deletes and everybody adds to. */
export const COUNTER = 999;

export const Marked = struct('Marked', { key: f64, a: f64, b: f64, c: f64, d: f64 });
export const definition = { key: u32, layout: Marked };
export type Marked = ReturnType<typeof Marked.zero>;

export const marked = (key: number, value: number): Marked => ({
  key,
  a: value,
  b: value,
  c: value,
  d: value,
});
export const isWhole = (key: number, record: Marked): boolean =>
  record.key === key && record.a === record.b && record.a === record.c && record.a === record.d;

/** Puts in what is there all the time. */
export function fillMap(map: MapWriter<typeof definition.key, typeof definition.layout>): void {
  for (let key = 0; key < KEPT; key++) map.set(key, marked(key, 0));
  map.set(COUNTER, marked(COUNTER, 0));
}

/** Requires that the map agrees with itself and takes exactly as many keys as it has room for; it is full afterwards. Nobody else may write. */
export function requireSound(map: MapWriter<typeof definition.key, typeof definition.layout>): void {
  const require = (holds: boolean, what: string): void => {
    if (!holds) throw new Error(`the map is not sound: ${what}`);
  };
  const entries = [...map];
  require(new Set(entries.map(([key]) => key)).size === entries.length, 'a key is there twice');
  for (const [key, record] of entries) require(isWhole(key, record), `the record of ${key}`);
  for (let key = 0; key < KEPT; key++) require(map.has(key), `key ${key} is not found`);
  // The next change finishes what a dead writer began.
  for (const [key] of entries) {
    require(map.has(key), `key ${key} is not found`);
    if (key >= MOVING) require(map.delete(key), `key ${key} is not deleted`);
  }
  const room = CAPACITY - KEPT - 1;
  for (let i = 0; i < room; i++) map.set(NEW + i, marked(NEW + i, i));
  require(map.size === CAPACITY, `size ${map.size}, expected ${CAPACITY}`);
  let code: unknown;
  try {
    map.set(NEW + room, marked(NEW + room, 0));
  } catch (error) {
    code = (error as { code?: unknown }).code;
  }
  require(code === 'STORE_FULL', `one key too many gives ${String(code)}, expected STORE_FULL`);
  require([...map.keys()].length === CAPACITY, 'not all keys are there');
}
