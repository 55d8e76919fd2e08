// Text that writes the fields that a nested partial names. Every value is read once and checked before the first byte is stored, but
// for the values that their own codecs check and store in one go; `weight` tells how many of those a patch has.
import { atByte, Bindings, literal, MAX_ELEMENT_LEAVES, storeText } from './emit-text.ts';
import { unitOf } from './emit-read.ts';
import {
  COMPARED_NAMES,
  countedWriter,
  enumText,
  fastWriter,
  lengthsOf,
  orUndefined,
  refused,
} from './emit-write.ts';
import { evaluate } from './evaluate.ts';
import { Fault } from './fault.ts';
import { capacityOf } from './lengths.ts';
import { NUMBER_ACCESS } from './number-access.ts';
import { enumStorer } from './scalar-codec.ts';
import { lengthFieldOf, type NumberShape, type PlacedField, type Shape, type StructShape } from './shape.ts';
import { toStored } from './times.ts';
import { codecOfShape, type ValueCodec } from './value-codec.ts';

export interface PatchText {
  /** Reads and checks what `record` names into locals; on any doubt it returns what `slow` gives. */
  readonly stage: string;
  /** Stores what only its own codec can store; may throw a Fault. */
  readonly calls: string;
  /** Stores the rest; cannot throw. */
  readonly stores: string;
}

/** Kinds whose codec refuses a value before it stores a byte. */
const WHOLE: ReadonlySet<Shape['kind']> = new Set(['text', 'bytes', 'bits']);

class PatchEmitter {
  readonly #bindings: Bindings;
  readonly #slow: string;
  readonly #stage: string[] = [];
  readonly #calls: string[] = [];
  readonly #stores: string[] = [];
  readonly #shared = new Map<unknown, string>();
  #locals = 0;

  constructor(bindings: Bindings, slow: string) {
    this.#bindings = bindings;
    this.#slow = `return ${slow}(view, o, record);`;
  }

  #share(value: unknown): string {
    let name = this.#shared.get(value);
    if (name === undefined) this.#shared.set(value, (name = this.#bindings.add(value)));
    return name;
  }

  /** Reads the field into a local; `checks` are made if the patch names it. */
  #field({ name }: PlacedField, checks: (y: string) => readonly string[]): string {
    const y = `y${this.#locals++}`;
    this.#stage.push(`const ${y} = record[${literal(name)}];`);
    const lines = checks(y);
    this.#stage.push(`if (${y} !== undefined) {`, 'left--;', ...lines, '}');
    return y;
  }

  #refuseIf(condition: string): string {
    return `if (${condition}) ${this.#slow}`;
  }

  #scalar(field: PlacedField): void {
    const { shape, offset } = field;
    const store = (y: string, text: string): void =>
      void this.#stores.push(`if (${y} !== undefined) ${text}`);
    const derived = (text: (y: string) => string, unit: NumberShape): void => {
      const stored = `s${this.#locals++}`;
      this.#stage.push(`let ${stored};`);
      this.#field(field, (y) => [`${stored} = ${text(y)};`, this.#refuseIf(`${stored} === undefined`)]);
      const narrow = unit.wide && unit.size < 8;
      store(stored, storeText(unit, offset, narrow ? `${this.#share(Number)}(${stored})` : stored));
    };
    switch (shape.kind) {
      case 'number': {
        const y = this.#field(field, (value) => [this.#refuseIf(this.#refused(shape, value))]);
        const narrow = shape.wide && shape.size < 8;
        store(y, storeText(shape, offset, narrow ? `${this.#share(Number)}(${y})` : y));
        return;
      }
      case 'boolean': {
        const y = this.#field(field, (value) => [this.#refuseIf(`typeof ${value} !== "boolean"`)]);
        const stored = `${y} ? ${shape.allOnes ? 2 ** (8 * shape.size) - 1 : 1} : 0`;
        store(y, storeText(unitOf(shape), offset, stored));
        return;
      }
      case 'enum': {
        const compared = !shape.open && shape.members.length <= COMPARED_NAMES;
        const find = compared ? '' : this.#bindings.add(orUndefined(enumStorer(shape)));
        derived((y) => (compared ? enumText(shape.members, y) : `${find}(${y})`), shape.base);
        return;
      }
      case 'time': {
        const { epoch } = shape;
        const code = epoch === 'filetime' ? 'u64' : epoch === 'unixMs' ? 'i64' : 'f64';
        const find = this.#bindings.add(orUndefined((value: unknown) => toStored(epoch, value)));
        derived((y) => `${find}(${y})`, { ...shape, kind: 'number', code, wide: true });
        return;
      }
      default: {
        const y = this.#field(field, () => [`weight += ${WHOLE.has(shape.kind) ? 1 : 2};`]);
        this.#calls.push(
          `if (${y} !== undefined) ${this.#bindings.add(patcher(shape))}(view, ${atByte(offset)}, ${y});`,
        );
      }
    }
  }

  #refused(shape: NumberShape, y: string): string {
    const { wide, code } = shape;
    return refused(
      shape,
      y,
      wide ? this.#share(BigInt.asIntN) : '',
      wide ? this.#share(BigInt.asUintN) : '',
      code === 'f32' ? this.#share(Math.fround) : '',
    );
  }

  /** A length and the fields that it counts: it follows the ones that the patch names, or it is given and must agree. */
  #counted(length: PlacedField, counted: readonly PlacedField[]): void {
    const shape = length.shape as NumberShape;
    const given = this.#field(length, (y) => [
      this.#refuseIf(this.#refused(shape, y)),
      ...counted.map((field) => this.#refuseIf(`${y} < 0 || ${y} > ${capacityOf(field.shape)}`)),
    ]);
    const written = `n${this.#locals++}`;
    const high = Number(NUMBER_ACCESS[shape.code].high);
    this.#calls.push(`let ${written} = -1;`);
    for (const field of counted) {
      // A text or byte string that its length can count is refused before a byte is stored, unless a given length contradicts it.
      const whole = WHOLE.has(field.shape.kind) && capacityOf(field.shape) <= high;
      const weight = whole ? `${given} === undefined ? 1 : 2` : '2';
      const y = this.#field(field, () => [`weight += ${weight};`]);
      const write = this.#bindings.add(countedWriter(field.shape));
      this.#calls.push(
        `if (${y} !== undefined) {`,
        `const n = ${write}(view, ${atByte(field.offset)}, ${y});`,
        `if (${written} >= 0 && ${written} !== n) ${this.#slow}`,
        `${written} = n;`,
        '}',
      );
    }
    const asStored = (text: string): string =>
      shape.wide ? `${this.#share(shape.size === 8 ? BigInt : Number)}(${text})` : text;
    this.#calls.push(
      `if (${written} > ${high}) ${this.#slow}`,
      `if (${given} !== undefined) { if (${written} >= 0 && ${given} != ${written}) ${this.#slow} }`,
    );
    this.#stores.push(
      `if (${given} !== undefined) ${storeText(shape, length.offset, asStored(given))}`,
      `else if (${written} >= 0) ${storeText(shape, length.offset, asStored(written))}`,
    );
  }

  struct({ fields }: StructShape): PatchText {
    const valued = fields.filter(({ shape }) => shape.kind !== 'pad');
    const lengths = lengthsOf(valued);
    this.#stage.push(
      'let left = 0;',
      'let weight = 0;',
      'for (const key in record) left++;',
      `if (left === 0) ${this.#slow}`,
    );
    for (const field of valued) {
      if (!lengths.has(field) && lengthFieldOf(field.shape) === undefined) this.#scalar(field);
    }
    for (const [length, counted] of lengths) this.#counted(length, counted);
    this.#stage.push(`if (left !== 0) ${this.#slow}`);
    return {
      stage: this.#stage.join('\n'),
      calls: this.#calls.join('\n'),
      stores: this.#stores.join('\n'),
    };
  }
}

/** Spells the patching of a struct at `o` of `view` with what `record` names; `slow` is a free name: what to call with all three when in doubt. */
export function emitPatch(shape: StructShape, bindings: Bindings, slow: string): PatchText {
  return new PatchEmitter(bindings, slow).struct(shape);
}

type Patch = ValueCodec['write'];
const PATCHERS = new WeakMap<Shape, Patch>();

/** Gives what writes a part of a value: nested structs get generated code of their own. */
function patcher(shape: Shape): Patch {
  let patch = PATCHERS.get(shape);
  if (patch === undefined) PATCHERS.set(shape, (patch = makePatcher(shape)));
  return patch;
}

function makePatcher(shape: Shape): Patch {
  const plain = codecOfShape(shape);
  if (shape.kind !== 'struct') return plain.patch ?? fastWriter(shape).write;
  const slow: Patch = (view, at, value) => plain.patch?.(view, at, value);
  if (shape.fields.length > MAX_ELEMENT_LEAVES) return slow;
  const bindings = new Bindings();
  const slowName = bindings.add(slow);
  const { stage, calls, stores } = emitPatch(shape, bindings, slowName);
  const guardedCalls = calls === '' ? '' : guardCalls(calls, bindings, slowName);
  const body = `return (view, o, record) => {
if (typeof record !== "object" || record === null) return ${slowName}(view, o, record);
${stage}
${guardedCalls}
${stores}
};`;
  return evaluate<Patch>(bindings.values, body) ?? slow;
}

/** Lets the plain loop say what is wrong when one of the calls does not like its value. */
export function guardCalls(calls: string, bindings: Bindings, slow: string): string {
  const isFault = bindings.add((error: unknown) => error instanceof Fault);
  const declared = calls.match(/^let n\d+ = -1;$/gm) ?? [];
  const rest = calls.replaceAll(/^let (n\d+ = -1;)$/gm, '$1');
  return `${declared.join('\n')}
try {
${rest}
} catch (error) {
if (${isFault}(error)) return ${slow}(view, o, record);
throw error;
}`;
}
