// Published records as a C compiler laid them out: sizes, offsets, and a sample image in both directions.
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { codecOf, referenceCodecOf } from '../../src/layout/codec.ts';
import { insideOf, type Shape } from '../../src/layout/shape.ts';
import { struct } from '../../src/layout/struct.ts';
import type { Layout } from '../../src/layout/types.ts';
import { holderOf, leafText, truthCases, type Leaf } from '../support/layout-truth.ts';
import { withCode } from '../support/with-code.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What a leaf is in a record, as the truth file spells it. */
function spelled(leaf: Leaf, value: unknown): unknown {
  if (leaf.kind === 'bytes') return hex(value as Uint8Array);
  if (typeof value === 'bigint') return leaf.kind.endsWith('64') ? String(value) : Number(value);
  if (typeof value === 'boolean') return Number(value);
  return value;
}

/** What a record takes for a leaf. */
function given(leaf: Leaf, old: unknown): unknown {
  if (leaf.kind === 'bytes') return new Uint8Array(Buffer.from(leaf.value as string, 'hex'));
  if (typeof old === 'bigint') return BigInt(leaf.value as string);
  if (typeof old === 'boolean') return leaf.value !== 0;
  return leaf.value;
}

/** The text of a leaf on its own, whatever its neighbours' code page. */
const textAt = (leaf: Leaf, abi: Layout['abi'], memory: Uint8Array<ArrayBuffer>): unknown =>
  struct('Leaf', { text: leafText(leaf) }, { abi }).decode(memory, leaf.offset).text;

/** Byte offset of a path, summed over the shapes. */
function offsetOf(shape: Shape, path: readonly string[]): number | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return 0;
  if (shape.kind === 'array') {
    const inner = offsetOf(shape.of, rest);
    return inner === undefined ? undefined : Number(first) * shape.of.size + inner;
  }
  if (shape.kind === 'bits') return shape.members.some(({ name }) => name === first) ? 0 : undefined;
  if (shape.kind !== 'struct' && shape.kind !== 'union') return undefined;
  for (const field of shape.fields) {
    const inner =
      field.name === first
        ? offsetOf(field.shape, rest)
        : field.name.startsWith('$')
          ? offsetOf(field.shape, path)
          : undefined;
    if (inner !== undefined) return field.offset + inner;
  }
  return undefined;
}

const cases = truthCases();

test('there are truth files for both Windows and Linux', () => {
  const abis = new Set(cases.map(({ truth }) => truth.abi));
  expect([...abis].toSorted()).toEqual(expect.arrayContaining(['linux64', 'win64']));
});

describe.each(cases)('$title', ({ truth, image, layout, parts }) => {
  const shape = insideOf(layout)?.shapeOn(truth.abi) as Shape;
  const record = layout.decode(image) as Record<string, unknown>;

  test('the image is the one the truth was made with', () => {
    expect(createHash('sha256').update(image).digest('hex')).toBe(truth.sha256);
  });

  test('every struct has the compiler’s size and alignment', () => {
    for (const [name, facts] of Object.entries(truth.structs)) {
      const part = insideOf(parts.get(name))?.shapeOn(truth.abi);
      expect({ name, sizeof: part?.size, alignof: part?.align }).toEqual({
        name,
        sizeof: facts.sizeof,
        alignof: facts.alignof,
      });
    }
    expect([layout.size, layout.align]).toEqual([truth.sizeof, truth.alignof]);
  });

  test('every leaf lies at the compiler’s offset', () => {
    expect(truth.leaves.length).toBeGreaterThan(0);
    for (const { path, offset } of truth.leaves) {
      expect({ path, offset: offsetOf(shape, path.split(/[.[\]]+/).filter(Boolean)) }).toEqual({
        path,
        offset,
      });
    }
  });

  test.each([
    ['generated code', codecOf],
    ['the plain loop', referenceCodecOf],
  ])('%s reads every leaf of the image', (_, codec) => {
    const read = codec(layout).decode(new DataView(image.buffer), 0);
    for (const leaf of truth.leaves) {
      if (leaf.value === undefined) continue;
      const found = holderOf(read, leaf.path);
      const value =
        leaf.kind === 'string' ? textAt(leaf, truth.abi, image) : spelled(leaf, found?.holder[found.key]);
      expect({ path: leaf.path, value }).toEqual({ path: leaf.path, value: leaf.value });
      const whole = found?.holder[found.key];
      if (leaf.kind === 'string' && typeof whole === 'string') expect(whole).toBe(leaf.value);
    }
  });

  test.each([
    ['zeros', 0],
    ['old text', 0xcc],
  ])('writing every leaf over %s gives the image, byte for byte', (_, old) => {
    const wanted = layout.zero() as Record<string, unknown>;
    for (const leaf of truth.leaves) {
      if (leaf.aliased === true) continue;
      const place = holderOf(wanted, leaf.path);
      expect(place, leaf.path).toBeDefined();
      if (place === undefined) continue;
      const before = place.holder[place.key];
      if (leaf.kind === 'string' && before instanceof Uint8Array) {
        const memory = new Uint8Array(leaf.size);
        struct('Leaf', { text: leafText(leaf) }, { abi: truth.abi }).encode({ text: leaf.value }, memory);
        place.holder[place.key] = memory;
      } else place.holder[place.key] = given(leaf, before);
    }
    for (const codec of [codecOf(layout), referenceCodecOf(layout)]) {
      const memory = new Uint8Array(layout.size).fill(old);
      codec.encode(new DataView(memory.buffer), 0, wanted);
      expect(hex(memory)).toBe(hex(image));
    }
  });

  test('what was read can be written back', () => {
    const memory = new Uint8Array(layout.size).fill(0xcc);
    codecOf(layout).encode(new DataView(memory.buffer), 0, record);
    expect(hex(memory)).toBe(hex(image));
  });

  test('a text ends at its terminator, not at the first zero of the image', () => {
    for (const leaf of truth.leaves.filter(({ kind, aliased }) => kind === 'string' && aliased !== true)) {
      const memory = new Uint8Array(layout.size).fill(0xcc);
      struct('Leaf', { text: leafText(leaf) }, { abi: truth.abi }).encode(
        { text: leaf.value },
        memory,
        leaf.offset,
      );
      expect(textAt(leaf, truth.abi, memory)).toBe(leaf.value);
      expect(hex(memory.subarray(leaf.offset + leaf.size))).toMatch(/^(?:cc)*$/);
    }
  });

  test('memory shorter than the record is refused, longer memory is not', () => {
    expect(() => layout.decode(image.subarray(0, layout.size - 1))).toThrow(withCode('INDEX_RANGE'));
    const page = new Uint8Array(layout.size + 4096);
    page.set(image);
    expect(JSON.stringify(layout.decode(page), bigintText)).toBe(JSON.stringify(record, bigintText));
  });
});

const bigintText = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value;
