// Records that change between two looks, written to every kind of store: a write that throws leaves the record that was there, and the
// next write goes on.
import { describe, expect, test } from 'vitest';
import {
  array,
  char16,
  createMap,
  createRecord,
  createStore,
  f64,
  namedMutex,
  seqlock,
  struct,
  u32,
  unguarded,
  utf8,
  versionPair,
} from '../../src/index.ts';
import { track } from '../support/track.ts';
import { FACES, twoFaced } from '../support/two-faced.ts';
import { withCode } from '../support/with-code.ts';

const Row = struct('Row', {
  begin: u32, name: utf8(12), place: struct('Place', { x: f64, label: char16(6) }), list: array(struct('Item', { n: u32, t: utf8(4) }), 3),
  values: array(f64, 40), end: u32,
}); // prettier-ignore
const row = (n: number) => ({
  begin: 0,
  name: `row ${n}`,
  place: { x: n, label: `at ${n}` },
  list: [n, n, n].map((each) => ({ n: each, t: `${each}` })),
  values: Array.from({ length: 40 }, () => n),
  end: 0,
});
type Row = ReturnType<typeof row>;
interface Subject {
  read(): unknown;
  write(record: Row): void;
  assign?(patch: Partial<Row>): void;
  close(): void;
}

let serial = 0;
const uniqueName = (): string => `sharecord-test-faces-${process.pid}-${serial++}`;
const mutex = () => namedMutex(uniqueName(), { timeoutMs: 1000 });

const store = (guard: Parameters<typeof createStore>[0]['guard']): Subject => {
  const made = createStore({ layout: Row, capacity: 2, ...(guard === undefined ? {} : { guard }) });
  return {
    read: () => made.read(1),
    write: (record) => made.write(1, record),
    assign: (patch) => made.assign(1, patch),
    close: () => made.close(),
  };
};
const map = (): Subject => {
  const made = createMap({ key: utf8(8), layout: Row, capacity: 2 });
  return {
    read: () => made.get('key'),
    write: (record) => void made.set('key', record),
    close: () => made.close(),
  };
};
const foreign = (guard: unknown): Subject => createRecord(uniqueName(), Row, { guard: guard as never });

const SUBJECTS: Readonly<Record<string, () => Subject>> = {
  'a latch': () => store('latch'),
  'a seqlock': () => store('seqlock'),
  'a named mutex': () => store(mutex()),
  'a map': map,
  'a foreign seqlock': () => foreign(seqlock({ sequence: 'begin' })),
  'a version pair': () => foreign(versionPair({ begin: 'begin', end: 'end' })),
  'a foreign mutex': () => foreign(mutex()),
  'no guard': () => foreign(unguarded()),
};

/** What was written, without the words that a guard counts in. */
const told = (record: unknown): unknown => ({ ...(record as Row), begin: 0, end: 0 });

describe.each(Object.keys(SUBJECTS))('under %s', (name) => {
  test.each(Object.entries(FACES))('a record whose getter %s leaves the one before it', (_, then) => {
    const subject = track((SUBJECTS[name] as () => Subject)());
    subject.write(row(1));
    for (const act of ['write', 'assign'] as const) {
      if (subject[act] === undefined) continue;
      const honest = twoFaced(row(1), Infinity, then);
      subject[act](honest.wrapped as Row);
      let refusals = 0;
      for (let last = 0; last < honest.reads(); last++) {
        const before = told(subject.read());
        try {
          subject[act](twoFaced(row(2), last, then).wrapped as Row);
        } catch {
          refusals++;
          expect(told(subject.read())).toEqual(before);
        }
        subject.write(row(3 + last));
        expect(told(subject.read())).toEqual(row(3 + last));
      }
      expect(refusals).toBeGreaterThan(10);
    }
  });
});

test.each([
  { kind: 'store', make: () => createStore({ layout: Row, capacity: 2 }) },
  { kind: 'map', make: () => createMap({ key: utf8(8), layout: Row, capacity: 2 }) },
  { kind: 'record', make: () => createRecord(uniqueName(), Row, { guard: unguarded() }) },
])('a watch of a $kind whose options close it is STORE_CLOSED', ({ make }) => {
  const subject = track(make());
  const options = {
    get persistent(): boolean {
      subject.close();
      return true;
    },
  };
  expect(() => subject.watch(options)).toThrow(withCode('STORE_CLOSED'));
});
