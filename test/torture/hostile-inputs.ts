// Inputs of the hostile campaign: whole segments as somebody could write them. Mutations that need several words to agree (a
// capacity and a size, a layout text and its digest) keep them agreed, or every one of them would end at the same check.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import {
  array,
  bits,
  bool,
  char,
  createMap,
  createStore,
  enumOf,
  f64,
  namedMutex,
  struct,
  tDateTime,
  u32,
  u64,
  union,
  utf8,
} from '../../src/index.ts';
import { HEADER } from '../support/header.ts';
import type { Chance } from './campaign.ts';

const WORD = 4;
/** Of each slot behind its sequence. */
const LOCK_OFFSET = 4;
const SLOT_BITS = 8;
const MAP_KIND = 2;

export const Inner = struct('Inner', {
  kind: enumOf(u32, { A: 1, B: 2 }),
  flags: bits(u32, { ready: 1, mode: 3 }),
  at: tDateTime,
});
export const Wide = struct('Wide', {
  id: u64,
  name: utf8(12),
  ansi: char(8, { encoding: 936 }),
  inner: array(Inner, 2),
  either: union('Either', { whole: u32, parts: array(f64, 2) }),
  on: bool,
});
export const Small = struct('Small', { value: u32 });

/** Segments as the library makes them; `mutex` is the name of one that belongs to nobody else. */
export function soundSegments(folder: string, mutex: string): Uint8Array[] {
  const zero = { ...Wide.zero(), name: 'one' };
  const made: Uint8Array[] = [];
  const keep = (make: (file: string) => { close(): void }): void => {
    const file = `${folder}/sound-${made.length}`;
    const opened = make(file);
    made.push(new Uint8Array(fs.readFileSync(file)));
    opened.close();
  };
  for (const guard of ['latch', 'seqlock', namedMutex(mutex, { timeoutMs: 1000 })] as const) {
    keep((file) => {
      const store = createStore({ file, layout: Wide, capacity: 4, guard });
      for (let i = 0; i < 3; i++) store.write(i, zero);
      return store;
    });
  }
  keep((file) => {
    const map = createMap({ file, key: utf8(8), layout: Wide, capacity: 8 });
    for (const key of ['a', 'b', 'c', 'd']) map.set(key, zero);
    map.delete('b');
    return map;
  });
  keep((file) => {
    const map = createMap({ file, key: u32, layout: Small, capacity: 16 });
    for (let key = 0; key < 12; key++) map.set(key, { value: key });
    return map;
  });
  return made;
}

const INTERESTING = [
  0, 1, 2, 3, 4, 8, 63, 64, 255, 256, 257, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];
const TOKENS = [
  '"__proto__"',
  '"constructor"',
  '"toJSON"',
  '"prototype"',
  '[',
  '{',
  '[[[[[[[[',
  '-1',
  '1e9',
  '4294967296',
  'null',
  '""',
  '"u8"',
  '"f64"',
  '\\u0000',
  '\n',
];

/** Gives a mutant of `parent`; `other` lends bytes. */
export function mutate(parent: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  let bytes = new Uint8Array(parent);
  for (let left = 1 + chance.below(4); left > 0; left--) bytes = mutateOnce(bytes, other, chance);
  return bytes;
}

function mutateOnce(bytes: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (): number =>
    chance.below(3) === 0
      ? chance.below(2 ** 32)
      : chance.below(3) === 0
        ? chance.below(64)
        : chance.pick(INTERESTING);
  const put = (at: number, value: number): void => {
    if (at >= 0 && at + WORD <= bytes.length) view.setUint32(at, value, true);
  };
  const get = (at: number): number => (at + WORD <= bytes.length ? view.getUint32(at, true) : 0);
  const kinds: readonly (() => Uint8Array | void)[] = [
    () => put(chance.below(48) * WORD, word()),
    () => put(chance.pick([HEADER.state, HEADER.kind, HEADER.guard, HEADER.lifetime]), chance.below(4)),
    () => {
      const capacity = chance.pick([1, 2, 5, 8, 1000, 2 ** 20, word()]);
      put(HEADER.capacity, capacity);
      const size = get(HEADER.headerLength) + capacity * get(HEADER.stride);
      put(HEADER.size, size);
      put(HEADER.size + WORD, Math.floor(size / 2 ** 32));
    },
    // Slots and the words of an index: everything behind the header.
    () =>
      put(
        (Math.ceil(get(HEADER.headerLength) / WORD) +
          chance.below(Math.max(1, (bytes.length - get(HEADER.headerLength)) / WORD))) *
          WORD,
        word(),
      ),
    () => put((Math.ceil(get(HEADER.headerLength) / WORD) + chance.below(16)) * WORD, word()),
    () => put(320 + chance.below(256) * WORD, word()),
    () => {
      if (bytes.length > 0) bytes[chance.below(bytes.length)] = chance.below(256);
    },
    () => {
      const at = chance.below(Math.max(1, Math.min(bytes.length, other.length)));
      bytes.set(other.subarray(at, Math.min(other.length, bytes.length, at + 1 + chance.below(256))), at);
    },
    () => bytes.slice(0, chance.below(bytes.length + 1)),
    () => {
      const longer = new Uint8Array(bytes.length + chance.below(8192));
      longer.set(bytes);
      return longer;
    },
    () => mutateText(bytes, chance),
    () => mutateText(bytes, chance),
    () => ownLock(bytes, 0, chance),
  ];
  return new Uint8Array(chance.pick(kinds)() ?? bytes);
}

/** Puts participant `slot`, as the table has it, into a lock word, and makes the sequence before it odd: a writer in the middle. */
export function ownLock(bytes: Uint8Array, slot: number, chance: Chance): void {
  if (bytes.length < HEADER.text) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const epochAt = HEADER.epochs + slot * WORD;
  const epoch = view.getUint32(epochAt, true) || 1;
  view.setUint32(epochAt, epoch, true);
  const capacity = view.getUint32(HEADER.capacity, true);
  const recordAt = (index: number): number =>
    view.getUint32(HEADER.headerLength, true) + index * view.getUint32(HEADER.stride, true);
  // What is written: the first and the last record of a store, the first key of a map. Behind its slots lies the lock of its structure.
  const isMap = view.getUint32(HEADER.kind, true) === MAP_KIND;
  const ofStructure = isMap && chance.below(2) === 0;
  const slotAt = recordAt(isMap ? 0 : chance.pick([0, capacity - 1]));
  const lockAt = ofStructure ? recordAt(capacity) : slotAt + LOCK_OFFSET;
  if (slotAt < 0 || Math.max(slotAt, lockAt) + WORD > bytes.length) return;
  view.setUint32(lockAt, (epoch << SLOT_BITS) | slot, true);
  view.setUint32(slotAt, view.getUint32(slotAt, true) | 1, true);
}

/** Changes the layout text and gives it its digest again; the name of a mutex stays behind it. */
function mutateText(bytes: Uint8Array, chance: Chance): Uint8Array | undefined {
  if (bytes.length < HEADER.text + WORD) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Math.min(view.getUint32(HEADER.textLength, true), bytes.length - HEADER.text);
  const text = Buffer.from(bytes.subarray(HEADER.text, HEADER.text + length)).toString('latin1');
  const nameAt = HEADER.text + length;
  const mutexName = bytes.slice(nameAt, nameAt + view.getUint32(HEADER.mutexNameLength, true));
  const numbers = [...text.matchAll(/\d+/g)];
  let changed: string;
  if (chance.below(2) === 0 && numbers.length > 0) {
    const { 0: number, index } = chance.pick(numbers);
    changed = `${text.slice(0, index)}${chance.pick([0, 1, 2, 3, 7, 8, 64, 4096, 2 ** 31, 2 ** 32, -1])}${text.slice(index + number.length)}`;
  } else {
    const at = chance.below(text.length + 1);
    changed = text.slice(0, at) + chance.pick(TOKENS) + text.slice(at + chance.below(12));
  }
  const put = Buffer.from(changed, 'latin1');
  const headerLength = view.getUint32(HEADER.headerLength, true);
  if (HEADER.text + put.length + mutexName.length > headerLength || headerLength > bytes.length)
    return undefined;
  bytes.fill(0, HEADER.text, headerLength);
  bytes.set(put, HEADER.text);
  bytes.set(mutexName, HEADER.text + put.length);
  view.setUint32(HEADER.textLength, put.length, true);
  const line = changed.slice(0, Math.max(0, changed.indexOf('\n')));
  bytes.set(createHash('sha256').update(Buffer.from(line, 'latin1')).digest().subarray(0, 16), HEADER.digest);
  return undefined;
}
