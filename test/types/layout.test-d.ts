// What layouts infer, and what they refuse, at compile time.
import { describe, expectTypeOf, test } from 'vitest';
import { array, bits, bytes, enumOf, pad } from '../../src/layout/composites.ts';
import { be, bool, f32, f64, filetime, i32, long, u16, u32, u64, u8 } from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char, char16, utf8 } from '../../src/layout/text-types.ts';
import type {
  AnyType,
  ArrayType,
  ColumnOf,
  FieldName,
  FieldType,
  Infer,
  InferInput,
  InferPatch,
  IntegerName,
  View,
} from '../../src/layout/types.ts';

const Point = struct('Point', { x: f64, y: f64 });
const Sensor = struct(
  'Sensor',
  {
    id: u32,
    spare: pad(4),
    pos: Point,
    live: bool,
    name: char(32, { encoding: 'gbk' }),
    title: char16(32),
    state: enumOf(u8, { Idle: 0, Run: 1, Fault: 7 }),
    mode: enumOf(u8, { Off: 0, On: 1 }, { open: true }),
    big: enumOf(u64, { Off: 0n, On: 1n }, { open: true }),
    trace: array(Point, 4),
    grid: array(array(f64, 3), 2),
    total: be(u64),
    flags: bits(u8, { ready: 1, mode: 3 }),
    caps: bits(u64, { rdpmc: 1, rest: 63 }),
    value: union('Value', { asFloat: f64, asWord: u64 }),
    stamp: filetime,
    size: long,
    contextLength: u32,
    context: bytes(256, { length: 'contextLength' }),
    sampleCount: u16,
    samples: array(f32, 8, { length: 'sampleCount' }),
  },
  { pack: 8 },
);
type Sensor = Infer<typeof Sensor>;
type Input = InferInput<typeof Sensor>;
type Patch = InferPatch<typeof Sensor>;

describe('Infer', () => {
  test('gives what a read gives', () => {
    expectTypeOf<Sensor['id']>().toEqualTypeOf<number>();
    expectTypeOf<Sensor['pos']>().toEqualTypeOf<{ x: number; y: number }>();
    expectTypeOf<Sensor['live']>().toEqualTypeOf<boolean>();
    expectTypeOf<Sensor['name']>().toEqualTypeOf<string>();
    expectTypeOf<Sensor['state']>().toEqualTypeOf<'Idle' | 'Run' | 'Fault'>();
    expectTypeOf<Sensor['mode']>().toEqualTypeOf<'Off' | 'On' | number>();
    expectTypeOf<Sensor['big']>().toEqualTypeOf<'Off' | 'On' | bigint>();
    expectTypeOf<Sensor['trace']>().toEqualTypeOf<{ x: number; y: number }[]>();
    expectTypeOf<Sensor['grid']>().toEqualTypeOf<number[][]>();
    expectTypeOf<Sensor['total']>().toEqualTypeOf<bigint>();
    expectTypeOf<Sensor['flags']>().toEqualTypeOf<{ ready: number; mode: number }>();
    expectTypeOf<Sensor['caps']>().toEqualTypeOf<{ rdpmc: bigint; rest: bigint }>();
    expectTypeOf<Sensor['value']>().toEqualTypeOf<{ asFloat: number; asWord: bigint }>();
    expectTypeOf<Sensor['stamp']>().toEqualTypeOf<Date>();
    expectTypeOf<Sensor['size']>().toEqualTypeOf<bigint>();
    expectTypeOf<Sensor['context']>().toEqualTypeOf<Uint8Array<ArrayBuffer>>();
    expectTypeOf<Sensor['samples']>().toEqualTypeOf<number[]>();
  });

  test('leaves padding out, keeps lengths in', () => {
    expectTypeOf<Sensor>().not.toHaveProperty('spare');
    expectTypeOf<Sensor>().toHaveProperty('contextLength');
  });

  test('is writable: a draft is changed in place', () => {
    const draft = Sensor.zero();
    draft.pos.x = 1;
    draft.trace[0]!.y = 2;
    draft.state = 'Fault';
    draft.value.asWord = 3n;
    // @ts-expect-error no such member
    draft.state = 'Nope';
    // @ts-expect-error a bigint field
    draft.total = 9;
  });
});

describe('InferInput', () => {
  test('takes what was read', () => {
    expectTypeOf<Sensor>().toExtend<Input>();
  });

  test('takes typed arrays for arrays of numbers, of the right element kind', () => {
    expectTypeOf<Float32Array>().toExtend<Input['samples']>();
    expectTypeOf<BigInt64Array>().not.toExtend<Input['samples']>();
    expectTypeOf<Float32Array[]>().toExtend<Input['grid']>();
  });

  test('makes lengths optional, and nothing else', () => {
    expectTypeOf<undefined>().toExtend<Input['contextLength']>();
    expectTypeOf<undefined>().not.toExtend<Input['id']>();
    expectTypeOf<undefined>().not.toExtend<Input['context']>();
  });

  test('takes a union with exactly one member', () => {
    expectTypeOf<{ asWord: bigint }>().toExtend<Input['value']>();
    expectTypeOf<Record<never, never>>().not.toExtend<Input['value']>();
  });
});

describe('InferPatch', () => {
  test('is a nested partial of structs; arrays and unions are replaced whole', () => {
    expectTypeOf<{ pos: { x: number } }>().toExtend<Patch>();
    expectTypeOf<Record<never, never>>().toExtend<Patch>();
    expectTypeOf<{ trace: { x: number }[] }>().not.toExtend<Patch>();
    expectTypeOf<{ flags: { ready: number } }>().not.toExtend<Patch>();
  });

  test('refuses unknown fields and wrong values', () => {
    const memory = new ArrayBuffer(Sensor.size);
    Sensor.encode({ pos: { x: 1 }, value: { asWord: 3n } }, memory);
    // @ts-expect-error a misspelt field
    Sensor.encode({ nmae: 'x' }, memory);
    // @ts-expect-error a union has no such member
    Sensor.encode({ value: { asFloat: 1, asInt: 1 } }, memory);
    // @ts-expect-error a text field
    Sensor.encode({ name: 5 }, memory);
    // @ts-expect-error padding is no field of records
    Sensor.encode({ spare: 5 }, memory);
  });
});

describe('struct', () => {
  test('refuses names that JavaScript needs for itself or reorders', () => {
    // @ts-expect-error JavaScript's own name
    expectTypeOf(() => struct('Bad', { constructor: u8 })).toBeFunction();
    // @ts-expect-error JavaScript's own name
    expectTypeOf(() => struct('Bad', { toJSON: u8 })).toBeFunction();
    // @ts-expect-error integer-like keys lose their order
    expectTypeOf(() => struct('Bad', { 0: u8, a: u8 })).toBeFunction();
  });

  test('refuses a length that is in no integer sibling', () => {
    // @ts-expect-error no sibling of that name
    expectTypeOf(() => struct('Bad', { text: utf8(8, { length: 'size' }) })).toBeFunction();
    // @ts-expect-error the sibling is a text
    expectTypeOf(() => struct('Bad', { size: utf8(4), text: utf8(8, { length: 'size' }) })).toBeFunction();
  });

  test('knows its offsets, and pins only fields that exist', () => {
    expectTypeOf(Sensor.offsets.title).toEqualTypeOf<number>();
    // @ts-expect-error no such offset
    expectTypeOf(Sensor.offsets.nope).toBeNumber();
    // @ts-expect-error padding has no offset to ask for
    expectTypeOf(Sensor.offsets.spare).toBeNumber();
    // @ts-expect-error no such field
    expectTypeOf(() => struct('Bad', { a: u8 }, { offsets: { b: 1 } })).toBeFunction();
    // @ts-expect-error no such pack
    expectTypeOf(() => struct('Bad', { a: u8 }, { pack: 3 })).toBeFunction();
  });

  test('enumOf takes members of its base’s kind', () => {
    // @ts-expect-error text is no value
    expectTypeOf(() => enumOf(u8, { A: 'x' })).toBeFunction();
    // @ts-expect-error a float is no base
    expectTypeOf(() => bits(f64, { a: 1 })).toBeFunction();
  });

  test('an enum is closed only if its options cannot say otherwise', () => {
    const members = { Off: 0, On: 1 } as const;
    const widened = { open: true };
    const optional: { readonly open?: boolean } = {};
    const shut = { open: false } as const;
    const none = {};
    expectTypeOf(enumOf(u8, members, widened)).toEqualTypeOf<FieldType<'Off' | 'On' | number>>();
    expectTypeOf(enumOf(u64, { Off: 0n }, optional)).toEqualTypeOf<FieldType<'Off' | bigint>>();
    expectTypeOf(enumOf(u8, members, shut)).toEqualTypeOf<FieldType<'Off' | 'On'>>();
    expectTypeOf(enumOf(u8, members, none)).toEqualTypeOf<FieldType<'Off' | 'On'>>();
    expectTypeOf(enumOf(u8, members)).toEqualTypeOf<FieldType<'Off' | 'On'>>();
  });

  test('an array has no padding for elements', () => {
    // @ts-expect-error padding is no element
    expectTypeOf(() => array(pad(1), 2)).toBeFunction();
    expectTypeOf(array(Point, 2)).toEqualTypeOf<ArrayType<typeof Point, 2>>();
  });

  test('be swaps no struct and no union, nor arrays of them', () => {
    const either = union('Either', { a: u8 });
    // @ts-expect-error a struct
    expectTypeOf(() => be(Point)).toBeFunction();
    // @ts-expect-error a union
    expectTypeOf(() => be(either)).toBeFunction();
    // @ts-expect-error an array of structs
    expectTypeOf(() => be(array(Point, 2))).toBeFunction();
    // @ts-expect-error an array of arrays of unions
    expectTypeOf(() => be(array(array(either, 2), 2))).toBeFunction();
    expectTypeOf(be(array(array(u16, 2), 3))).toEqualTypeOf<ArrayType<ArrayType<typeof u16, 2>, 3>>();
    expectTypeOf(be(enumOf(u8, { A: 1 }))).toEqualTypeOf<FieldType<'A'>>();
    const some: AnyType = u16;
    expectTypeOf(be(some)).toEqualTypeOf<AnyType>();
    expectTypeOf(array(some, 2)).toEqualTypeOf<ArrayType<AnyType, 2>>();
  });
});

describe('View', () => {
  const view = Sensor.view(new ArrayBuffer(4096));

  test('has live parts', () => {
    view.id = 1;
    view.pos.x = 2;
    view.value.asFloat = 1;
    view.flags.ready = 1;
    view.grid[0]![2] = 3;
    expectTypeOf(view.grid.length).toEqualTypeOf<2>();
    expectTypeOf([...view.trace]).toEqualTypeOf<{ x: number; y: number }[]>();
    expectTypeOf(view.moveTo(512)).toExtend<{ readonly id: number }>();
    expectTypeOf(view.toJSON()).toEqualTypeOf<Sensor>();
  });

  test('refuses typos and the replacement of a part', () => {
    // @ts-expect-error a typo
    view.nmae = 'x';
    // @ts-expect-error a nested struct of a view is not replaced
    view.pos = { x: 1, y: 2 };
  });

  test('a field called moveTo takes the place of the method', () => {
    const Odd = struct('Odd', { moveTo: u64 });
    expectTypeOf<View<{ readonly moveTo: typeof u64 }>['moveTo']>().toEqualTypeOf<bigint>();
    expectTypeOf(Odd.view(new ArrayBuffer(8)).moveTo).toEqualTypeOf<bigint>();
  });
});

describe('names and columns', () => {
  test('FieldName and IntegerName', () => {
    expectTypeOf<IntegerName<typeof Sensor>>().toEqualTypeOf<
      'id' | 'total' | 'size' | 'contextLength' | 'sampleCount'
    >();
    expectTypeOf<'name'>().toExtend<FieldName<typeof Sensor>>();
    expectTypeOf<'spare'>().not.toExtend<FieldName<typeof Sensor>>();
  });

  test('ColumnOf is a typed array for numbers, else an array', () => {
    expectTypeOf<ColumnOf<typeof Sensor, 'id'>>().toEqualTypeOf<Uint32Array>();
    expectTypeOf<ColumnOf<typeof Sensor, 'size'>>().toEqualTypeOf<BigInt64Array>();
    expectTypeOf<ColumnOf<typeof Sensor, 'name'>>().toEqualTypeOf<string[]>();
  });
});

describe('a struct of 120 fields', () => {
  type Wide = { readonly [K in `f${Digit}${Digit}${'a' | 'b'}`]: typeof i32 };
  type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';
  test('is inferred without a depth limit', () => {
    const wide = struct<Wide>('Wide', {} as never);
    expectTypeOf<Infer<typeof wide>['f42b']>().toEqualTypeOf<number>();
    expectTypeOf<keyof Infer<typeof wide>>().toEqualTypeOf<keyof Wide>();
  });
});
