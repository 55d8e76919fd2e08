// Arbitrary values for a shape that somebody else chose: what its field could hold, a union by one of its members.
import * as fc from 'fast-check';
import { NUMBER_ACCESS } from '../../src/layout/number-access.ts';
import type { BitsShape, NumberShape, Shape, TextShape } from '../../src/layout/shape.ts';

const whole = ({ code, wide }: NumberShape): fc.Arbitrary<number | bigint> => {
  const { low, high } = NUMBER_ACCESS[code];
  return fc.bigInt({ min: BigInt(low), max: BigInt(high) }).map((value) => (wide ? value : Number(value)));
};

const numberOf = (shape: NumberShape): fc.Arbitrary<number | bigint> => {
  if (shape.code === 'f32') return fc.float({ noNaN: true });
  return shape.code === 'f64' ? fc.double({ noNaN: true }) : whole(shape);
};

/** Bits that C gives no name are 0. */
const bitsOf = ({ members, base }: BitsShape): fc.Arbitrary<unknown> =>
  fc.record(
    Object.fromEntries(
      members.map(({ name, width }) => {
        const most = name.startsWith('$') ? 0n : (1n << BigInt(width)) - 1n;
        return [name, fc.bigInt({ min: 0n, max: most }).map((value) => (base.wide ? value : Number(value)))];
      }),
    ),
  );

const textOf = ({ encoding, units, ending }: TextShape): fc.Arbitrary<string> =>
  fc.string({
    unit: fc
      .integer({ min: 1, max: encoding.unit === 1 ? 126 : 0xd7ff })
      .map((point) => String.fromCharCode(point)),
    maxLength: ending === 'terminated' ? units - 1 : units,
    size: 'max',
  });

/** Gives values that a write of `shape` takes and a read gives back; those of a union name one member. */
export function arbitraryOf(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'number':
      return numberOf(shape);
    case 'boolean':
      return fc.boolean();
    case 'enum':
      return fc.constantFrom(...shape.members.map(({ name }) => name));
    case 'bits':
      return bitsOf(shape);
    case 'time':
      return fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true });
    case 'text':
      return textOf(shape);
    case 'bytes':
      return fc.uint8Array({ minLength: shape.size, maxLength: shape.size, size: 'max' });
    case 'array':
      return fc.array(arbitraryOf(shape.of), {
        minLength: shape.length,
        maxLength: shape.length,
        size: 'max',
      });
    case 'struct':
      return fc.record(
        Object.fromEntries(
          shape.fields
            .filter((field) => field.shape.kind !== 'pad')
            .map((field) => [field.name, arbitraryOf(field.shape)]),
        ),
      );
    case 'union': {
      // A member that neither has a name nor members with names cannot be written in C.
      const called = shape.fields.filter(
        (field) => !field.name.startsWith('$') || ['struct', 'union', 'bits'].includes(field.shape.kind),
      );
      const [first, ...others] = called.map((field) =>
        arbitraryOf(field.shape).map((value) => ({ [field.name]: value })),
      );
      return fc.oneof(first as fc.Arbitrary<unknown>, ...others);
    }
    case 'pad':
      throw new TypeError('padding has no value');
  }
}
