// The packages that also read and write C structs, each over memory of its own with the same records in it: one object per record
// where a package works with objects, one description where it works with descriptions.
import * as backed from 'buffer-backed-object';
import koffi from 'koffi';
import { View } from 'structurae';
import { Struct } from 'typed-struct';
import type { Loop } from './sampling.ts';

/** A record that all packages can say. */
export interface Reading {
  id: number;
  x: number;
  y: number;
  flags: number;
  name: string;
}

/** What one contender does with one of its records. */
export interface Subject {
  get(i: number): number;
  set(i: number, value: number): void;
  toObject(i: number): unknown;
  fromObject(i: number, record: Reading): void;
}
/** What one contender does with a text field. */
export interface TextSubject {
  get(i: number): string;
  set(i: number, text: string): void;
}

export const RECORDS = 64;
export const MASK = RECORDS - 1;
/** Bytes of the name, terminator included where one is kept. */
export const NAME_BYTES = 24;

const indices = Array.from({ length: RECORDS }, (_, i) => i);
// The package declares named exports and has none: everything is in its default.
const bbo = (backed as unknown as { default: typeof backed }).default;

interface Fluent {
  viewLength: number;
  new (
    memory: ArrayBuffer,
    offset: number,
    length: number,
  ): { get(name: string): unknown; set(name: string, value: unknown): void };
  decode(view: DataView, start: number): unknown;
  encode(value: unknown, view: DataView, start: number, length: number, amend: boolean): void;
}
const describe = (id: string, properties: object): Fluent =>
  new View().create({ $id: id, type: 'object', properties } as never);

function structurae(): Subject {
  const Record = describe('Reading', {
    id: { type: 'integer', btype: 'uint32' },
    x: { type: 'number', btype: 'float64' },
    y: { type: 'number', btype: 'float64' },
    flags: { type: 'integer', btype: 'int16' },
    name: { type: 'string', maxLength: NAME_BYTES },
  });
  const size = Record.viewLength;
  const memory = new ArrayBuffer(size * RECORDS);
  const all = new DataView(memory);
  const views = indices.map((i) => new Record(memory, i * size, size));
  return {
    get: (i) => views[i]!.get('x') as number,
    set: (i, value) => views[i]!.set('x', value),
    toObject: (i) => Record.decode(all, i * size),
    fromObject: (i, record) => Record.encode(record, all, i * size, size, true),
  };
}

function bufferBacked(): Subject {
  const shape = {
    id: bbo.Uint32(),
    x: bbo.Float64(),
    y: bbo.Float64(),
    flags: bbo.Int16(),
    name: bbo.UTF8String(NAME_BYTES),
  };
  const memory = new ArrayBuffer(bbo.structSize(shape) * RECORDS);
  const list = bbo.ArrayOfBufferBackedObjects(memory, shape);
  const objects = indices.map((i) => list[i] as unknown as Reading);
  return {
    get: (i) => objects[i]!.x,
    set: (i, value) => void (objects[i]!.x = value),
    toObject: (i) => ({ ...objects[i] }),
    fromObject: (i, record) => void Object.assign(objects[i]!, record),
  };
}

function typedStruct(): Subject {
  const Record = new Struct('Reading')
    .UInt32LE('id')
    .Float64LE('x')
    .Float64LE('y')
    .Int16LE('flags')
    .String('name', NAME_BYTES)
    .compile();
  const objects = indices.map(() => new Record() as unknown as Reading & { toJSON(): unknown });
  return {
    get: (i) => objects[i]!.x,
    set: (i, value) => void (objects[i]!.x = value),
    toObject: (i) => objects[i]!.toJSON(),
    fromObject: (i, record) => void Object.assign(objects[i]!, record),
  };
}

function foreignFunctions(): Subject {
  const Record = koffi.struct({
    id: 'uint32',
    x: 'double',
    y: 'double',
    flags: 'int16',
    name: koffi.array('char', NAME_BYTES, 'String'),
  });
  const size = koffi.sizeof(Record);
  const x = koffi.offsetof(Record, 'x');
  const memory = Buffer.alloc(size * RECORDS);
  return {
    get: (i) => koffi.decode(memory, i * size + x, 'double') as number,
    set: (i, value) => koffi.encode(memory, i * size + x, 'double', value),
    toObject: (i) => koffi.decode(memory, i * size, Record) as unknown,
    fromObject: (i, record) => koffi.encode(memory, i * size, Record, record),
  };
}

/** Every package by name. */
export const PACKAGES: Readonly<Record<string, () => Subject>> = {
  'typed-struct': typedStruct,
  koffi: foreignFunctions,
  structurae,
  'buffer-backed-object': bufferBacked,
};

/** Every package with a text of `units` bytes at most. */
export const TEXT_PACKAGES: Readonly<Record<string, (units: number) => TextSubject>> = {
  'typed-struct'(units) {
    const Text = new Struct('Text').String('text', units).compile();
    const objects = indices.map(() => new Text() as unknown as { text: string });
    return { get: (i) => objects[i]!.text, set: (i, text) => void (objects[i]!.text = text) };
  },
  koffi(units) {
    const type = koffi.array('char', units + 1, 'String');
    const memory = Buffer.alloc((units + 1) * RECORDS);
    return {
      get: (i) => koffi.decode(memory, i * (units + 1), type) as string,
      set: (i, text) => koffi.encode(memory, i * (units + 1), type, text),
    };
  },
  structurae(units) {
    const Text = describe(`Text${units}`, { text: { type: 'string', maxLength: units } });
    // Its decoder of long texts fails beyond the first byte of a buffer, so each has a buffer.
    const views = indices.map(() => new Text(new ArrayBuffer(units), 0, units));
    return {
      get: (i) => views[i]!.get('text') as string,
      set: (i, text) => views[i]!.set('text', text),
    };
  },
  'buffer-backed-object'(units) {
    const list = bbo.ArrayOfBufferBackedObjects(new ArrayBuffer(units * RECORDS), {
      text: bbo.UTF8String(units),
    });
    const objects = indices.map((i) => list[i] as unknown as { text: string });
    return { get: (i) => objects[i]!.text, set: (i, text) => void (objects[i]!.text = text) };
  },
};

/** Gives a copy of `loop`, which may use its parameters only: each contender has code of its own, so that the engine inlines its calls. */
export function ownCopy<A extends unknown[]>(loop: (...args: A) => Loop): (...args: A) => Loop {
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- source text of this program alone
  return new Function(`return ${loop.toString()}`)() as typeof loop;
}
