// Constructors of plain objects, one per struct. HOT: bench/run.ts, row "readInto": object literals with the same keys share
// what V8 knows of their fields, and the definition itself is such a literal, with objects in every field. A number stored
// into a field known to hold anything is boxed; a constructor of its own keeps a record's number fields unboxed.
import { literal } from './emit-text.ts';
import { evaluate } from './evaluate.ts';

/** Makes a plain object of values in the order of the keys. */
export type RecordMaker = new (...values: unknown[]) => Record<string, unknown>;

const MAKERS = new WeakMap<object, RecordMaker>();

/** Makes an object of own properties, whatever Object.prototype has. */
const plainRecord = (keys: readonly string[], values: readonly unknown[]): Record<string, unknown> =>
  Object.fromEntries(keys.map((key, i) => [key, values[i]]));

/** Makes objects without generated code; slower, the same in every other way. */
function plainMaker(keys: readonly string[]): RecordMaker {
  return function PlainRecord(...values: unknown[]) {
    return plainRecord(keys, values);
  } as unknown as RecordMaker;
}

/**
 * Makes the constructor. An assignment makes an own property only while Object.prototype has none of that name: a setter there would be
 * called. The engine knows what Object.prototype has, so that looking costs nothing in optimised code.
 */
function generatedMaker(keys: readonly string[]): RecordMaker | undefined {
  const names = keys.map((_, i) => `v${i}`).join(', ');
  const inherited = keys.map((key) => `${literal(key)} in prototype`).join(' || ');
  const assignments = keys.map((key, i) => `this[${literal(key)}] = v${i};`).join(' ');
  // The prototype is that of any object literal, so that nobody can tell the difference.
  return evaluate(
    {
      prototype: Object.prototype,
      plain: (...values: unknown[]) => plainRecord(keys, values),
    },
    `function Record(${names}) { if (${inherited}) return plain(${names}); ${assignments} }
     Record.prototype = prototype;
     return Record;`,
  );
}

/** Gives the constructor for the objects of `shape`, whose keys are always the same. */
export function makerOf(shape: object, keys: readonly string[]): RecordMaker {
  let maker = MAKERS.get(shape);
  if (maker === undefined) {
    const plain = keys.length === 0 || keys.some((key) => key in Object.prototype);
    const fast = plain ? undefined : generatedMaker(keys);
    MAKERS.set(shape, (maker = fast ?? plainMaker(keys)));
  }
  return maker;
}
