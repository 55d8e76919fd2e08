// Layouts alone, without a store: our codecs and views against hand-written DataView code and against other packages that read
// and write C structs. Contenders run in turn in one process; what counts is the ratio of their medians.
//   node --expose-gc --conditions=@sharecord/source bench/layout.ts [round ms]
// bench/rows/packages.ts has the rows against all packages, through what the library exports.
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import { Struct } from 'typed-struct';
import { array, bool, char16, f64, i16, struct, u32, u64, utf8 } from '../src/index.ts';
import { codecOf, referenceCodecOf } from '../src/layout/codec.ts';
import { toTypedStruct } from '../src/typed-struct.ts';

const ROUND_MS = Number(process.argv[2] ?? 40);
const ROUNDS = 7;
const RECORDS = 256;

const Numbers = struct('Numbers', { a: f64, b: f64, c: f64, d: f64, e: f64, f: f64, g: f64, h: f64 });
const Sensor = struct('Sensor', {
  id: u32,
  x: f64,
  y: f64,
  flags: i16,
  live: bool,
  name: utf8(32),
  title: char16(32),
});
const Quote = struct('Quote', { symbol: utf8(12), bid: f64, ask: f64, tick: u64, depth: array(f64, 5) });

type Loop = () => unknown;
type Contenders = Readonly<Record<string, Loop>>;
const kept: unknown[] = Array.from({ length: RECORDS });

/** Runs `work` for every record; what it gives is kept, so that no engine can leave it out. */
const each =
  (work: (i: number) => unknown): Loop =>
  () => {
    for (let i = 0; i < RECORDS; i++) kept[i] = work(i);
  };

function timeOf(loop: Loop): number {
  const start = process.hrtime.bigint();
  let turns = 0;
  let spent = 0;
  do {
    loop();
    turns++;
    spent = Number(process.hrtime.bigint() - start);
  } while (spent < ROUND_MS * 1e6);
  return spent / turns / RECORDS;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Prints one line per contender; the first is the base of the ratios. */
function compare(title: string, contenders: Contenders): void {
  const rounds = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]));
  for (const loop of Object.values(contenders)) timeOf(loop);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, loop] of Object.entries(contenders)) rounds.get(name)?.push(timeOf(loop));
  }
  const base = median([...rounds.values()][0] ?? []);
  console.log(`\n${title}`);
  for (const [name, values] of rounds) {
    const value = median(values);
    console.log(`${value.toFixed(1).padStart(9)} ns ${(value / base).toFixed(2).padStart(7)}x  ${name}`);
  }
}

// ---- text as a program would write it by hand

function handText(view: DataView, at: number, units: number): string {
  let text = '';
  for (let i = 0; i < units; i++) {
    const code = view.getUint8(at + i);
    if (code === 0) break;
    text += String.fromCharCode(code);
  }
  return text;
}
function handWide(view: DataView, at: number, units: number): string {
  let text = '';
  for (let i = 0; i < units; i++) {
    const code = view.getUint16(at + 2 * i, true);
    if (code === 0) break;
    text += String.fromCharCode(code);
  }
  return text;
}
function putText(view: DataView, at: number, units: number, text: string): void {
  for (let i = 0; i < units; i++) view.setUint8(at + i, i < text.length ? text.charCodeAt(i) : 0);
}
function putWide(view: DataView, at: number, units: number, text: string): void {
  for (let i = 0; i < units; i++) view.setUint16(at + 2 * i, i < text.length ? text.charCodeAt(i) : 0, true);
}

// ---- eight numbers

{
  const size = Numbers.size;
  const view = new DataView(new ArrayBuffer(size * RECORDS));
  for (let i = 0; i < 8 * RECORDS; i++) view.setFloat64(8 * i, i + 0.5, true);
  const records = Array.from({ length: RECORDS }, (_, i) => Numbers.decode(view, i * size));
  const [fast, plain] = [codecOf(Numbers), referenceCodecOf(Numbers)];
  const native = koffi.struct({
    a: 'double',
    b: 'double',
    c: 'double',
    d: 'double',
    e: 'double',
    f: 'double',
    g: 'double',
    h: 'double',
  });
  const bytes = Buffer.from(view.buffer);
  const target = Numbers.zero();
  const own = { p: 0.5, q: 0.5, r: 0.5, s: 0.5, t: 0.5, u: 0.5, v: 0.5, w: 0.5 };
  const get = (at: number): number => view.getFloat64(at, true);
  compare('8 x f64 to a fresh object', {
    'DataView by hand': each((i) => {
      const o = i * size;
      return {
        p: get(o),
        q: get(o + 8),
        r: get(o + 16),
        s: get(o + 24),
        t: get(o + 32),
        u: get(o + 40),
        v: get(o + 48),
        w: get(o + 56),
      };
    }),
    'codec, generated': each((i) => fast.decode(view, i * size)),
    'codec, plain loop': each((i) => plain.decode(view, i * size)),
    'koffi.decode': each((i) => koffi.decode(bytes, i * size, native) as unknown),
  });
  compare('8 x f64 into an old object', {
    'DataView by hand': each((i) => {
      const o = i * size;
      own.p = get(o);
      own.q = get(o + 8);
      own.r = get(o + 16);
      own.s = get(o + 24);
      own.t = get(o + 32);
      own.u = get(o + 40);
      own.v = get(o + 48);
      own.w = get(o + 56);
      return own;
    }),
    'codec, generated': each((i) => fast.decodeInto(view, i * size, target)),
    'codec, plain loop': each((i) => plain.decodeInto(view, i * size, target)),
  });
  compare('8 x f64 written', {
    'DataView by hand': each((i) => {
      const { a, b, c, d, e, f, g, h } = records[i] as (typeof records)[0];
      [a, b, c, d, e, f, g, h].forEach((value, n) => view.setFloat64(i * size + 8 * n, value, true));
    }),
    'codec, generated': each((i) => fast.encode(view, i * size, records[i])),
    'codec, plain loop': each((i) => plain.encode(view, i * size, records[i])),
    'koffi.encode': each((i) => koffi.encode(bytes, i * size, native, records[i])),
  });
}

// ---- a record with text

{
  const size = Sensor.size;
  const { id, x, y, flags, live, name, title } = Sensor.offsets;
  const view = new DataView(new ArrayBuffer(size * RECORDS));
  const record = {
    id: 7,
    x: 1.5,
    y: -2.5,
    flags: -3,
    live: true,
    name: 'Sensor North 12',
    title: 'Füllstand Tank 7',
  };
  for (let i = 0; i < RECORDS; i++) Sensor.encode({ ...record, id: i }, view, i * size);
  const records = Array.from({ length: RECORDS }, (_, i) => Sensor.decode(view, i * size));
  const [fast, plain] = [codecOf(Sensor), referenceCodecOf(Sensor)];
  const bytes = Buffer.from(view.buffer);
  const native = koffi.struct({
    id: 'uint32',
    x: 'double',
    y: 'double',
    flags: 'int16',
    live: 'bool',
    name: koffi.array('char', 32, 'String'),
    title: koffi.array('char16', 32, 'String'),
  });
  const Class = toTypedStruct(Sensor);
  const theirs = Array.from(
    { length: RECORDS },
    (_, i) => new Class(bytes.subarray(i * size, (i + 1) * size)),
  );
  const Own = new Struct('Rec')
    .UInt32LE('id')
    .seek(4)
    .Float64LE('x')
    .Float64LE('y')
    .Int16LE('flags')
    .Boolean8('live')
    .String('name', 32)
    .compile();
  const own = Array.from({ length: RECORDS }, (_, i) => new Own(bytes.subarray(i * size, (i + 1) * size)));
  await sleep(50); // typed-struct can read text only some time after its import
  const cursor = Sensor.view(view.buffer);
  compare('a record with two texts to a fresh object', {
    'DataView by hand': each((i) => {
      const o = i * size;
      return {
        ID: view.getUint32(o + id, true),
        X: view.getFloat64(o + x, true),
        Y: view.getFloat64(o + y, true),
        FLAGS: view.getInt16(o + flags, true),
        LIVE: view.getUint8(o + live) !== 0,
        NAME: handText(view, o + name, 32),
        TITLE: handWide(view, o + title, 32),
      };
    }),
    'codec, generated': each((i) => fast.decode(view, i * size)),
    'codec, plain loop': each((i) => plain.decode(view, i * size)),
    'koffi.decode': each((i) => koffi.decode(bytes, i * size, native) as unknown),
    'typed-struct toJSON, our class': each((i) => theirs[i]?.toJSON()),
  });
  compare('a record with two texts written', {
    'DataView by hand': each((i) => {
      const o = i * size;
      const source = records[i] as typeof record;
      view.setUint32(o + id, source.id, true);
      view.setFloat64(o + x, source.x, true);
      view.setFloat64(o + y, source.y, true);
      view.setInt16(o + flags, source.flags, true);
      view.setUint8(o + live, source.live ? 1 : 0);
      putText(view, o + name, 32, source.name);
      putWide(view, o + title, 32, source.title);
    }),
    'codec, generated': each((i) => fast.encode(view, i * size, records[i])),
    'codec, plain loop': each((i) => plain.encode(view, i * size, records[i])),
    'koffi.encode': each((i) => koffi.encode(bytes, i * size, native, records[i])),
  });
  compare('get one f64 of a live record', {
    'DataView by hand': each((i) => view.getFloat64(i * size + x, true)),
    'view, moved': each((i) => cursor.moveTo(i * size).x),
    'typed-struct, one instance each': each((i) => own[i]?.x),
    'koffi.decode': each((i) => koffi.decode(bytes, i * size + x, 'double') as unknown),
  });
  compare('get one text of a live record', {
    'DataView by hand': each((i) => handText(view, i * size + name, 32)),
    'view, moved': each((i) => cursor.moveTo(i * size).name),
    'typed-struct, one instance each': each((i) => own[i]?.name),
  });
  compare('make a view', {
    'new DataView': each((i) => new DataView(view.buffer, i * size, size)),
    'Layout.view': each((i) => Sensor.view(view.buffer, i * size)),
    'new typed-struct': each((i) => new Own(bytes.subarray(i * size, (i + 1) * size))),
  });
}

// ---- the README's record

{
  const size = Quote.size;
  const view = new DataView(new ArrayBuffer(size * RECORDS));
  const record = { symbol: 'ACME', bid: 10.25, ask: 10.5, tick: 1n, depth: [5, 4, 3, 2, 1] };
  for (let i = 0; i < RECORDS; i++) Quote.encode({ ...record, tick: BigInt(i) }, view, i * size);
  const records = Array.from({ length: RECORDS }, (_, i) => Quote.decode(view, i * size));
  const [fast, plain] = [codecOf(Quote), referenceCodecOf(Quote)];
  const target = Quote.zero();
  const get = (at: number): number => view.getFloat64(at, true);
  compare('a quote to a fresh object', {
    'DataView by hand': each((i) => {
      const o = i * size;
      return {
        SYMBOL: handText(view, o, 12),
        BID: get(o + 16),
        ASK: get(o + 24),
        TICK: view.getBigUint64(o + 32, true),
        DEPTH: [get(o + 40), get(o + 48), get(o + 56), get(o + 64), get(o + 72)],
      };
    }),
    'codec, generated': each((i) => fast.decode(view, i * size)),
    'codec, plain loop': each((i) => plain.decode(view, i * size)),
  });
  compare('a quote into an old object', {
    'codec, generated': each((i) => fast.decodeInto(view, i * size, target)),
    'codec, plain loop': each((i) => plain.decodeInto(view, i * size, target)),
  });
  compare('a quote written', {
    'DataView by hand': each((i) => {
      const o = i * size;
      const { symbol, bid, ask, tick, depth } = records[i] as typeof record;
      putText(view, o, 12, symbol);
      view.setFloat64(o + 16, bid, true);
      view.setFloat64(o + 24, ask, true);
      view.setBigUint64(o + 32, tick, true);
      for (let n = 0; n < 5; n++) view.setFloat64(o + 40 + 8 * n, depth[n] ?? 0, true);
    }),
    'codec, generated': each((i) => fast.encode(view, i * size, records[i])),
    'codec, plain loop': each((i) => plain.encode(view, i * size, records[i])),
  });
}
