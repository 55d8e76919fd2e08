// Which bytes of a staged record a write puts into memory that others use too: whole values, never padding, and of a revision only
// the values that differ.
import { same } from './changes.ts';
import { bytesOf, copyBetween } from './memory.ts';
import { lengthFieldOf, shapeOn, type BitsShape, type Shape } from './shape.ts';
import type { AnyLayout } from './types.ts';
import { codecOfShape } from './value-codec.ts';

/** `count` stores of `unit` bytes (1, 2, 4 or 8) from byte `at` of the record. */
export interface Run {
  readonly at: number;
  readonly unit: number;
  count: number;
}
/** Bytes from `from` up to `to`. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

class Collector {
  readonly runs: Run[] = [];
  readonly #base: DataView;
  readonly #staged: DataView;
  readonly #kept: readonly ByteRange[];
  readonly #all: boolean;

  constructor(base: DataView, staged: DataView, kept: readonly ByteRange[], all: boolean) {
    this.#base = base;
    this.#staged = staged;
    this.#kept = kept;
    this.#all = all;
  }

  walk(shape: Shape, at: number): void {
    switch (shape.kind) {
      case 'pad':
        return;
      case 'struct':
        for (const field of shape.fields) this.walk(field.shape, at + field.offset);
        return;
      case 'array':
        for (let i = 0; i < shape.length; i++) this.walk(shape.of, at + i * shape.of.size);
        return;
      case 'text':
      case 'bytes':
      case 'union':
        if (this.#differs(shape, at)) this.#add(at, 1, shape.size);
        return;
      case 'bits':
        this.#keepUnnamed(shape, at);
        break;
      default:
    }
    if (this.#differs(shape, at)) this.#add(at, shape.size, 1);
  }

  /** Bits without a name stay as they are. */
  #keepUnnamed(shape: BitsShape, at: number): void {
    const codec = codecOfShape(shape);
    const value = codec.read(this.#staged, at);
    copyBetween(this.#staged, at, this.#base, at, shape.size);
    codec.patch?.(this.#staged, at, value);
  }

  #differs(shape: Shape, at: number): boolean {
    if (this.#all) return true;
    let i = at;
    const end = at + shape.size;
    while (i < end && this.#staged.getUint8(i) === this.#base.getUint8(i)) i++;
    if (i === end) return false;
    // Without its length a text cannot be told from one that ends at a NUL.
    if (lengthFieldOf(shape) !== undefined) return true;
    const codec = codecOfShape(shape);
    try {
      return !same(shape, codec.read(this.#base, at), codec.read(this.#staged, at));
    } catch {
      return true; // what was there is no value
    }
  }

  #add(at: number, unit: number, count: number): void {
    const end = at + unit * count;
    const kept = this.#kept.find(({ from, to }) => from < end && at < to);
    if (kept !== undefined) {
      if (kept.from > at) this.#add(at, 1, kept.from - at);
      if (kept.to < end) this.#add(kept.to, 1, end - kept.to);
      return;
    }
    const last = this.runs.at(-1);
    if (last?.unit === unit && last.at + last.count * unit === at) last.count += count;
    else this.runs.push({ at, unit, count });
  }
}

/**
 * Lists the values of a record in `staged` that differ from those in `base`, or `all` of them, without the bytes `kept`. Both views
 * begin with the record; `staged` gets the bits without a name of `base`.
 */
export function valueRuns(
  layout: AnyLayout,
  base: DataView,
  staged: DataView,
  kept: readonly ByteRange[],
  all: boolean,
): readonly Run[] {
  const collector = new Collector(base, staged, kept, all);
  collector.walk(shapeOn(layout, layout.abi), 0);
  return collector.runs;
}

/** More stores than this are made by one native copy. */
const MANY = 16;

/** Copies `runs` of a record at byte 0 of `from` to byte 0 of `to`; cannot throw. */
export function copyRuns(runs: readonly Run[], from: DataView, to: DataView): void {
  for (const { at, unit, count } of runs) {
    const end = at + unit * count;
    if (count > MANY) bytesOf(to, at, end - at).set(bytesOf(from, at, end - at));
    else if (unit === 8) for (let i = at; i < end; i += 8) to.setBigUint64(i, from.getBigUint64(i));
    else if (unit === 4) for (let i = at; i < end; i += 4) to.setUint32(i, from.getUint32(i));
    else if (unit === 2) for (let i = at; i < end; i += 2) to.setUint16(i, from.getUint16(i));
    else for (let i = at; i < end; i++) to.setUint8(i, from.getUint8(i));
  }
}
