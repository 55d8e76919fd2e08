// Reads the published definitions in test/truth and makes layouts of them: a generic builder, so that another file only has to be
// dropped in. A definition is C; anonymous members and bit-field units get names here that begin with `$`.
import { readdirSync, readFileSync } from 'node:fs';
import type { Abi, Pack } from '../../src/layout/abi.ts';
import { array, bits, bytes, enumOf } from '../../src/layout/composites.ts';
import * as numbers from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char, char16, wchar } from '../../src/layout/text-types.ts';
import type { AnyType, Fields, Layout } from '../../src/layout/types.ts';

const TRUTH = new URL('../truth/', import.meta.url);

interface FieldFacts {
  readonly name?: string;
  readonly base?: string;
  readonly struct?: string;
  readonly enum?: string;
  readonly anonymous?: boolean;
  readonly dims?: readonly number[];
  readonly bits?: number;
  readonly text?: 'wide' | 'ansi' | 'utf8' | 'ascii' | 'bytes';
  readonly lengthField?: string;
}
interface StructFacts {
  readonly kind: 'struct' | 'union';
  readonly packing?: 'natural' | Pack;
  readonly fields: readonly FieldFacts[];
}
interface Definition {
  readonly system: string;
  readonly packing: 'natural' | Pack;
  readonly root: string;
  readonly structs: Readonly<Record<string, StructFacts>>;
  readonly enums?: Readonly<
    Record<string, { readonly base: string; readonly values: Readonly<Record<string, number>> }>
  >;
}
export interface Leaf {
  readonly path: string;
  readonly kind: string;
  readonly enum?: string;
  readonly offset: number;
  readonly size: number;
  readonly bits?: number;
  readonly shift?: number;
  readonly encoding?: string;
  readonly units?: number;
  readonly unitSize?: number;
  readonly terminated?: boolean;
  readonly lengthField?: string;
  readonly length?: number;
  readonly aliased?: boolean;
  readonly value?: unknown;
}
export interface Truth {
  readonly system: string;
  readonly abi: Abi;
  readonly root: string;
  readonly sizeof: number;
  readonly alignof: number;
  readonly structs: Readonly<Record<string, { readonly sizeof: number; readonly alignof: number }>>;
  readonly bin: string;
  readonly sha256: string;
  readonly leaves: readonly Leaf[];
}
export interface Case {
  readonly title: string;
  readonly truth: Truth;
  readonly image: Uint8Array<ArrayBuffer>;
  readonly layout: Layout;
  /** Every struct and union of the definition by name. */
  readonly parts: ReadonlyMap<string, AnyType>;
}

const BASES: Readonly<Record<string, AnyType>> = {
  int8: numbers.i8,
  uint8: numbers.u8,
  int16: numbers.i16,
  uint16: numbers.u16,
  int32: numbers.i32,
  uint32: numbers.u32,
  int64: numbers.i64,
  uint64: numbers.u64,
  float32: numbers.f32,
  float64: numbers.f64,
  char: numbers.i8,
  bool: numbers.bool,
  bool8: numbers.bool,
  bool32: numbers.bool32,
  char16: numbers.u16,
  long: numbers.long,
  ulong: numbers.ulong,
  time: numbers.timeT,
  size: numbers.sizeT,
  ptr: numbers.pointer,
};
const base = (name: string | undefined, abi: Abi): AnyType => {
  if (name === 'wchar') return abi.startsWith('win') ? numbers.u16 : numbers.u32;
  const type = BASES[name ?? ''];
  if (type === undefined) throw new Error(`the definition has an unknown base ${name}`);
  return type;
};

const encodingName = (name: string): string =>
  ({ ascii: 'cp20127', 'utf-16-le': 'utf-16', 'utf-32-le': 'utf-32' })[name] ?? name;

/** Makes the type of one text leaf, for fields whose elements are in different code pages. */
export function leafText({ encoding = '', units = 0, unitSize, terminated }: Leaf): AnyType {
  const options = { terminated: terminated !== false };
  if (unitSize === 1) return char(units, { ...options, encoding: encodingName(encoding) });
  return unitSize === 2 ? char16(units, options) : wchar(units, options);
}

/** Strips indices, so that the leaves of one field fall together. */
const fieldOf = (path: string): string => path.replaceAll(/\[\d+\]/g, '');

class Builder {
  readonly #definition: Definition;
  readonly #truth: Truth;
  readonly parts = new Map<string, AnyType>();

  constructor(definition: Definition, truth: Truth) {
    this.#definition = definition;
    this.#truth = truth;
  }

  /** Text leaves of the field of this name, wherever its struct is used. */
  #texts(name: string): readonly Leaf[] {
    return this.#truth.leaves.filter(
      ({ path, kind }) => kind === 'string' && fieldOf(path).split('.').at(-1) === name,
    );
  }

  #text(field: FieldFacts, units: number): AnyType {
    const leaves = this.#texts(field.name ?? '');
    const options = {
      ...(leaves.some(({ terminated }) => terminated === false) ? { terminated: false } : {}),
      ...(field.lengthField === undefined ? {} : { length: field.lengthField }),
    };
    if (field.base === 'wchar') return wchar(units, options);
    if (field.base === 'char16') return char16(units, options);
    const encodings = new Set(
      leaves.map(({ encoding = '' }) => encoding).filter((encoding) => encoding !== 'ascii'),
    );
    const [only = field.text === 'utf8' ? 'utf-8' : 'windows-1252'] = encodings;
    return encodings.size > 1 ? bytes(units) : char(units, { ...options, encoding: encodingName(only) });
  }

  #element(field: FieldFacts): AnyType {
    if (field.struct !== undefined) return this.part(field.struct);
    const facts = field.enum === undefined ? undefined : this.#definition.enums?.[field.enum];
    if (facts === undefined) return base(field.base, this.#truth.abi);
    return enumOf(base(facts.base, this.#truth.abi) as typeof numbers.i32, facts.values, { open: true });
  }

  #type(field: FieldFacts): AnyType {
    const dims = [...(field.dims ?? [])];
    if (field.text === 'bytes') {
      const size = dims.pop() ?? 0;
      return this.#dimensions(
        bytes(size, field.lengthField === undefined ? {} : { length: field.lengthField }),
        dims,
      );
    }
    if (field.text !== undefined) {
      const units = dims.pop() ?? 0;
      return this.#dimensions(this.#text(field, units), dims);
    }
    return this.#dimensions(this.#element(field), dims);
  }

  #dimensions(type: AnyType, dims: readonly number[]): AnyType {
    return dims.reduceRight<AnyType>((inner, n) => array(inner, n), type);
  }

  #fields(facts: readonly FieldFacts[]): Fields {
    const fields: [string, AnyType][] = [];
    for (let i = 0; i < facts.length; i++) {
      const field = facts[i] as FieldFacts;
      if (field.bits === undefined) {
        fields.push([field.name ?? `$${i}`, this.#type(field)]);
        continue;
      }
      const unit = base(field.base, this.#truth.abi) as typeof numbers.u32;
      const members: [string, number][] = [];
      let used = 0;
      for (
        ;
        facts[i]?.bits !== undefined &&
        facts[i]?.base === field.base &&
        used + (facts[i]?.bits ?? 0) <= 8 * unit.size;
        i++
      ) {
        members.push([facts[i]?.name ?? `$${i}`, facts[i]?.bits ?? 0]);
        used += facts[i]?.bits ?? 0;
      }
      i--;
      fields.push([`$${i}`, bits(unit, Object.fromEntries(members))]);
    }
    return Object.fromEntries(fields);
  }

  part(name: string): AnyType {
    const known = this.parts.get(name);
    if (known !== undefined) return known;
    const facts = this.#definition.structs[name];
    if (facts === undefined) throw new Error(`the definition has no struct ${name}`);
    const packing = facts.packing ?? this.#definition.packing;
    const options = { abi: this.#truth.abi, ...(packing === 'natural' ? {} : { pack: packing }) };
    const fields = this.#fields(facts.fields);
    const type =
      facts.kind === 'union' ? union<Fields>(name, fields, options) : struct<Fields>(name, fields, options);
    this.parts.set(name, type);
    return type;
  }
}

const json = (name: string): unknown => JSON.parse(readFileSync(new URL(name, TRUTH), 'utf8'));

/** Reads every truth file there is. */
export function truthCases(): readonly Case[] {
  return readdirSync(TRUTH)
    .filter((name) => name.endsWith('.truth.json'))
    .map((name) => {
      const truth = json(name) as Truth;
      const definition = json(`${truth.system}.json`) as Definition;
      const builder = new Builder(definition, truth);
      const layout = builder.part(truth.root) as Layout;
      const image = new Uint8Array(readFileSync(new URL(truth.bin, TRUTH)));
      return { title: `${truth.system} on ${truth.abi}`, truth, image, layout, parts: builder.parts };
    });
}

/** Splits `a.b[2].c` into its steps. */
const steps = (path: string): string[] => path.split(/[.[\]]+/).filter((step) => step !== '');

/** Finds the object that holds the last step of a path, through members without a name in C. */
export function holderOf(
  record: unknown,
  path: string,
): { readonly holder: Record<string, unknown>; readonly key: string } | undefined {
  const [first, ...rest] = steps(path);
  if (typeof record !== 'object' || record === null || first === undefined) return undefined;
  const holder = record as Record<string, unknown>;
  if (Object.hasOwn(holder, first))
    return rest.length === 0 ? { holder, key: first } : holderOf(holder[first], rest.join('.'));
  for (const key of Object.keys(holder)) {
    const found = key.startsWith('$') ? holderOf(holder[key], path) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
