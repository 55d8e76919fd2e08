// Generated code: the text that reads and writes one layout's records.
import { ValueError } from '../errors.ts';
import { emitPatch } from './emit-patch.ts';
import { emitRead } from './emit-read.ts';
import { Bindings, INLINE_ARRAY_LEAVES, leavesOf } from './emit-text.ts';
import { emitWrite } from './emit-write.ts';
import { evaluate } from './evaluate.ts';
import { Fault } from './fault.ts';
import { referenceCodecOf, type RecordCodec } from './reference-codec.ts';
import { shapeOn, type Shape, type StructShape } from './shape.ts';
import { Trials } from './trial.ts';
import type { Layout } from './types.ts';

/** Text of one layout's reads and writes, to be put into a function that has its bindings and the variables named here. */
export interface RecordSource {
  /** Statements that read every leaf of the record at byte offset `o` of the DataView `view` into locals x0, x1, …; they never throw on torn bytes and never read outside the record. */
  readonly loads: string;
  /** Expression: a fresh object from those locals. It may throw VALUE_RANGE, so it is evaluated only after the snapshot was validated. */
  readonly object: string;
  /** Statements that assign those locals into `target`, reusing its nested objects and arrays; whatever can throw comes before the first assignment. */
  readonly into: string;
  /** Statements that read and check `record` (an object) into locals y0, y1, …, unknown keys included; undefined for records with text, byte strings, unions or long arrays. */
  readonly stage: string | undefined;
  /** Statements that store those locals at offset `o` of `view`; they cannot throw and leave padding as it is. */
  readonly stores: string | undefined;
  /** Free names in the texts above and their values. */
  readonly bindings: Readonly<Record<string, unknown>>;
}

/** The most values of a record that straight-line code reads or writes. */
export const MAX_LEAVES = 128;
/** The same for a codec, whose code is no part of a loop that waits for a guard. */
const MAX_CODEC_LEAVES = 1024;

interface WholeSource extends RecordSource {
  /** Statements that zero the padding. */
  readonly gaps: string;
  /** Statements that store the other fields through their own codecs; undefined where only the plain loop can write. */
  readonly calls: string | undefined;
  readonly checks: string;
  readonly scalars: string;
}

/** Leaves of straight-line code: a long array is one, because it is copied and read by a loop. */
function straightLeaves(shape: Shape): number {
  if (shape.kind === 'struct')
    return shape.fields.reduce((sum, field) => sum + straightLeaves(field.shape), 0);
  const leaves = leavesOf(shape);
  return shape.kind === 'array' && leaves > INLINE_ARRAY_LEAVES ? 1 : leaves;
}

function emit(layout: Layout, maxLeaves: number): WholeSource | undefined {
  const shape = shapeOn(layout, layout.abi) as StructShape;
  if (straightLeaves(shape) > maxLeaves) return undefined;
  const bindings = new Bindings();
  const { loads, object, into } = emitRead(shape, layout.name, bindings);
  const { reject, inspect } = slowPath(layout);
  const write = emitWrite(shape, bindings, reject, inspect);
  const scalarsOnly = write !== undefined && write.calls === '';
  return {
    loads,
    object: `(${object})`,
    into,
    stage: scalarsOnly ? write.stage : undefined,
    stores: scalarsOnly ? write.stores : undefined,
    bindings: bindings.values,
    gaps: write?.gaps ?? '',
    calls: write?.calls,
    checks: write?.stage ?? '',
    scalars: write?.stores ?? '',
  };
}

/** The slow path runs the plain loop over a record that the fast path did not like: the error texts exist only once. */
function slowPath(layout: Layout): {
  reject: (record: unknown) => never;
  inspect: (record: unknown) => void;
} {
  const inspect = (record: unknown): void => {
    referenceCodecOf(layout).encode(new DataView(new ArrayBuffer(layout.size)), 0, record);
  };
  return {
    inspect,
    reject(record) {
      inspect(record);
      throw new ValueError('VALUE_TYPE', `cannot write ${layout.name}: a value changed while it was read`);
    },
  };
}

/** Spells the code of a layout; undefined where it has too many leaves for straight-line code. */
export function emitRecord(layout: Layout): RecordSource | undefined {
  return emit(layout, MAX_LEAVES);
}

/** Makes the generated codec of a layout; undefined where that is not possible or not allowed. */
export function generateCodec(layout: Layout): RecordCodec | undefined {
  const reference = referenceCodecOf(layout);
  const source = emit(layout, MAX_CODEC_LEAVES);
  if (source === undefined) return undefined;
  const { reject } = slowPath(layout);
  const bindings = {
    ...source.bindings,
    wrongTarget: (view: DataView, at: number, target: object) => reference.decodeInto(view, at, target),
    rethrow(error: unknown, record: unknown): never {
      if (error instanceof Fault) reject(record);
      throw error;
    },
    wrongRecord: reject,
    plainEncode: reference.encode,
  };
  const writes =
    source.calls === undefined
      ? 'plainEncode(view, o, record);'
      : `if (typeof record !== "object" || record === null) wrongRecord(record);
${source.checks}
${source.gaps}
${source.scalars}
${source.calls === '' ? '' : `try {\n${source.calls}\n} catch (error) { rethrow(error, record); }`}`;
  const codec = evaluate<Omit<RecordCodec, 'patch' | 'patchOrNothing'>>(
    bindings,
    `return {
decode(view, o) {
${source.loads}
return ${source.object};
},
decodeInto(view, o, target) {
if (typeof target !== "object" || target === null) return wrongTarget(view, o, target);
${source.loads}
${source.into}
return target;
},
encode(view, o, record) {
${writes}
},
};`,
  );
  if (codec === undefined) return undefined;
  let patches: Patches | undefined;
  return {
    ...codec,
    patch: (view, at, record) => (patches ??= generatePatches(layout)).patch(view, at, record),
    patchOrNothing: (view, at, record) =>
      (patches ??= generatePatches(layout)).patchOrNothing(view, at, record),
  };
}

type Patches = Pick<RecordCodec, 'patch' | 'patchOrNothing'>;

/** Makes the functions that write a part of a record, when the first is asked for. */
function generatePatches(layout: Layout): Patches {
  const reference = referenceCodecOf(layout);
  const bindings = new Bindings();
  const trials = bindings.add(new Trials(layout.size));
  const isFault = bindings.add((error: unknown) => error instanceof Fault);
  const spell = (slowPath: RecordCodec['patch'], tried: boolean): string => {
    const slow = bindings.add(slowPath);
    const shape = shapeOn(layout, layout.abi) as StructShape;
    const { stage, prepare, calls, copies, stores } = emitPatch(shape, bindings, slow);
    const start = `if (typeof record !== "object" || record === null) return ${slow}(view, o, record);\n${stage}`;
    if (calls === '') return `${start}\n${stores}`;
    // A single call that refuses before it stores needs no trial.
    const target = tried
      ? `const direct = weight < 2;
const t = direct ? view : ${trials}.take();
const a = direct ? o : 0;
if (!direct) {\n${prepare}\n}`
      : 'const t = view;\nconst a = o;';
    return `${start}
${target}
try {
${calls}
} catch (error) {
if (${isFault}(error)) return ${slow}(view, o, record);
throw error;
}
${tried ? `if (!direct) {\n${copies}\n${trials}.giveBack(t);\n}` : ''}
${stores}`;
  };
  const body = `return {
patch(view, o, record) {
${spell(reference.patch, false)}
},
patchOrNothing(view, o, record) {
${spell(reference.patchOrNothing, true)}
},
};`;
  return evaluate<Patches>(bindings.values, body) ?? reference;
}
