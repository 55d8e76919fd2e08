// How a codec says what is wrong with a value: a Fault carries the fact, each level it passes adds its step of the path,
// and the outermost call turns it into the error that users see. No path is built while nothing is wrong.
import { ValueError, type ValueErrorCode } from '../errors.ts';

/** Carries one fact about a value up to the call that knows the record's name; never leaves `src/layout`. */
export class Fault extends Error {
  readonly code: ValueErrorCode;
  /** Path from the record to the value, for instance `.pos.x` or `.depth[3]`. */
  path = '';

  constructor(code: ValueErrorCode, fact: string) {
    super(fact);
    this.code = code;
  }
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** Spells one step of a path: `.name`, `["odd name"]` or `[3]`. */
export function pathStep(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  return IDENTIFIER.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}

/** Adds a step in front of the path of a fault that came from below; gives back any other error as it is. */
export function atStep(error: unknown, step: string | number): unknown {
  if (error instanceof Fault) error.path = pathStep(step) + error.path;
  return error;
}

/** Makes the public error of a fault that reached the outermost call; gives back any other error as it is. */
export function asValueError(
  error: unknown,
  act: 'read' | 'write' | 'add to' | 'measure',
  name: string,
): unknown {
  if (!(error instanceof Fault)) return error;
  return new ValueError(error.code, `cannot ${act} ${name}${error.path}: ${error.message}`);
}

const SHOWN_CHARACTERS = 40;

/** Spells a value for an error text, short and without running code of it. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? 'an array' : 'an object';
    default:
      return `a ${typeof value}`;
  }
}

/** Throws the fault of a value of the wrong type. */
export function wrongType(expected: string, value: unknown): never {
  throw new Fault('VALUE_TYPE', `expected ${expected}, found ${show(value)}`);
}
