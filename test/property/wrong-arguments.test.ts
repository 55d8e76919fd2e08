// Laws of arguments that are not what the types say: JavaScript passes anything, and each call takes it or says with a code that it does not.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as sharecord from '../../src/index.ts';
import {
  array,
  bits,
  byteLength,
  bytes,
  codegen,
  createMap,
  createSegment,
  createStore,
  enumOf,
  f64,
  openRecord,
  pad,
  SharecordError,
  struct,
  u32,
  u8,
  union,
  unguarded,
  utf8,
} from '../../src/index.ts';
import * as win32 from '../../src/win32.ts';

/** Text that no error has. */
const OWN = 'thrown by the argument itself';
const throwing = (): never => {
  throw new Error(OWN);
};
/** Made when they are used: what checks laws could not show them. */
const STRANGE: Readonly<Record<string, () => unknown>> = {
  'a symbol': () => Symbol('strange'),
  'a function': () => () => undefined,
  'an async function': () => async () => {},
  'an object without a prototype': () => Object.create(null) as unknown,
  'an object that cannot be a primitive': () => ({ valueOf: throwing, toString: throwing }),
  'an object that throws when it is looked at': () =>
    new Proxy({}, { get: throwing, has: throwing, ownKeys: throwing, getPrototypeOf: throwing }),
  'three bytes': () => new ArrayBuffer(3),
  'a DataView': () => new DataView(new ArrayBuffer(8)),
  'a typed array': () => new BigUint64Array(2),
  'minus zero': () => -0,
  '2^32': () => 2 ** 32,
  'the largest integer': () => Number.MAX_SAFE_INTEGER,
  'not a number': () => NaN,
  'a bigint': () => 5n,
  'the name of a prototype': () => '__proto__',
};
type Argument = { readonly strange: string } | { readonly plain: unknown };
const strange = fc.constantFrom(...Object.keys(STRANGE)).map((name): Argument => ({ strange: name }));
const plain = fc
  .anything({ withBigInt: true, withNullPrototype: true, withDate: true })
  .map((value): Argument => ({ plain: value }));
const anyArgument = fc.oneof(strange, plain);
const valueOf = (argument: Argument): unknown =>
  'strange' in argument ? STRANGE[argument.strange]!() : argument.plain;
/** Numbers would be sizes, and how much memory there is, is not the question here; texts would be names of segments or files. */
const noSizeOrName = anyArgument.filter(
  (argument) => typeof valueOf(argument) !== 'number' && typeof valueOf(argument) !== 'string',
);

type Call = (argument: never) => unknown;
/** Functions by name, whatever they take. */
type Named = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
const exported = sharecord as unknown as Named;

/** Runs the call with such arguments; what it gives is closed again. Promises are not waited for here. */
function requireRefusals(call: Call, argument = anyArgument, after: () => void = () => {}): void {
  const examples = [5n, null, undefined, 'x', {}, []].map((value): [Argument] => [{ plain: value }]);
  fc.assert(
    fc.property(argument, (of) => {
      try {
        const given = call(valueOf(of) as never) as
          | { close?: () => void; return?: () => unknown }
          | undefined;
        if (typeof given?.return === 'function') given.return();
        else if (typeof given?.close === 'function') given.close();
      } catch (error) {
        if ((error as Error).message !== OWN) expect(error).toBeInstanceOf(SharecordError);
      }
      after();
    }),
    { numRuns: 60, ...(argument === anyArgument ? { examples } : {}) },
  );
}

const Row = struct('Row', { a: u32, t: utf8(8), f: f64, list: array(u8, 2) });

describe('definitions', () => {
  const textTypes = ['char', 'utf8', 'char16', 'char32', 'wchar', 'shortString'];
  const lengthOf: [string, Call][] = textTypes.map((name) => [name, (value) => exported[name]!(value)]);
  const optionOf: [string, Call][] = textTypes.map((name) => [
    `the options of ${name}`,
    (value) => exported[name]!(8, value),
  ]);
  const textOptions = ['encoding', 'onOverflow', 'onUnmappable', 'terminated', 'length'];
  const calls: [string, Call][] = [
    ...lengthOf,
    ...optionOf,
    ...textOptions.map((name): [string, Call] => [
      `the ${name} of a text`,
      (value) => struct('Any', { text: sharecord.char(8, { [name]: value }) }),
    ]),
    ['the length of bytes', (value) => bytes(value)],
    ['the length of padding', (value) => pad(value)],
    ['be', (value) => sharecord.be(value)],
    ['the type of an array', (value) => array(value, 2)],
    ['the length of an array', (value) => array(u8, value)],
    ['the options of an array', (value) => array(u8, 2, value)],
    ['the name of a struct', (value) => struct(value, { a: u8 })],
    ['the fields of a struct', (value) => struct('Any', value)],
    ['a field of a struct', (value) => struct('Any', { a: value })],
    ['the options of a struct', (value) => struct('Any', { a: u8 }, value)],
    ...['pack', 'abi', 'size', 'offsets'].map((name): [string, Call] => [
      `the ${name} of a struct`,
      (value) => struct('Any', { a: u8 }, { [name]: value }),
    ]),
    ['a pin', (value) => struct('Any', { a: u8 }, { offsets: { a: value } })],
    ['the members of a union', (value) => union('Any', value)],
    ['a member of a union', (value) => union('Any', { a: value })],
    ['the base of bits', (value) => bits(value, { a: 1 })],
    ['the members of bits', (value) => bits(u8, value)],
    ['the width of a bit field', (value) => bits(u8, { a: value })],
    ['the base of an enum', (value) => enumOf(value, { A: 1 })],
    ['the members of an enum', (value) => enumOf(u8, value)],
    ['the value of a member', (value) => struct('Any', { a: enumOf(u8, { A: value }) })],
    ['the options of an enum', (value) => enumOf(u8, { A: 1 }, value)],
    ['the ABI of on()', (value) => Row.on(value)],
    ['the text of byteLength', (value) => byteLength(value, 'utf-8')],
    ['the encoding of byteLength', (value) => byteLength('x', value)],
    ['the layout of codegen', (value) => codegen(value, 'c')],
    ['the language of codegen', (value) => codegen(Row, value)],
  ];

  test.each(calls)('%s may be anything', (_, call) => requireRefusals(call));
});

describe('memory', () => {
  const memory = new Uint8Array(64).fill(7);
  const view = Row.view(memory.slice());
  const calls: [string, Call][] = [
    ['the buffer of decode', (value) => Row.decode(value)],
    ['the offset of decode', (value) => Row.decode(memory, value)],
    ['the buffer of view', (value) => Row.view(value)],
    ['the offset of view', (value) => Row.view(memory, value)],
    ['moveTo', (value) => view.moveTo(value)],
    ['the buffer of encode', (value) => Row.encode({ a: 1 }, value)],
    ['the record of encode', (value) => Row.encode(value, memory.slice())],
    ['the offset of encode', (value) => Row.encode({ a: 1 }, memory.slice(), value)],
    ...Row.fields.map(({ name }): [string, Call] => [
      `a set of ${name}`,
      (value) => Reflect.set(Row.view(memory.slice()), name, value),
    ]),
  ];

  test.each(calls)('%s may be anything', (_, call) => requireRefusals(call));
});

describe('what is made and opened', () => {
  const inProcess = { backing: 'process', layout: Row, capacity: 2 } as const;
  const calls: [string, Call][] = [
    ...['createStore', 'joinStore', 'createMap', 'joinMap', 'createSegment', 'joinSegment'].map(
      (name): [string, Call] => [`the options of ${name}`, (value) => exported[name]!(value)],
    ),
    ...['openStore', 'openMap', 'openSegment'].map((name): [string, Call] => [
      `the source of ${name}`,
      (value) => exported[name]!(value, Row),
    ]),
    ...[
      'layout',
      'capacity',
      'guard',
      'mode',
      'securityDescriptor',
      'inheritable',
      'lifetime',
      'anyOwner',
    ].map((name): [string, Call] => [
      `the ${name} of a store`,
      (value) => createStore({ ...inProcess, [name]: value }),
    ]),
    ['the key of a map', (value) => createMap({ ...inProcess, key: value })],
    ['the size of a segment', (value) => createSegment({ backing: 'process', size: value })],
    ['the backing of a segment', (value) => createSegment({ backing: value, size: 64 })],
    ['the guard of a record', (value) => openRecord('any-argument', Row, { guard: value })],
    ['the layout of a record', (value) => openRecord('any-argument', value, { guard: unguarded() })],
    ...['access', 'offset', 'length', 'anyOwner'].map((name): [string, Call] => [
      `the ${name} of openSegment`,
      (value) => sharecord.openSegment('any-argument', { [name]: value }),
    ]),
    ...['findWindow', 'registerMessage', 'post', 'broadcast', 'openMessageWindow'].map(
      (name): [string, Call] => [name, (value) => (win32 as unknown as Named)[name]!(value)],
    ),
  ];

  test.each(calls)('%s may be anything', (_, call) => requireRefusals(call, noSizeOrName));
});

describe('the calls of a store', () => {
  const store = createStore({ backing: 'process', layout: Row, capacity: 3 });
  const record = { a: 1, t: 'x', f: 0.5, list: [1, 2] };
  store.write(0, record);
  const reads: [string, Call][] = [
    ...['read', 'tryRead', 'generation', 'watch', 'readColumn'].map((name): [string, Call] => [
      name,
      (value) => (store as unknown as Named)[name]!(value),
    ]),
    ['the index of readInto', (value) => store.readInto(value, Row.zero())],
    ['the target of readInto', (value) => store.readInto(0, value)],
    ['the target of readColumn', (value) => store.readColumn('a', value)],
    ...['signal', 'persistent', 'intervalMs'].map((name): [string, Call] => [
      `the ${name} of watch`,
      (value) => store.watch(0, { [name]: value }),
    ]),
  ];
  const writes: [string, Call][] = [
    ['the index of write', (value) => store.write(value, record)],
    ['a record', (value) => store.write(0, value)],
    ['a patch', (value) => store.assign(0, value)],
    ['the index of update', (value) => store.update(value, () => {})],
    ['a callback', (value) => store.update(0, value)],
    ['the field of add', (value) => store.add(0, value, 1 as never)],
    ['the delta of add', (value) => store.add(0, 'a', value)],
    ...Row.fields.flatMap(({ name }): [string, Call][] => [
      [`${name} of a record`, (value) => store.write(0, { ...record, [name]: value })],
      [`${name} of a patch`, (value) => store.assign(0, { [name]: value })],
      [`${name} of a draft`, (value) => store.update(0, (draft) => void Reflect.set(draft, name, value))],
    ]),
  ];

  test.each(reads)('%s may be anything', (_, call) => requireRefusals(call));

  test.each(writes)('%s may be anything; what is refused changes nothing', (_, call) => {
    let before = [store.generation(0), store.read(0)] as const;
    requireRefusals(call, anyArgument, () => {
      const after = [store.generation(0), store.read(0)] as const;
      if (after[0] === before[0]) expect(after[1]).toEqual(before[1]);
      before = after;
    });
  });
});

describe('the calls of a map', () => {
  const map = createMap({ backing: 'process', key: utf8(8), layout: Row, capacity: 3 });
  const calls: [string, Call][] = [
    ...['get', 'has', 'delete', 'watch', 'forEach'].map((name): [string, Call] => [
      name,
      (value) => (map as unknown as Named)[name]!(value),
    ]),
    ['the key of set', (value) => void map.set(value, Row.zero())],
    ['the record of set', (value) => void map.set('a', value)],
    ['the key of update', (value) => map.update(value, () => {})],
    ['the callback of update', (value) => map.update('a', value)],
  ];

  test.each(calls)('%s may be anything', (_, call) => {
    map.set('a', Row.zero());
    requireRefusals(call, anyArgument, () => {
      if (map.size === 3) map.clear();
      map.set('a', Row.zero());
    });
  });
});

describe('the calls of a foreign record', () => {
  const segment = createSegment({ backing: 'process', size: 64 });
  const record = openRecord(segment, Row, { guard: unguarded(), access: 'read-write' });
  const calls: [string, Call][] = ['write', 'assign', 'update', 'readInto', 'watch'].map((name) => [
    name,
    (value) => (record as unknown as Named)[name]!(value),
  ]);

  test.each(calls)('%s may be anything; what is refused changes nothing', (_, call) => {
    const bytesNow = (): Uint8Array => new Uint8Array(segment.buffer as SharedArrayBuffer).slice();
    requireRefusals((value) => {
      const before = bytesNow();
      try {
        return call(value);
      } catch (error) {
        expect(bytesNow()).toEqual(before);
        throw error;
      }
    }, anyArgument);
  });
});
