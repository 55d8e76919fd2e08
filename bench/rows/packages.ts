// Fields, records and texts in memory of one's own, without a store: against the packages that do the same, and against DataView
// code written for exactly this record, which checks nothing.
import { do_not_optimize } from 'mitata';
import { setTimeout as sleep } from 'node:timers/promises';
import { f64, i16, struct, u32, utf8 } from '../../src/index.ts';
import {
  MASK,
  NAME_BYTES,
  ownCopy,
  PACKAGES,
  type Reading,
  RECORDS,
  type Subject,
  TEXT_PACKAGES,
  type TextSubject,
} from '../packages.ts';
import { type Line, lineOf, requireEqual, type Row } from '../row.ts';
import { compare, type Loop, type Sampling, timed } from '../sampling.ts';

const TEXT_UNITS = [8, 16, 64, 255];
/** typed-struct can read text only some time after its import. */
const STRINGS_LOAD_MS = 50;

const Reading = struct('Reading', { id: u32, x: f64, y: f64, flags: i16, name: utf8(NAME_BYTES) });
const reading = (i: number): Reading => ({ id: i, x: i + 0.5, y: -i, flags: -i, name: `Sensor North ${i}` });

function ours(): Subject {
  const { size } = Reading;
  const memory = new ArrayBuffer(size * RECORDS);
  const whole = new DataView(memory);
  const views = Array.from({ length: RECORDS }, (_, i) => Reading.view(memory, i * size));
  return {
    get: (i) => views[i]!.x,
    set: (i, value) => void (views[i]!.x = value),
    toObject: (i) => Reading.decode(whole, i * size),
    fromObject: (i, record) => Reading.encode(record, whole, i * size),
  };
}

// ---- by hand

const { fromCharCode } = String;

/** Reads ASCII up to a NUL; one call for eight characters is what costs least. */
function handText(view: DataView, at: number, units: number): string {
  let end = at;
  while (end < at + units && view.getUint8(end) !== 0) end++;
  let text = '';
  let i = at;
  for (; i + 8 <= end; i += 8) {
    text += fromCharCode(
      view.getUint8(i),
      view.getUint8(i + 1),
      view.getUint8(i + 2),
      view.getUint8(i + 3),
      view.getUint8(i + 4),
      view.getUint8(i + 5),
      view.getUint8(i + 6),
      view.getUint8(i + 7),
    );
  }
  for (; i < end; i++) text += fromCharCode(view.getUint8(i));
  return text;
}
function handPut(view: DataView, at: number, units: number, text: string): void {
  let i = 0;
  for (; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i));
  for (; i < units; i++) view.setUint8(at + i, 0);
}

function byHand(): Subject {
  const size = 56;
  const view = new DataView(new ArrayBuffer(size * RECORDS));
  return {
    get: (i) => view.getFloat64(i * size + 8, true),
    set: (i, value) => view.setFloat64(i * size + 8, value, true),
    toObject(i) {
      const o = i * size;
      return {
        NUMBER: view.getUint32(o, true),
        X: view.getFloat64(o + 8, true),
        Y: view.getFloat64(o + 16, true),
        FLAGS: view.getInt16(o + 24, true),
        NAME: handText(view, o + 26, NAME_BYTES),
      };
    },
    fromObject(i, { id, x, y, flags, name }) {
      const o = i * size;
      view.setUint32(o, id, true);
      view.setFloat64(o + 8, x, true);
      view.setFloat64(o + 16, y, true);
      view.setInt16(o + 24, flags, true);
      handPut(view, o + 26, NAME_BYTES, name);
    },
  };
}

// ---- rows

const HAND = 'by hand';

async function lines(
  operation: string,
  loops: Readonly<Record<string, Loop>>,
  sampling: Sampling,
): Promise<readonly Line[]> {
  const samplers = Object.fromEntries(
    Object.entries(loops).map(([name, loop]) => [name, timed(loop, sampling)]),
  );
  const rounds = await compare(samplers, sampling);
  return Object.keys(loops)
    .filter((name) => name !== 'ours')
    .map((name) =>
      name === HAND
        ? lineOf(operation, rounds, 'ours', { script: { names: [name] } })
        : lineOf(`  against ${name}`, rounds, 'ours', {
            script: { names: [name], kind: 'faster', limit: 1 },
          }),
    );
}

const subjects = (): Readonly<Record<string, Subject>> => ({
  ours: ours(),
  [HAND]: byHand(),
  ...Object.fromEntries(Object.entries(PACKAGES).map(([name, make]) => [name, make()])),
});
/** Gives each contender its copy of the loop. */
const loopsOf = <T, A extends unknown[]>(
  all: Readonly<Record<string, T>>,
  loop: (subject: T, mask: number, ...rest: A) => Loop,
  ...rest: A
): Readonly<Record<string, Loop>> =>
  Object.fromEntries(Object.entries(all).map(([name, one]) => [name, ownCopy(loop)(one, MASK, ...rest)]));

const getNumbers =
  ({ get }: Subject, mask: number): Loop =>
  (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += get(i & mask);
    return sum;
  };
const setNumbers =
  ({ set }: Subject, mask: number): Loop =>
  (count) => {
    for (let i = 0; i < count; i++) set(i & mask, i + 0.5);
  };
const readRecords =
  ({ toObject }: Subject, mask: number, keep: (value: unknown) => void): Loop =>
  (count) => {
    for (let i = 0; i < count; i++) keep(toObject(i & mask));
  };
const writeRecords =
  ({ fromObject }: Subject, mask: number, records: readonly Reading[]): Loop =>
  (count) => {
    for (let i = 0; i < count; i++) fromObject(i & mask, records[i & mask] as Reading);
  };
const readTexts =
  ({ get }: TextSubject, mask: number, keep: (value: unknown) => void): Loop =>
  (count) => {
    for (let i = 0; i < count; i++) keep(get(i & mask));
  };
const writeTexts =
  ({ set }: TextSubject, mask: number, texts: readonly string[]): Loop =>
  (count) => {
    for (let i = 0; i < count; i++) set(i & mask, texts[i & mask] as string);
  };

async function recordRow(operation: string, sampling: Sampling): Promise<readonly Line[]> {
  const all = subjects();
  const records = Array.from({ length: RECORDS }, (_, i) => reading(i));
  for (const [name, subject] of Object.entries(all)) {
    records.forEach((record, i) => subject.fromObject(i, record));
    requireEqual(name, Object.values(subject.toObject(7) as object), Object.values(reading(7)));
    subject.set(7, 2.25);
    requireEqual(name, subject.get(7), 2.25);
  }
  switch (operation) {
    case 'get':
      return await lines('view, get one f64 of 64 records', loopsOf(all, getNumbers), sampling);
    case 'set':
      return await lines('view, set one f64 of 64 records', loopsOf(all, setNumbers), sampling);
    case 'to object':
      return await lines('decode a record with text', loopsOf(all, readRecords, do_not_optimize), sampling);
    default:
      return await lines('encode a record with text', loopsOf(all, writeRecords, records), sampling);
  }
}

function ownText(units: number): TextSubject {
  const Text = struct('Text', { text: utf8(units + 1) });
  const memory = new ArrayBuffer(Text.size * RECORDS);
  const views = Array.from({ length: RECORDS }, (_, i) => Text.view(memory, i * Text.size));
  return { get: (i) => views[i]!.text, set: (i, text) => void (views[i]!.text = text) };
}
function handTextField(units: number): TextSubject {
  const size = units + 1;
  const view = new DataView(new ArrayBuffer(size * RECORDS));
  return {
    get: (i) => handText(view, i * size, size),
    set: (i, text) => handPut(view, i * size, size, text),
  };
}

async function textRow(act: string, units: number, sampling: Sampling): Promise<readonly Line[]> {
  const all: Readonly<Record<string, TextSubject>> = {
    ours: ownText(units),
    [HAND]: handTextField(units),
    ...Object.fromEntries(Object.entries(TEXT_PACKAGES).map(([name, make]) => [name, make(units)])),
  };
  const texts = Array.from({ length: RECORDS }, (_, i) =>
    Array.from({ length: units }, (__, n) => fromCharCode(65 + ((i + n) % 26))).join(''),
  );
  for (const [name, subject] of Object.entries(all)) {
    texts.forEach((text, i) => subject.set(i, text));
    requireEqual(name, subject.get(7), texts[7]);
  }
  const loops = act === 'get' ? loopsOf(all, readTexts, do_not_optimize) : loopsOf(all, writeTexts, texts);
  return await lines(`${act} a text of ${units}`, loops, sampling);
}

const TEXT_VARIANT = /^(get|set) (\d+)$/;

export const row: Row = {
  variants: [
    'get',
    'set',
    'to object',
    'from object',
    ...TEXT_UNITS.flatMap((units) => [`get ${units}`, `set ${units}`]),
  ],
  async run({ sampling }, variant) {
    await sleep(STRINGS_LOAD_MS);
    const [, act, units] = TEXT_VARIANT.exec(variant) ?? [];
    return act === undefined
      ? await recordRow(variant, sampling)
      : await textRow(act, Number(units), sampling);
  },
};
