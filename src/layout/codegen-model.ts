// What source text for a peer is made of, whatever its language: records with every byte accounted for, inner ones first, and names
// that are plain identifiers. Nothing of a definition but sanitised names and numbers gets into generated source.
import type { NumberCode, PlacedField, Shape, StructShape, UnionShape } from './shape.ts';

export type PeerType =
  | { readonly kind: 'number'; readonly code: NumberCode; readonly bigEndian: boolean }
  | {
      readonly kind: 'boolean';
      readonly size: 1 | 2 | 4;
      readonly allOnes: boolean;
      readonly bigEndian: boolean;
    }
  | { readonly kind: 'text'; readonly unit: 1 | 2 | 4; readonly units: number }
  | { readonly kind: 'shortString'; readonly units: number }
  | { readonly kind: 'bytes'; readonly size: number }
  | { readonly kind: 'filetime' }
  | { readonly kind: 'tDateTime' }
  | { readonly kind: 'array'; readonly of: PeerType; readonly length: number }
  | { readonly kind: 'record'; readonly record: PeerRecord };

export interface PeerMember {
  readonly name: string;
  readonly offset: number;
  readonly type: PeerType;
  /** What the type does not say: encoding, byte order, where the length is. Free of quotes, slashes and line ends. */
  readonly note: string;
}

export interface PeerConstant {
  readonly name: string;
  readonly value: number | bigint;
}

export interface PeerRecord {
  readonly name: string;
  readonly union: boolean;
  readonly size: number;
  /** Alignment of the fields that C's rules need to be told, undefined where the natural one does. */
  readonly pack: number | undefined;
  /** In memory order; gaps are members called `reserved…`. Members of a union all lie at 0. */
  readonly members: readonly PeerMember[];
  /** Members of enums, masks and shifts of bit fields. */
  readonly constants: readonly PeerConstant[];
}

/** What a language keeps for itself. */
export interface NameRules {
  readonly keywords: ReadonlySet<string>;
  readonly caseSensitive: boolean;
}

/** Hands out identifiers, each once. */
export class Names {
  readonly #taken = new Set<string>();
  readonly #rules: NameRules;
  readonly #outer: Names | undefined;

  /** Names of `outer` are not handed out again: a field called like a type would hide the type. */
  constructor(rules: NameRules, outer?: Names) {
    this.#rules = rules;
    this.#outer = outer;
  }

  #fold(name: string): string {
    return this.#rules.caseSensitive ? name : name.toLowerCase();
  }

  has(name: string): boolean {
    const folded = this.#fold(name);
    return this.#taken.has(folded) || this.#rules.keywords.has(folded) || (this.#outer?.has(name) ?? false);
  }

  /** Gives a name like `wanted` that neither this nor `other` has. */
  take(wanted: string, other?: Names): string {
    const letters = wanted.replaceAll(/[^A-Za-z0-9_]/g, '_');
    const identifier = /^[A-Za-z]|^_.*[A-Za-z0-9]/.test(letters) ? letters : `x${letters}`;
    let name = identifier;
    for (let n = 2; this.has(name) || other?.has(name) === true; n++) name = `${identifier}_${n}`;
    this.#taken.add(this.#fold(name));
    return name;
  }
}

/** Alignment that a language's own rules give a type. */
function naturalAlign(shape: Shape): number {
  switch (shape.kind) {
    case 'array':
      return naturalAlign(shape.of);
    case 'struct':
    case 'union':
    case 'time':
    case 'bytes':
    case 'pad':
      return shape.align;
    case 'text':
      return shape.encoding.unit;
    default:
      return shape.size;
  }
}

class Builder {
  readonly #records: PeerRecord[] = [];
  readonly #names: Names;
  readonly #rules: NameRules;
  readonly #made = new Map<Shape, PeerRecord>();

  constructor(rules: NameRules, names: Names) {
    this.#rules = rules;
    this.#names = names;
  }

  /** Lists a struct's records; the struct itself has the first claim on its name. */
  all(shape: StructShape): readonly PeerRecord[] {
    this.record(shape, this.#names.take(shape.name));
    return this.#records;
  }

  /** Adds a record and those inside it; `called` is its name if it has one already. */
  record(shape: StructShape | UnionShape, called?: string): PeerRecord {
    const known = this.#made.get(shape);
    if (known !== undefined) return known;
    const inner = new Map(shape.fields.map((field) => [field, this.#type(field.shape)]));
    const name = called ?? this.#names.take(shape.name);
    const names = new Names(this.#rules, this.#names);
    const valued = shape.fields
      .filter((field) => field.shape.kind !== 'pad')
      .toSorted((a, b) => a.offset - b.offset);
    const constants: PeerConstant[] = [];
    const members: PeerMember[] = [];
    let end = 0;
    const reserve = (upTo: number): void => {
      if (upTo > end)
        members.push({
          name: names.take('reserved'),
          offset: end,
          type: { kind: 'bytes', size: upTo - end },
          note: '',
        });
    };
    for (const field of valued) {
      if (shape.kind === 'struct') reserve(field.offset);
      const member = {
        name: names.take(field.name),
        offset: field.offset,
        type: inner.get(field) as PeerType,
        note: noteOf(field.shape),
      };
      members.push(member);
      constants.push(...this.#constants(`${name}_${member.name}`, field.shape, names));
      end = field.offset + field.shape.size;
    }
    if (shape.kind === 'struct') reserve(shape.size);
    else if (valued.every((field) => field.shape.size < shape.size)) {
      members.push({
        name: names.take('reserved'),
        offset: 0,
        type: { kind: 'bytes', size: shape.size },
        note: '',
      });
    }
    const record = {
      name,
      union: shape.kind === 'union',
      size: shape.size,
      pack: packOf(shape, valued),
      members,
      constants,
    };
    this.#made.set(shape, record);
    this.#records.push(record);
    return record;
  }

  #type(shape: Shape): PeerType {
    switch (shape.kind) {
      case 'number':
        return { kind: 'number', code: shape.code, bigEndian: shape.bigEndian };
      case 'boolean':
        return {
          kind: 'boolean',
          size: shape.size as 1 | 2 | 4,
          allOnes: shape.allOnes,
          bigEndian: shape.bigEndian,
        };
      case 'enum':
        return { kind: 'number', code: shape.base.code, bigEndian: shape.base.bigEndian };
      case 'bits':
        return { kind: 'number', code: `u${8 * shape.size}` as NumberCode, bigEndian: shape.base.bigEndian };
      case 'time':
        if (shape.epoch === 'filetime' && !shape.bigEndian) return { kind: 'filetime' };
        if (shape.epoch === 'tDateTime' && !shape.bigEndian) return { kind: 'tDateTime' };
        return {
          kind: 'number',
          code: shape.epoch === 'tDateTime' ? 'f64' : shape.epoch === 'unixMs' ? 'i64' : 'u64',
          bigEndian: shape.bigEndian,
        };
      case 'text':
        if (shape.ending === 'counted') return { kind: 'shortString', units: shape.units };
        return { kind: 'text', unit: shape.encoding.unit, units: shape.units };
      case 'bytes':
      case 'pad':
        return { kind: 'bytes', size: shape.size };
      case 'array':
        return { kind: 'array', of: this.#type(shape.of), length: shape.length };
      case 'struct':
      case 'union':
        return { kind: 'record', record: this.record(shape) };
    }
  }

  /** Constants are names of the whole source, and in some languages beside the fields. */
  #constants(prefix: string, shape: Shape, fields: Names): PeerConstant[] {
    const constant = (name: string, value: number | bigint): PeerConstant => ({
      name: this.#names.take(`${prefix}_${name}`, fields),
      value,
    });
    if (shape.kind === 'array') return this.#constants(prefix, shape.of, fields);
    if (shape.kind === 'enum') return shape.members.map(({ name, value }) => constant(name, value));
    if (shape.kind !== 'bits') return [];
    return shape.members.flatMap(({ name, shift, width }) => [
      constant(`${name}_shift`, shift),
      constant(`${name}_mask`, ((1n << BigInt(width)) - 1n) << BigInt(shift)),
    ]);
  }
}

function packOf(shape: StructShape | UnionShape, valued: readonly PlacedField[]): number | undefined {
  const natural = valued.map((field) => naturalAlign(field.shape));
  const fits = (pack: number): boolean => {
    const aligns = natural.map((align) => Math.min(align, pack));
    return (
      Math.max(...aligns) === shape.align &&
      valued.every((field, i) => field.offset % (aligns[i] as number) === 0)
    );
  };
  if (fits(16)) return undefined;
  return [8, 4, 2].find(fits) ?? 1;
}

function noteOf(shape: Shape): string {
  if (shape.kind === 'array')
    return [shape.lengthField === undefined ? '' : 'counted elsewhere', noteOf(shape.of)]
      .filter(Boolean)
      .join(', ');
  if (shape.kind === 'text') {
    const ending = {
      terminated: 'ends with NUL',
      full: 'may fill the field',
      counted: 'behind a length byte',
      sibling: 'length is in another field',
    }[shape.ending];
    return `${shape.encoding.name}${shape.bigEndian ? ', big-endian' : ''}, ${ending}`;
  }
  if (shape.kind === 'enum' || shape.kind === 'bits')
    return shape.base.bigEndian ? `${shape.kind}, big-endian` : shape.kind;
  if (shape.kind === 'time') return `${shape.epoch}${shape.bigEndian ? ', big-endian' : ''}`;
  return 'bigEndian' in shape && shape.bigEndian ? 'big-endian' : '';
}

/** Lists the records of a struct for a language, inner ones first; the last is the struct itself. `names` gets all names of the whole source. */
export function peerRecords(
  shape: StructShape,
  rules: NameRules,
  names: Names = new Names(rules),
): readonly PeerRecord[] {
  return new Builder(rules, names).all(shape);
}
