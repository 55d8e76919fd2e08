// A map of 64-byte records by 16-byte keys, against a JavaScript Map of objects of one thread, which shares nothing, and lmdb-js.
// Keys come in random order. Each operation is measured on a map of its own, so that one does not warm the caches of another.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { do_not_optimize } from 'mitata';
import { createMap, type MapWriter, utf8 } from '../../src/index.ts';
import { Numbers, numbers, ownRecord } from '../records.ts';
import { type Line, lineOf, requireEqual, type Row } from '../row.ts';
import { compare, type Sampler, type Sampling, timed } from '../sampling.ts';

const ENTRIES = 100_000;
const GET_LIMIT = 6;
const LMDB_LIMIT = 5;
/** A power of two of keys in random order. */
const ORDER = 2 ** 16;
const LCG = 1_103_515_245;

const keyType = utf8(17);
const keyOf = (i: number): string => Buffer.from(`k${String(i).padStart(15, '0')}`).toString('latin1');

interface Subject {
  readonly keys: readonly string[];
  /** Indexes of keys. */
  readonly order: Uint32Array;
  readonly ours: MapWriter<typeof keyType, typeof Numbers>;
  readonly plain: Map<string, Numbers>;
}

function makeSubject(): Subject {
  const keys = Array.from({ length: ENTRIES }, (_, i) => keyOf(i));
  const ours = createMap({ key: keyType, layout: Numbers, capacity: ENTRIES });
  const plain = new Map<string, Numbers>();
  keys.forEach((key, i) => {
    ours.set(key, ownRecord(Numbers, numbers(i)));
    plain.set(key, numbers(i));
  });
  let seed = 1;
  const order = Uint32Array.from({ length: ORDER }, () => {
    seed = (Math.imul(seed, LCG) + 12_345) >>> 0;
    return seed % ENTRIES;
  });
  return { keys, order, ours, plain };
}

/** Does `use` with keys in random order. */
function timedKeys(
  { keys, order }: Subject,
  sampling: Sampling,
  use: (key: string, i: number) => void,
): Sampler {
  let at = 0;
  return timed((count) => {
    for (let i = 0; i < count; i++) {
      at = (at + 1) & (ORDER - 1);
      use(keys[order[at] as number] as string, i);
    }
  }, sampling);
}

type Operation = (subject: Subject, sampling: Sampling) => Promise<readonly Line[]>;

const operations: Readonly<Record<string, Operation>> = {
  async get(subject, sampling) {
    const { ours, plain } = subject;
    const rounds = await compare(
      {
        ours: timedKeys(subject, sampling, (key) => do_not_optimize(ours.get(key))),
        Map: timedKeys(subject, sampling, (key) => do_not_optimize(plain.get(key))),
      },
      sampling,
    );
    return [lineOf('map get', rounds, 'ours', { script: { names: ['Map'], limit: GET_LIMIT } })];
  },
  async has(subject, sampling) {
    const { ours, plain } = subject;
    const rounds = await compare(
      {
        ours: timedKeys(subject, sampling, (key) => do_not_optimize(ours.has(key))),
        Map: timedKeys(subject, sampling, (key) => do_not_optimize(plain.has(key))),
      },
      sampling,
    );
    return [lineOf('map has', rounds, 'ours', { script: { names: ['Map'] } })];
  },
  async 'set existing'(subject, sampling) {
    const { ours, plain } = subject;
    const record = ownRecord(Numbers, numbers(1));
    const rounds = await compare(
      {
        ours: timedKeys(subject, sampling, (key, i) => {
          record.a = i + 0.5;
          ours.set(key, record);
        }),
        Map: timedKeys(subject, sampling, (key, i) => plain.set(key, { ...record, a: i + 0.5 })),
      },
      sampling,
    );
    return [lineOf('map set, an existing key', rounds, 'ours', { script: { names: ['Map'] } })];
  },
  async 'insert and delete'(subject, sampling) {
    const { ours, plain } = subject;
    const record = ownRecord(Numbers, numbers(1));
    const rounds = await compare(
      {
        ours: timedKeys(subject, sampling, (key) => {
          ours.delete(key);
          ours.set(key, record);
        }),
        Map: timedKeys(subject, sampling, (key) => {
          plain.delete(key);
          plain.set(key, { ...record });
        }),
      },
      sampling,
    );
    return [lineOf('map delete and insert', rounds, 'ours', { script: { names: ['Map'] } })];
  },
  async iterate({ ours, plain }, sampling) {
    /** Goes through the entries again and again, so many in all. */
    const walk = (entries: () => Iterator<unknown>): Sampler => {
      let left = entries();
      return timed((count) => {
        for (let i = 0; i < count; i++) {
          let next = left.next();
          if (next.done === true) next = (left = entries()).next();
          do_not_optimize(next.value);
        }
      }, sampling);
    };
    const rounds = await compare(
      { ours: walk(() => ours.entries()), Map: walk(() => plain.entries()) },
      sampling,
    );
    return [lineOf('map iteration, per entry', rounds, 'ours', { script: { names: ['Map'] } })];
  },
  async 'get, lmdb'(subject, sampling) {
    const { ours, keys } = subject;
    const folder = mkdtempSync(join(tmpdir(), 'sharecord-bench-map-'));
    const raw = open<Buffer, string>({ path: join(folder, 'raw'), encoding: 'binary', noSync: true });
    const objects = open<object, string>({
      path: join(folder, 'objects'),
      encoding: 'msgpack',
      noSync: true,
    });
    try {
      const bytes = new Uint8Array(Numbers.size);
      raw.transactionSync(() => {
        keys.forEach((key, i) => {
          Numbers.encode(numbers(i), bytes);
          raw.putSync(key, Buffer.from(bytes));
        });
      });
      objects.transactionSync(() => keys.forEach((key, i) => objects.putSync(key, numbers(i))));
      requireEqual('lmdb', objects.get(keys[5] as string), ours.get(keys[5] as string));
      const rounds = await compare(
        {
          ours: timedKeys(subject, sampling, (key) => do_not_optimize(ours.get(key))),
          getBinaryFast: timedKeys(subject, sampling, (key) => do_not_optimize(raw.getBinaryFast(key))),
          'get, msgpack': timedKeys(subject, sampling, (key) => do_not_optimize(objects.get(key))),
        },
        sampling,
      );
      const line = (operation: string, name: string): Line =>
        lineOf(operation, rounds, 'ours', { script: { names: [name], kind: 'faster', limit: LMDB_LIMIT } });
      return [
        line('map get, against lmdb getBinaryFast (bytes)', 'getBinaryFast'),
        line('map get, against lmdb get (msgpack object)', 'get, msgpack'),
      ];
    } finally {
      await raw.close();
      await objects.close();
      rmSync(folder, { recursive: true });
    }
  },
};

export const row: Row = {
  variants: Object.keys(operations),
  async run({ sampling }, operation) {
    const subject = makeSubject();
    try {
      const { keys, ours, plain } = subject;
      requireEqual('map', ours.get(keys[7] as string), plain.get(keys[7] as string));
      return await (operations[operation] as Operation)(subject, sampling);
    } finally {
      subject.ours.close();
    }
  },
};
