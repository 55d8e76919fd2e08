// Text that reads one record: loads of every leaf into locals, then an object made of them, or assignments into an old one.
import { Fault, asValueError, pathStep } from './fault.ts';
import {
  atByte,
  Bindings,
  INLINE_ARRAY_LEAVES,
  leavesOf,
  literal,
  loadText,
  MAX_ELEMENT_LEAVES,
} from './emit-text.ts';
import { graft } from './graft.ts';
import { capacityOf, checkLength } from './lengths.ts';
import { privateCopy } from './memory.ts';
import { nameFinder, tableOfNames, unknownMember, unsignedUnit } from './scalar-codec.ts';
import { elementReader } from './composite-codec.ts';
import { evaluate } from './evaluate.ts';
import {
  lengthFieldOf,
  type BitsShape,
  type EnumShape,
  type NumberShape,
  type PlacedField,
  type Shape,
  type StructShape,
  type TextShape,
} from './shape.ts';
import { textLoader } from './text-codec.ts';
import { fromStored } from './times.ts';
import { makerOf } from './record-maker.ts';
import { codecOfShape, type ValueCodec } from './value-codec.ts';

/** What one place of the record becomes, once the locals are loaded. */
type Node =
  | { readonly kind: 'value'; readonly text: string; readonly throws: boolean }
  /** A fresh value whose parts go into the old one. */
  | { readonly kind: 'graft'; readonly text: string }
  | {
      readonly kind: 'object';
      readonly shape: StructShape | BitsShape;
      readonly parts: readonly (readonly [key: string, node: Node])[];
    }
  | { readonly kind: 'list'; readonly parts: readonly Node[] };

const value = (text: string, throws = false): Node => ({ kind: 'value', text, throws });

export interface ReadText {
  readonly loads: string;
  readonly object: string;
  readonly into: string;
}

/** Makes a function of what `read` does, with faults turned into errors that name `path`. */
function guarded<A extends unknown[], R>(path: string, read: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    try {
      return read(...args);
    } catch (error) {
      throw asValueError(error, 'read', path);
    }
  };
}

class ReadEmitter {
  readonly #bindings: Bindings;
  readonly #loads: string[] = [];
  /** Loads that need the length a sibling holds come after all others. */
  readonly #lateLoads: string[] = [];
  #locals = 0;
  #copy: string | undefined;

  constructor(bindings: Bindings) {
    this.#bindings = bindings;
  }

  get loads(): string {
    return [...this.#loads, ...this.#lateLoads].join('\n');
  }

  #load(text: string, list = this.#loads): string {
    const local = `x${this.#locals++}`;
    list.push(`const ${local} = ${text};`);
    return local;
  }

  #copied(offset: number, size: number): string {
    this.#copy ??= this.#bindings.add(privateCopy);
    return this.#load(`${this.#copy}(view, ${atByte(offset)}, ${size})`);
  }

  node(shape: Shape, offset: number, path: string): Node {
    switch (shape.kind) {
      case 'number': {
        const local = this.#load(loadText(shape, offset));
        return value(shape.wide && shape.size < 8 ? `${this.#bindings.add(BigInt)}(${local})` : local);
      }
      case 'boolean':
        return value(`${this.#load(loadText(unitOf(shape), offset))} !== 0`);
      case 'enum':
        return this.#enum(shape, this.#load(loadText(shape.base, offset)), path);
      case 'bits':
        return this.#bits(shape, this.#load(loadText(unsignedUnit(shape.base), offset)));
      case 'time': {
        const { epoch } = shape;
        const make = this.#bindings.add((stored: number | bigint) => fromStored(epoch, stored));
        const code = epoch === 'filetime' ? 'u64' : epoch === 'unixMs' ? 'i64' : 'f64';
        return value(
          `${make}(${this.#load(loadText({ ...shape, kind: 'number', code, wide: true }, offset))})`,
        );
      }
      case 'text':
        return this.#text(shape, offset, path);
      case 'bytes': {
        const codec = codecOfShape(shape);
        return {
          kind: 'graft',
          text: this.#load(`${this.#bindings.add(codec.read)}(view, ${atByte(offset)})`),
        };
      }
      case 'struct':
        return this.#struct(shape, offset, path);
      case 'array':
        if (leavesOf(shape) <= INLINE_ARRAY_LEAVES) {
          const { of } = shape;
          const parts = Array.from({ length: shape.length }, (_, i) =>
            this.node(of, offset + i * of.size, path + pathStep(i)),
          );
          return { kind: 'list', parts };
        }
        return this.#copiedValue(shape, offset, path);
      case 'union':
      case 'pad':
        return this.#copiedValue(shape, offset, path);
    }
  }

  /** Anything else: its bytes are copied, and read once they are known to be whole. */
  #copiedValue(shape: Shape, offset: number, path: string): Node {
    const { read } = fastReader(shape);
    const guardedRead = this.#bindings.add(guarded(path, (copy: DataView) => read(copy, 0)));
    return { kind: 'graft', text: `${guardedRead}(${this.#copied(offset, shape.size)})` };
  }

  #enum(shape: EnumShape, local: string, path: string): Node {
    const whole = shape.base.wide && shape.base.size < 8 ? `${this.#bindings.add(BigInt)}(${local})` : local;
    const table = tableOfNames(shape);
    const name =
      table === undefined
        ? `${this.#bindings.add(nameFinder(shape))}(${whole})`
        : `${this.#bindings.add(table)}[${whole}]`;
    if (shape.open) return value(`(${name} ?? ${whole})`);
    const unknown = this.#bindings.add(
      guarded(path, (stored: number | bigint) => unknownMember(shape, stored)),
    );
    return value(`(${name} ?? ${unknown}(${whole}))`, true);
  }

  #bits(shape: BitsShape, local: string): Node {
    const { base, members } = shape;
    const asBig = base.wide && base.size < 8 ? this.#bindings.add(BigInt) : '';
    const parts = members.map(({ name, shift, width }) => {
      const text =
        base.size === 8
          ? `${local} >> ${shift}n & ${(1n << BigInt(width)) - 1n}n`
          : `(${local} >>> ${shift}${width === 32 ? '' : ` & ${2 ** width - 1}`}) >>> 0`;
      return [name, value(asBig === '' ? text : `${asBig}(${text})`)] as const;
    });
    return { kind: 'object', shape, parts };
  }

  #text(shape: TextShape, offset: number, path: string): Node {
    const load = this.#bindings.add(textLoader(shape));
    if (shape.ending !== 'counted') return value(this.#load(`${load}(view, ${atByte(offset)})`));
    const length = this.#load(`view.getUint8(${atByte(offset)})`);
    const local = this.#load(`${load}(view, ${atByte(offset + 1)}, ${length})`);
    const beyond = this.#bindings.add(
      guarded(path, (stored: number) => {
        throw new Fault('VALUE_RANGE', `its length byte is ${stored}, expected at most ${shape.units}`);
      }),
    );
    return value(`(${length} > ${shape.units} ? ${beyond}(${length}) : ${local})`, true);
  }

  #struct(shape: StructShape, offset: number, path: string): Node {
    const nodes = new Map<string, Node>();
    const valued = shape.fields.filter(({ shape }) => shape.kind !== 'pad');
    for (const { name, shape: part, offset: at } of valued) {
      if (lengthFieldOf(part) === undefined)
        nodes.set(name, this.node(part, offset + at, path + pathStep(name)));
    }
    for (const field of valued) {
      const sibling = lengthFieldOf(field.shape);
      if (sibling === undefined) continue;
      const length = nodes.get(sibling) as Node & { readonly text: string };
      nodes.set(field.name, this.#tied(field, offset, length.text, sibling, path + pathStep(field.name)));
    }
    return {
      kind: 'object',
      shape,
      parts: valued.map(({ name }) => [name, nodes.get(name) as Node] as const),
    };
  }

  /** A field whose length is in the local or expression `length`. */
  #tied(
    { shape, offset: at }: PlacedField,
    base: number,
    length: string,
    sibling: string,
    path: string,
  ): Node {
    const capacity = capacityOf(shape);
    const { counted } = codecOfShape(shape);
    if (counted === undefined) throw new TypeError('a field with a sibling length has a counted codec');
    const where = atByte(base + at);
    const beyond = this.#bindings.add(
      guarded(path, (stored: number | bigint) => checkLength(stored, capacity, sibling)),
    );
    const outside = `(${length} < 0 || ${length} > ${capacity})`;
    if (shape.kind === 'array') {
      this.#copy ??= this.#bindings.add(privateCopy);
      const copy = this.#load(`${this.#copy}(view, ${where}, ${shape.size})`);
      const read = this.#bindings.add(
        guarded(path, (bytes: DataView, stored: number | bigint) => counted.read(bytes, 0, Number(stored))),
      );
      return { kind: 'graft', text: `(${outside} ? ${beyond}(${length}) : ${read}(${copy}, ${length}))` };
    }
    const load = this.#bindings.add((view: DataView, from: number, stored: number | bigint) =>
      stored < 0 || stored > capacity ? undefined : counted.read(view, from, Number(stored)),
    );
    const local = this.#load(`${load}(view, ${where}, ${length})`, this.#lateLoads);
    return { kind: 'graft', text: `(${outside} ? ${beyond}(${length}) : ${local})` };
  }
}

/** Gives the unsigned unit of a boolean. */
export function unitOf({
  size,
  align,
  bigEndian,
}: {
  readonly size: number;
  readonly align: number;
  readonly bigEndian: boolean;
}): NumberShape {
  return unsignedUnit({ kind: 'number', code: 'u8', wide: false, size, align, bigEndian });
}

function objectText(node: Node, bindings: Bindings): string {
  switch (node.kind) {
    case 'object': {
      const values = node.parts.map(([, part]) => objectText(part, bindings));
      return `new ${bindings.add(
        makerOf(
          node.shape,
          node.parts.map(([key]) => key),
        ),
      )}(${values.join(', ')})`;
    }
    case 'list':
      return `[${node.parts.map((part) => objectText(part, bindings)).join(', ')}]`;
    default:
      return node.text;
  }
}

/** Spells the assignments: nested objects are found first, whatever can throw is computed next, then nothing can fail. */
class IntoText {
  readonly #prepare: string[] = [];
  readonly #conditions: string[] = [];
  readonly #assign: string[] = [];
  readonly #graft: string;
  #locals = 0;

  constructor(graftName: string) {
    this.#graft = graftName;
  }

  visit(node: Node, target: string): void {
    if (node.kind === 'object') for (const [key, part] of node.parts) this.#place(part, target, literal(key));
    if (node.kind !== 'list') return;
    this.#assign.push(
      `if (${target}.length !== ${node.parts.length}) ${target}.length = ${node.parts.length};`,
    );
    node.parts.forEach((part, i) => this.#place(part, target, String(i)));
  }

  #place(part: Node, target: string, key: string): void {
    const place = `${target}[${key}]`;
    if (part.kind === 'object' || part.kind === 'list') {
      const local = `n${this.#locals++}`;
      this.#prepare.push(`const ${local} = ${target === 'target' ? place : `${target}?.[${key}]`};`);
      this.#conditions.push(
        part.kind === 'list' ? `isArray(${local})` : `typeof ${local} === "object" && ${local} !== null`,
      );
      this.visit(part, local);
      return;
    }
    let { text } = part;
    if (part.kind === 'graft' || part.throws) {
      const local = `n${this.#locals++}`;
      this.#prepare.push(`const ${local} = ${text};`);
      text = local;
    }
    this.#assign.push(
      part.kind === 'graft' ? `${place} = ${this.#graft}(${place}, ${text});` : `${place} = ${text};`,
    );
  }

  text(whole: string, isArray: string): string {
    const prepare = this.#prepare.join('\n');
    const assign = this.#assign.join('\n');
    if (this.#conditions.length === 0) return `${prepare}\n${assign}`;
    const fits = this.#conditions.join(' && ').replaceAll('isArray(', `${isArray}(`);
    return `${prepare}\nif (${fits}) {\n${assign}\n} else ${this.#graft}(target, ${whole});`;
  }
}

/** Spells the reading of a struct at `o` of `view`. */
export function emitRead(shape: Shape, name: string, bindings: Bindings): ReadText {
  const emitter = new ReadEmitter(bindings);
  const root = emitter.node(shape, 0, name);
  const object = objectText(root, bindings);
  const into = new IntoText(bindings.add(graft));
  into.visit(root, 'target');
  return { loads: emitter.loads, object, into: into.text(`(${object})`, bindings.add(Array.isArray)) };
}

type Reader = Pick<ValueCodec, 'read'>;
const READERS = new WeakMap<Shape, Reader>();

/**
 * Gives a reader for what is read by a loop: structs in long arrays get generated code of their own. A fault comes from the plain loop,
 * which knows its path from here.
 */
function fastReader(shape: Shape): Reader {
  let reader = READERS.get(shape);
  if (reader === undefined) READERS.set(shape, (reader = makeReader(shape)));
  return reader;
}

function makeReader(shape: Shape): Reader {
  const plain = codecOfShape(shape);
  if (shape.kind === 'array' && shape.of.kind !== 'number' && shape.lengthField === undefined) {
    const many = elementReader(fastReader(shape.of), shape.of.size);
    return { read: (view, at) => many(view, at, shape.length) };
  }
  if (shape.kind !== 'struct' || leavesOf(shape) > MAX_ELEMENT_LEAVES) return plain;
  const bindings = new Bindings();
  const { loads, object } = emitRead(shape, shape.name, bindings);
  const body = `return (view, o) => {\n${loads}\nreturn ${object};\n};`;
  const fast = evaluate<(view: DataView, at: number) => unknown>(bindings.values, body);
  if (fast === undefined) return plain;
  return {
    read(view, at) {
      try {
        return fast(view, at);
      } catch {
        return plain.read(view, at);
      }
    },
  };
}
