// Spells a layout as C for a compiler that acts as an oracle: only the types whose C form cannot be doubted.
import { unsignedUnit } from '../../src/layout/scalar-codec.ts';
import {
  insideOf,
  type BitsShape,
  type PlacedField,
  type Shape,
  type StructShape,
} from '../../src/layout/shape.ts';
import type { AnyType, ArrayType, Layout } from '../../src/layout/types.ts';
import { packOfUnion } from './layout-arbitraries.ts';

const NUMBERS = {
  u8: 'uint8_t',
  i8: 'int8_t',
  u16: 'uint16_t',
  i16: 'int16_t',
  u32: 'uint32_t',
  i32: 'int32_t',
  u64: 'uint64_t',
  i64: 'int64_t',
  f32: 'float',
  f64: 'double',
} as const;

/** Shapes of structs with pins, which no option of a compiler makes. */
export const pinnedShapes = new WeakSet<Shape>();

/** Gathers struct definitions, inner ones first. */
export class CSource {
  readonly lines: string[] = [];
  readonly #names = new Map<Shape, string>();

  /** Gives the C type of an element, its array dimensions, and whatever struct it needs defined. */
  #declare(shape: Shape, type: AnyType): { readonly type: string; readonly dims: string } {
    switch (shape.kind) {
      case 'number': {
        const { code, bigEndian } = shape;
        const swappedFloat = bigEndian && (code === 'f32' || code === 'f64');
        return { type: swappedFloat ? NUMBERS[code === 'f32' ? 'u32' : 'u64'] : NUMBERS[code], dims: '' };
      }
      case 'boolean':
        return {
          type:
            shape.size === 1 && !shape.allOnes
              ? 'bool'
              : NUMBERS[(['', 'u8', 'u16', '', 'u32'] as const)[shape.size] as 'u8'],
          dims: '',
        };
      case 'enum':
        return this.#declare(shape.base, type);
      case 'bits':
        // Bit fields of the compiler's own; it has none whose bytes are swapped.
        return shape.base.bigEndian
          ? this.#declare(shape.base, type)
          : { type: `struct ${this.#defineBits(shape)}`, dims: '' };
      case 'time':
        return shape.epoch === 'filetime'
          ? { type: 'uint32_t', dims: '[2]' }
          : { type: shape.epoch === 'unixMs' || shape.bigEndian ? 'int64_t' : 'double', dims: '' };
      case 'text':
        return {
          type: NUMBERS[(['', 'u8', 'u16', '', 'u32'] as const)[shape.encoding.unit] as 'u8'],
          dims: `[${shape.size / shape.encoding.unit}]`,
        };
      case 'bytes':
      case 'pad':
        return { type: 'uint8_t', dims: `[${shape.size}]` };
      case 'array': {
        const { type: element, dims } = this.#declare(shape.of, (type as ArrayType<AnyType, number>).of);
        return { type: element, dims: `[${shape.length}]${dims}` };
      }
      case 'struct':
      case 'union':
        return {
          type: `${shape.kind} ${this.define(shape, (type as Partial<Layout>).pack ?? packOfUnion.get(type))}`,
          dims: '',
        };
    }
  }

  #defineBits(shape: BitsShape): string {
    const known = this.#names.get(shape);
    if (known !== undefined) return known;
    const unit = NUMBERS[unsignedUnit(shape.base).code];
    const name = `s${this.#names.size}`;
    this.#names.set(shape, name);
    this.lines.push(
      `struct ${name} {`,
      ...shape.members.map(({ width }, i) => `  ${unit} m${i} : ${width};`),
      '};',
    );
    return name;
  }

  /** Defines a struct or union and gives its tag. */
  define(shape: Extract<Shape, { kind: 'struct' | 'union' }>, pack: number | undefined): string {
    const known = this.#names.get(shape);
    if (known !== undefined) return known;
    if (shape.kind === 'struct' && pinnedShapes.has(shape)) return this.#definePinned(shape);
    const members = shape.fields.map((field, i) => this.#member(field, i));
    return this.#add(shape, pack, members);
  }

  /** Defines a struct whose fields are pinned: packed, with the bytes between them as members of their own. */
  #definePinned(shape: StructShape): string {
    const members: string[] = [];
    let end = 0;
    const fill = (at: number): void => {
      if (at > end) members.push(`  uint8_t g${end}[${at - end}];`);
    };
    shape.fields.forEach((field, i) => {
      fill(field.offset);
      members.push(this.#member(field, i));
      end = field.offset + field.shape.size;
    });
    fill(shape.size);
    return this.#add(shape, 1, members, ` __attribute__((aligned(${shape.align})))`);
  }

  #member(field: PlacedField, index: number): string {
    const { type, dims } = this.#declare(field.shape, field.type);
    return `  ${type} f${index}${dims};`;
  }

  #add(
    shape: Extract<Shape, { kind: 'struct' | 'union' }>,
    pack: number | undefined,
    members: readonly string[],
    attributes = '',
  ): string {
    const name = `s${this.#names.size}`;
    this.#names.set(shape, name);
    const open = pack === undefined ? [] : [`#pragma pack(push, ${pack})`];
    const close = pack === undefined ? [] : ['#pragma pack(pop)'];
    this.lines.push(...open, `${shape.kind} ${name} {`, ...members, `}${attributes};`, ...close);
    return name;
  }
}

/** Gives the struct shape of a layout. */
export const shapeOf = (layout: Layout): StructShape => insideOf(layout)?.shapeOn(layout.abi) as StructShape;
