// Text that writes one record: every value is read and checked into a local before the first byte is stored.
import { elementsWriter, gapsOf } from './composite-codec.ts';
import {
  atByte,
  Bindings,
  INLINE_ARRAY_LEAVES,
  leavesOf,
  literal,
  MAX_ELEMENT_LEAVES,
  storeText,
} from './emit-text.ts';
import { unitOf } from './emit-read.ts';
import { Fault } from './fault.ts';
import { zeroFill } from './memory.ts';
import { NUMBER_ACCESS } from './number-access.ts';
import { enumStorer, unsignedUnit } from './scalar-codec.ts';
import {
  lengthFieldOf,
  type ArrayShape,
  type BitsShape,
  type EnumMember,
  type EnumShape,
  type NumberShape,
  type PlacedField,
  type Shape,
  type StructShape,
} from './shape.ts';
import { toStored } from './times.ts';
import { evaluate } from './evaluate.ts';
import { codecOfShape, type ValueCodec } from './value-codec.ts';

export interface WriteText {
  /** Reads and checks `record` into locals. */
  readonly stage: string;
  /** Stores the locals; cannot throw. */
  readonly stores: string;
  /** Stores what only its own codec can store; may throw a Fault. Empty for records of scalars. */
  readonly calls: string;
  /** Zeroes the padding. */
  readonly gaps: string;
}

/** Gives undefined where `check` throws a Fault, so that the slow path can say what is wrong. */
export function orUndefined<R>(check: (value: unknown) => R): (value: unknown) => R | undefined {
  return (value) => {
    try {
      return check(value);
    } catch (error) {
      if (error instanceof Fault) return undefined;
      throw error;
    }
  };
}

/** Spells the condition under which a local is not acceptable. It must not throw for any value. */
export function refused(
  { code, wide, size }: NumberShape,
  y: string,
  asIntN: string,
  asUintN: string,
  fround: string,
): string {
  if (code === 'f64') return `typeof ${y} !== "number"`;
  if (code === 'f32')
    return `typeof ${y} !== "number" || ${fround}(${y}) - ${fround}(${y}) !== ${y} - ${y} && ${y} - ${y} === 0`;
  const unsigned = code.startsWith('u');
  if (wide) return `typeof ${y} !== "bigint" || ${unsigned ? asUintN : asIntN}(${8 * size}, ${y}) !== ${y}`;
  const shift = 32 - 8 * size;
  const same = unsigned
    ? size === 4
      ? `${y} >>> 0`
      : `(${y} & ${2 ** (8 * size) - 1})`
    : size === 4
      ? `(${y} | 0)`
      : `${y} << ${shift} >> ${shift}`;
  return `typeof ${y} !== "number" || ${same} !== ${y}`;
}

export const COMPARED_NAMES = 8;

/** Spells the stored value of the member that the local `name` names, undefined if it names none. */
export function enumText(members: readonly EnumMember[], name: string): string {
  const stored = ({ value }: EnumMember): string => (typeof value === 'bigint' ? `${value}n` : String(value));
  const chain = members.map((member) => `${name} === ${literal(member.name)} ? ${stored(member)} : `);
  return `${chain.join('')}undefined`;
}

class WriteEmitter {
  readonly #bindings: Bindings;
  readonly #stage: string[] = [];
  readonly #stores: string[] = [];
  readonly #calls: string[] = [];
  readonly #gaps: string[] = [];
  readonly #reject: string;
  readonly #inspect: string;
  readonly #shared = new Map<unknown, string>();
  #locals = 0;

  constructor(bindings: Bindings, reject: (record: unknown) => never, inspect: (record: unknown) => void) {
    this.#bindings = bindings;
    this.#reject = bindings.add(reject);
    this.#inspect = bindings.add(inspect);
  }

  get text(): WriteText {
    const [stage, stores, calls, gaps] = [this.#stage, this.#stores, this.#calls, this.#gaps].map((lines) =>
      lines.join('\n'),
    );
    return { stage: stage as string, stores: stores as string, calls: calls as string, gaps: gaps as string };
  }

  #share(value: unknown): string {
    let name = this.#shared.get(value);
    if (name === undefined) this.#shared.set(value, (name = this.#bindings.add(value)));
    return name;
  }

  #local(text: string): string {
    const local = `y${this.#locals++}`;
    this.#stage.push(`const ${local} = ${text};`);
    return local;
  }

  #rejectIf(condition: string): void {
    this.#stage.push(`if (${condition}) ${this.#reject}(record);`);
  }

  visit(shape: Shape, source: string, offset: number): void {
    switch (shape.kind) {
      case 'number':
        this.#number(shape, this.#local(source), offset);
        return;
      case 'boolean': {
        const y = this.#local(source);
        this.#rejectIf(`typeof ${y} !== "boolean"`);
        this.#stores.push(
          storeText(unitOf(shape), offset, `${y} ? ${shape.allOnes ? 2 ** (8 * shape.size) - 1 : 1} : 0`),
        );
        return;
      }
      case 'enum': {
        const y = this.#enum(shape, source);
        const narrow = shape.base.wide && shape.base.size < 8;
        this.#stores.push(storeText(shape.base, offset, narrow ? `${this.#share(Number)}(${y})` : y));
        return;
      }
      case 'time': {
        const { epoch } = shape;
        const y = this.#checked((value: unknown) => toStored(epoch, value), source);
        const code = epoch === 'filetime' ? 'u64' : epoch === 'unixMs' ? 'i64' : 'f64';
        this.#stores.push(storeText({ ...shape, kind: 'number', code, wide: true }, offset, y));
        return;
      }
      case 'bits':
        if (shape.size < 8 && !shape.base.wide) this.#bits(shape, this.#local(source), offset);
        else this.#call(shape, source, offset);
        return;
      case 'struct':
        if (hasInheritedLength(shape)) this.#call(shape, source, offset);
        else this.struct(shape, this.#local(source), offset);
        return;
      case 'array':
        if (leavesOf(shape) <= INLINE_ARRAY_LEAVES) this.#array(shape, this.#local(source), offset);
        else this.#call(shape, source, offset);
        return;
      default:
        this.#call(shape, source, offset);
    }
  }

  /** A value that its own codec checks and stores in one go. */
  #call(shape: Shape, source: string, offset: number): void {
    const y = this.#local(source);
    this.#rejectIf(`${y} === undefined`);
    this.#calls.push(`${this.#bindings.add(fastWriter(shape).write)}(view, ${atByte(offset)}, ${y});`);
  }

  #checked(check: (value: unknown) => number | bigint, source: string): string {
    const y = this.#local(`${this.#bindings.add(orUndefined(check))}(${source})`);
    this.#rejectIf(`${y} === undefined`);
    return y;
  }

  /** HOT: a few names are compared one by one, which costs less than a call and a hash (bench/run.ts, "write, mixed"). */
  #enum(shape: EnumShape, source: string): string {
    const { members, open } = shape;
    if (open || members.length > COMPARED_NAMES) return this.#checked(enumStorer(shape), source);
    const name = this.#local(source);
    const y = this.#local(enumText(members, name));
    this.#rejectIf(`${y} === undefined`);
    return y;
  }

  #number(shape: NumberShape, y: string, offset: number): void {
    const big = shape.wide ? [this.#share(BigInt.asIntN), this.#share(BigInt.asUintN)] : ['', ''];
    const fround = shape.code === 'f32' ? this.#share(Math.fround) : '';
    this.#rejectIf(refused(shape, y, big[0] as string, big[1] as string, fround));
    this.#stores.push(
      storeText(shape, offset, shape.wide && shape.size < 8 ? `${this.#share(Number)}(${y})` : y),
    );
  }

  /** Checks that `y` is an object with as many keys as it has fields; on any other count the slow path looks closer. */
  #keys(y: string, count: string | number): void {
    const keys = `k${this.#locals++}`;
    this.#stage.push(
      `let ${keys} = 0;`,
      `for (const key in ${y}) ${keys}++;`,
      `if (${keys} !== ${count}) ${this.#inspect}(record);`,
    );
  }

  #object(y: string): void {
    if (y !== 'record') this.#rejectIf(`typeof ${y} !== "object" || ${y} === null`);
  }

  #bits({ base, members }: BitsShape, y: string, offset: number): void {
    this.#object(y);
    this.#keys(y, members.length);
    const parts = members.map(({ name, shift, width }) => {
      const bits = this.#local(`${y}[${literal(name)}]`);
      const same = width === 32 ? `${bits} >>> 0` : `(${bits} & ${2 ** width - 1})`;
      this.#rejectIf(`typeof ${bits} !== "number" || ${same} !== ${bits}`);
      return shift === 0 ? bits : `${bits} << ${shift}`;
    });
    this.#stores.push(storeText(unsignedUnit(base), offset, `(${parts.join(' | ')}) >>> 0`));
  }

  #array({ of, length }: ArrayShape, y: string, offset: number): void {
    const isList = `(${this.#share(Array.isArray)}(${y}) || ${this.#share(ArrayBuffer.isView)}(${y}))`;
    this.#rejectIf(`typeof ${y} !== "object" || ${y} === null || ${y}.length !== ${length} || !${isList}`);
    for (let i = 0; i < length; i++) this.visit(of, `${y}[${i}]`, offset + i * of.size);
  }

  struct(shape: StructShape, y: string, offset: number): void {
    const valued = shape.fields.filter((field) => field.shape.kind !== 'pad');
    const lengths = lengthsOf(valued);
    this.#object(y);
    // Whatever is no record lacks a field; where there are none to lack, an array would pass.
    if (valued.length === 0) this.#rejectIf(`${this.#share(Array.isArray)}(${y})`);
    for (const [at, length] of gapsOf(shape)) this.#gap(offset + at, length);
    const given = new Map(
      [...lengths.keys()].map((length) => [length, this.#local(`${y}[${literal(length.name)}]`)]),
    );
    const omitted = [...given.values()].map((value) => ` - (${value} === undefined ? 1 : 0)`);
    this.#keys(y, `${valued.length}${omitted.join('')}`);
    for (const field of valued) {
      if (lengths.has(field) || lengthFieldOf(field.shape) !== undefined) continue;
      this.visit(field.shape, `${y}[${literal(field.name)}]`, offset + field.offset);
    }
    for (const [length, counted] of lengths)
      this.#counted(length, given.get(length) as string, counted, y, offset);
  }

  /** Fields whose length is in the field `length`: they are stored first, and it follows. */
  #counted(
    length: PlacedField,
    given: string,
    counted: readonly PlacedField[],
    y: string,
    offset: number,
  ): void {
    const written = `n${this.#locals++}`;
    counted.forEach((field, i) => {
      const value = this.#local(`${y}[${literal(field.name)}]`);
      this.#rejectIf(`${value} === undefined`);
      const write = `${this.#bindings.add(countedWriter(field.shape))}(view, ${atByte(offset + field.offset)}, ${value})`;
      this.#calls.push(
        i === 0 ? `const ${written} = ${write};` : `if (${write} !== ${written}) ${this.#reject}(record);`,
      );
    });
    const { shape, offset: at } = length;
    this.#calls.push(
      `if (${written} > ${NUMBER_ACCESS[(shape as NumberShape).code].high}) ${this.#reject}(record);`,
      `if (${given} !== undefined) { if (${lengthRefused(shape as NumberShape, given, written)}) ${this.#reject}(record); }`,
      storeText(
        shape as NumberShape,
        offset + at,
        shape.size === 8 ? `${this.#share(BigInt)}(${written})` : written,
      ),
    );
  }

  #gap(offset: number, length: number): void {
    if (length > 8) this.#gaps.push(`${this.#share(zeroFill)}(view, ${atByte(offset)}, ${length});`);
    else for (let i = 0; i < length; i++) this.#gaps.push(`view.setUint8(${atByte(offset + i)}, 0);`);
  }
}

/** Spells the condition under which a length that was given does not agree with what was written. */
const lengthRefused = ({ wide }: NumberShape, given: string, written: string): string =>
  wide ? `typeof ${given} !== "bigint" || ${given} != ${written}` : `${given} !== ${written}`;

/** Lists the fields that hold lengths, each with the fields that it counts. */
export function lengthsOf(fields: readonly PlacedField[]): Map<PlacedField, PlacedField[]> {
  const lengths = new Map<PlacedField, PlacedField[]>();
  for (const field of fields) {
    const name = lengthFieldOf(field.shape);
    if (name === undefined) continue;
    const length = fields.find((candidate) => candidate.name === name) as PlacedField;
    const counted = lengths.get(length);
    if (counted === undefined) lengths.set(length, [field]);
    else counted.push(field);
  }
  return lengths;
}

/** Gives what writes a field whose length is elsewhere, and gives that length. */
export function countedWriter(shape: Shape): (view: DataView, at: number, value: unknown) => number {
  const { counted } = codecOfShape(shape);
  if (counted === undefined) throw new TypeError('a field with a sibling length has a counted codec');
  return counted.write;
}

/** Tells whether a length, which a record may leave out, has the name of something that every object inherits. */
const hasInheritedLength = ({ fields }: StructShape): boolean =>
  fields.some(({ shape }) => (lengthFieldOf(shape) ?? ' ') in Object.prototype);

/** Spells the writing of `record` at `o` of `view`; undefined where only the plain loop can tell what the record gives. */
export function emitWrite(
  shape: StructShape,
  bindings: Bindings,
  reject: (record: unknown) => never,
  inspect: (record: unknown) => void,
): WriteText | undefined {
  if (hasInheritedLength(shape)) return undefined;
  const emitter = new WriteEmitter(bindings, reject, inspect);
  emitter.struct(shape, 'record', 0);
  return emitter.text;
}

type Writer = Pick<ValueCodec, 'write'>;
const WRITERS = new WeakMap<Shape, Writer>();

/** Gives a writer for what is written by a loop: structs in long arrays get generated code of their own. */
export function fastWriter(shape: Shape): Writer {
  let writer = WRITERS.get(shape);
  if (writer === undefined) WRITERS.set(shape, (writer = makeWriter(shape)));
  return writer;
}

function makeWriter(shape: Shape): Writer {
  const plain = codecOfShape(shape);
  if (shape.kind === 'array' && shape.of.kind !== 'number' && shape.lengthField === undefined) {
    return { write: elementsWriter(shape, fastWriter(shape.of)) };
  }
  if (shape.kind !== 'struct' || leavesOf(shape) > MAX_ELEMENT_LEAVES) return plain;
  // What the fast path does not like, the plain loop refuses with the right words, on private memory.
  const inspect = (record: unknown): void =>
    plain.write(new DataView(new ArrayBuffer(shape.size)), 0, record);
  const reject = (record: unknown): never => {
    inspect(record);
    throw new Fault('VALUE_TYPE', 'a value changed while it was read');
  };
  const bindings = new Bindings();
  const text = emitWrite(shape, bindings, reject, inspect);
  if (text === undefined) return plain;
  const rejectName = bindings.add(reject);
  const calls = text.calls === '' ? '' : `try {\n${text.calls}\n} catch { ${rejectName}(record); }`;
  const body = `return (view, o, record) => {
if (typeof record !== "object" || record === null) ${rejectName}(record);
${text.stage}
${text.gaps}
${text.stores}
${calls}
};`;
  const write = evaluate<(view: DataView, at: number, record: unknown) => void>(bindings.values, body);
  return write === undefined ? plain : { write };
}
