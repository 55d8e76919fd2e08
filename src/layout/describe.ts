// Draws a layout as a table for people: offset, size, name and type of each field, nested structs indented.
import type { Abi, Pack } from './abi.ts';
import { lengthFieldOf, type Shape, type StructShape, type UnionShape } from './shape.ts';

/** Spells a shape for people, for instance `utf-8 text of 12 bytes`. */
export function typeText(shape: Shape): string {
  const sibling = lengthFieldOf(shape);
  const tail = sibling === undefined ? '' : `, length in ${sibling}`;
  const order = 'bigEndian' in shape && shape.bigEndian ? ' big-endian' : '';
  switch (shape.kind) {
    case 'number':
      return shape.code + order;
    case 'boolean':
      return `boolean${shape.allOnes ? ', true is all ones' : ''}${order}`;
    case 'time':
      return shape.epoch + order;
    case 'enum':
      return `enum ${typeText(shape.base)} { ${shape.members.map(({ name, value }) => `${name} = ${value}`).join(', ')} }`;
    case 'bits':
      return `bits ${typeText(shape.base)} { ${shape.members.map(({ name, width }) => `${name}: ${width}`).join(', ')} }`;
    case 'text': {
      const unit = shape.encoding.unit === 1 ? 'bytes' : `units of ${shape.encoding.unit} bytes`;
      const ending = {
        terminated: ' with terminator',
        full: '',
        counted: ' after a length byte',
        sibling: '',
      }[shape.ending];
      return `${shape.encoding.name}${order} text of ${shape.units} ${unit}${ending}${tail}`;
    }
    case 'bytes':
      return `bytes${tail}`;
    case 'array':
      return `${shape.length} of ${shape.of.kind === 'struct' || shape.of.kind === 'union' ? shape.of.name : typeText(shape.of)}${tail}`;
    case 'struct':
    case 'union':
      return `${shape.kind} ${shape.name}`;
    case 'pad':
      return 'padding';
  }
}

function partsOf(shape: Shape): StructShape | UnionShape | undefined {
  if (shape.kind === 'array') return partsOf(shape.of);
  return shape.kind === 'struct' || shape.kind === 'union' ? shape : undefined;
}

function rowsOf(shape: StructShape | UnionShape, base: number, indent: string): string[][] {
  return shape.fields.flatMap(({ name, offset, shape: field }) => {
    const row = [String(base + offset), String(field.size), indent + name, typeText(field)];
    const parts = partsOf(field);
    return parts === undefined ? [row] : [row, ...rowsOf(parts, base + offset, `${indent}  `)];
  });
}

/** Draws the offset table. */
export function describe(shape: StructShape, abi: Abi, pack: Pack | undefined): string {
  const rows = [['offset', 'size', 'field', 'type'], ...rowsOf(shape, 0, '')];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const lines = rows.map(([offset = '', size = '', name = '', type = '']) =>
    `  ${offset.padStart(widths[0] as number)}  ${size.padStart(widths[1] as number)}  ${name.padEnd(widths[2] as number)}  ${type}`.trimEnd(),
  );
  const packed = pack === undefined ? '' : `, pack ${pack}`;
  return `${shape.name}: ${shape.size} bytes, aligned to ${shape.align}, ${abi}${packed}\n${lines.join('\n')}\n`;
}
