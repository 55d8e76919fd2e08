// Constructors of plain objects, one per struct. HOT: bench/run.ts, row "readInto": object literals with the same keys share
// what V8 knows of their fields, and the definition itself is such a literal, with objects in every field. A number stored
// into a field known to hold anything is boxed; a constructor of its own keeps a record's number fields unboxed.
import { literal } from './emit-text.ts';
import { evaluate } from './evaluate.ts';

/** Makes a plain object of values in the order of the keys. */
export type RecordMaker = new (...values: unknown[]) => Record<string, unknown>;

const MAKERS = new WeakMap<object, RecordMaker>();

/** Makes objects without generated code; slower, the same in every other way. */
function plainMaker(keys: readonly string[]): RecordMaker {
  return function PlainRecord(...values: unknown[]) {
    return Object.fromEntries(keys.map((key, i) => [key, values[i]]));
  } as unknown as RecordMaker;
}

function generatedMaker(keys: readonly string[]): RecordMaker | undefined {
  const names = keys.map((_, i) => `v${i}`);
  const assignments = keys.map((key, i) => `this[${literal(key)}] = v${i};`);
  // The prototype is that of any object literal, so that nobody can tell the difference.
  return evaluate(
    { prototype: Object.prototype },
    `function Record(${names.join(', ')}) { ${assignments.join(' ')} }
     Record.prototype = prototype;
     return Record;`,
  );
}

/** Tells whether an assignment makes an own property: not if Object.prototype has a setter or a frozen property of that name. */
function isAssignable(key: string): boolean {
  const inherited = Object.getOwnPropertyDescriptor(Object.prototype, key);
  return inherited === undefined || inherited.writable === true;
}

/** Gives the constructor for the objects of `shape`, whose keys are always the same. */
export function makerOf(shape: object, keys: readonly string[]): RecordMaker {
  let maker = MAKERS.get(shape);
  if (maker === undefined)
    MAKERS.set(
      shape,
      (maker = (keys.every(isAssignable) ? generatedMaker(keys) : undefined) ?? plainMaker(keys)),
    );
  return maker;
}
