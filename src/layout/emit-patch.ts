// Text that writes the fields that a nested partial names. Every value is read once and checked before the first byte is stored, but
// for the values that their own codecs check and store in one go: where there are several, these write to private memory first.
import { Bindings, literal, storeText } from './emit-text.ts';
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
import { Fault } from './fault.ts';
import { capacityOf } from './lengths.ts';
import { copyBetween } from './memory.ts';
import { NUMBER_ACCESS } from './number-access.ts';
import { enumStorer } from './scalar-codec.ts';
import { lengthFieldOf, type NumberShape, type PlacedField, type Shape, type StructShape } from './shape.ts';
import { toStored } from './times.ts';
import { codecOfShape, type ValueCodec } from './value-codec.ts';

export interface PatchText {
  /** Reads and checks what `record` names into locals, and sums up a `weight`: 2 and more if a call below may store and then throw. On any doubt it returns what `slow` gives. */
  readonly stage: string;
  /** Makes the DataView `t` fit for the calls at its byte `a`: bits without a name stay as they are in `view`. */
  readonly prepare: string;
  /** Stores in `t` what only its own codec can store; may throw a Fault. */
  readonly calls: string;
  /** Copies what the calls stored from `t` to `view`. */
  readonly copies: string;
  /** Stores the rest in `view`; cannot throw. */
  readonly stores: string;
}

/** Kinds whose codec refuses a value before it stores a byte. */
const WHOLE: ReadonlySet<Shape['kind']> = new Set(['text', 'bytes', 'bits']);

const atTrial = (offset: number): string => (offset === 0 ? 'a' : `a + ${offset}`);
const atRecord = (offset: number): string => (offset === 0 ? 'o' : `o + ${offset}`);

/** A struct whose fields are being spelt: the local that holds it, its byte offset, and the local that counts keys not seen yet. */
interface Owner {
  readonly source: string;
  readonly base: number;
  readonly left: string;
}

class PatchEmitter {
  readonly #bindings: Bindings;
  readonly #slow: string;
  readonly #stage: string[] = [];
  readonly #prepare: string[] = [];
  readonly #calls: string[] = [];
  readonly #copies: string[] = [];
  readonly #stores: string[] = [];
  readonly #shared = new Map<unknown, string>();
  readonly #locals: string[] = [];

  constructor(bindings: Bindings, slow: string) {
    this.#bindings = bindings;
    this.#slow = `return ${slow}(view, o, record);`;
  }

  get text(): PatchText {
    const [stage, prepare, calls, copies, stores] = [
      [`let weight = 0, ${this.#locals.join(', ')};`, ...this.#stage],
      this.#prepare,
      this.#calls,
      this.#copies,
      this.#stores,
    ].map((lines) => lines.join('\n')) as [string, string, string, string, string];
    return { stage, prepare, calls, copies, stores };
  }

  #share(value: unknown): string {
    let name = this.#shared.get(value);
    if (name === undefined) this.#shared.set(value, (name = this.#bindings.add(value)));
    return name;
  }

  #local(prefix: string): string {
    const local = `${prefix}${this.#locals.length}`;
    this.#locals.push(local);
    return local;
  }

  /** Reads the field into a local; what `checks` spells is done if the patch names it. */
  #field(
    { name }: PlacedField,
    { source, left }: Owner,
    checks: (y: string) => readonly string[] | void,
  ): string {
    const y = this.#local('y');
    this.#stage.push(`${y} = ${source}[${literal(name)}];`, `if (${y} !== undefined) {`, `${left}--;`);
    this.#stage.push(...(checks(y) ?? []), '}');
    return y;
  }

  #refuseIf(condition: string): string {
    return `if (${condition}) ${this.#slow}`;
  }

  #scalar(field: PlacedField, owner: Owner): void {
    const { shape } = field;
    const offset = owner.base + field.offset;
    const store = (y: string, text: string): void =>
      void this.#stores.push(`if (${y} !== undefined) ${text}`);
    const derived = (text: (y: string) => string, unit: NumberShape): void => {
      const stored = this.#local('s');
      this.#stage.push(`${stored} = undefined;`);
      this.#field(field, owner, (y) => [
        `${stored} = ${text(y)};`,
        this.#refuseIf(`${stored} === undefined`),
      ]);
      const narrow = unit.wide && unit.size < 8;
      store(stored, storeText(unit, offset, narrow ? `${this.#share(Number)}(${stored})` : stored));
    };
    switch (shape.kind) {
      case 'number': {
        const y = this.#field(field, owner, (value) => [this.#refuseIf(this.#refused(shape, value))]);
        const narrow = shape.wide && shape.size < 8;
        store(y, storeText(shape, offset, narrow ? `${this.#share(Number)}(${y})` : y));
        return;
      }
      case 'boolean': {
        const y = this.#field(field, owner, (value) => [this.#refuseIf(`typeof ${value} !== "boolean"`)]);
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
      case 'struct':
        this.#field(field, owner, (y) => {
          this.#stage.push(this.#refuseIf(`typeof ${y} !== "object" || ${y} === null`));
          this.struct(shape, y, offset);
        });
        return;
      default: {
        const y = this.#field(field, owner, () => [`weight += ${WHOLE.has(shape.kind) ? 1 : 2};`]);
        const write = this.#bindings.add(partWriter(shape));
        this.#calls.push(`if (${y} !== undefined) ${write}(t, ${atTrial(offset)}, ${y});`);
        this.#viaTrial(y, shape, offset);
      }
    }
  }

  /** Moves the bytes of a field that the calls store between `view` and `t`. */
  #viaTrial(y: string, { kind, size }: Shape, offset: number): void {
    const copy = this.#share(copyBetween);
    const [inRecord, inTrial] = [`view, ${atRecord(offset)}`, `t, ${atTrial(offset)}`];
    if (kind === 'bits')
      this.#prepare.push(`if (${y} !== undefined) ${copy}(${inTrial}, ${inRecord}, ${size});`);
    this.#copies.push(`if (${y} !== undefined) ${copy}(${inRecord}, ${inTrial}, ${size});`);
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
  #counted(length: PlacedField, counted: readonly PlacedField[], owner: Owner): void {
    const shape = length.shape as NumberShape;
    const given = this.#field(length, owner, (y) => [
      this.#refuseIf(this.#refused(shape, y)),
      ...counted.map((field) => this.#refuseIf(`${y} < 0 || ${y} > ${capacityOf(field.shape)}`)),
    ]);
    const written = this.#local('n');
    const high = Number(NUMBER_ACCESS[shape.code].high);
    this.#stage.push(`${written} = -1;`);
    const contradicts = `${this.#share(contradict)}();`;
    for (const field of counted) {
      // A text or byte string that its length can count is refused before a byte is stored, unless a given length contradicts it.
      const whole = WHOLE.has(field.shape.kind) && capacityOf(field.shape) <= high;
      const weight = whole ? `${given} === undefined ? 1 : 2` : '2';
      const y = this.#field(field, owner, () => [`weight += ${weight};`]);
      const write = this.#bindings.add(countedWriter(field.shape));
      const offset = owner.base + field.offset;
      const n = this.#local('n');
      this.#calls.push(
        `if (${y} !== undefined) {`,
        `${n} = ${write}(t, ${atTrial(offset)}, ${y});`,
        `if (${written} >= 0 && ${written} !== ${n}) ${contradicts}`,
        `${written} = ${n};`,
        '}',
      );
      this.#viaTrial(y, field.shape, offset);
    }
    this.#calls.push(
      `if (${written} > ${high}) ${contradicts}`,
      `if (${given} !== undefined) { if (${written} >= 0 && ${given} != ${written}) ${contradicts} }`,
    );
    const asStored = (text: string): string =>
      shape.wide ? `${this.#share(shape.size === 8 ? BigInt : Number)}(${text})` : text;
    const at = owner.base + length.offset;
    this.#stores.push(
      `if (${given} !== undefined) ${storeText(shape, at, asStored(given))}`,
      `else if (${written} >= 0) ${storeText(shape, at, asStored(written))}`,
    );
  }

  struct({ fields }: StructShape, source: string, base: number): void {
    const owner: Owner = { source, base, left: this.#local('left') };
    const valued = fields.filter(({ shape }) => shape.kind !== 'pad');
    const lengths = lengthsOf(valued);
    this.#stage.push(
      `${owner.left} = 0;`,
      `for (const key in ${source}) ${owner.left}++;`,
      `if (${owner.left} === 0) ${this.#slow}`,
    );
    for (const field of valued) {
      if (!lengths.has(field) && lengthFieldOf(field.shape) === undefined) this.#scalar(field, owner);
    }
    for (const [length, counted] of lengths) this.#counted(length, counted, owner);
    this.#stage.push(`if (${owner.left} !== 0) ${this.#slow}`);
  }
}

/** Stops the calls where lengths contradict each other; the plain loop says which. */
function contradict(): never {
  throw new Fault('VALUE_RANGE', 'lengths contradict each other');
}

/** Spells the patching of a struct at `o` of `view` with what `record` names; `slow` is a free name: what to call with all three when in doubt. */
export function emitPatch(shape: StructShape, bindings: Bindings, slow: string): PatchText {
  const emitter = new PatchEmitter(bindings, slow);
  emitter.struct(shape, 'record', 0);
  return emitter.text;
}

/** Gives what writes a value that is no struct; of bits the named ones. */
function partWriter(shape: Shape): ValueCodec['write'] {
  return codecOfShape(shape).patch ?? fastWriter(shape).write;
}
