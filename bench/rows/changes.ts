// Changes of a part of a mixed record, one field of all records, and a read that gives up: reported, without targets.
import { do_not_optimize } from 'mitata';
import { handChanges } from '../floor-changes.ts';
import { handMixed } from '../floor-mixed.ts';
import { slotMemory } from '../floor.ts';
import { filledStore, INDEX_MASK, Mixed, mixed } from '../records.ts';
import { type Line, lineOf, requireEqual, type Row } from '../row.ts';
import { compare, type Loop, type Sampling, timed } from '../sampling.ts';

const COLUMN_RECORDS = 1000;

async function pair(operation: string, ours: Loop, hand: Loop, sampling: Sampling): Promise<Line> {
  const rounds = await compare({ ours: timed(ours, sampling), hand: timed(hand, sampling) }, sampling);
  return lineOf(operation, rounds, 'ours', { script: { names: ['hand'] } });
}

const LINES: Readonly<Record<string, (sampling: Sampling) => Promise<Line>>> = {
  async update(sampling) {
    using store = filledStore(Mixed, mixed);
    const hand = handChanges(slotMemory(store));
    store.update(5, (draft) => void (draft.low += 1));
    hand.update(5, (draft) => void (draft.w += 1));
    requireEqual('update', store.read(5), { ...mixed(5), low: mixed(5).low + 2 });
    return await pair(
      'update, mixed',
      (count) => {
        for (let i = 0; i < count; i++) store.update(i & INDEX_MASK, (draft) => void (draft.low += 1));
      },
      (count) => {
        for (let i = 0; i < count; i++) hand.update(i & INDEX_MASK, (draft) => void (draft.w += 1));
      },
      sampling,
    );
  },

  async assign(sampling) {
    using store = filledStore(Mixed, mixed);
    const hand = handChanges(slotMemory(store));
    store.assign(5, { low: 1, high: 2 });
    hand.assign(5, { w: 3, x: 4 });
    requireEqual('assign', store.read(5), { ...mixed(5), low: 3, high: 4 });
    return await pair(
      'assign, 2 fields of mixed',
      (count) => {
        for (let i = 0; i < count; i++) store.assign(i & INDEX_MASK, { low: i + 0.5, high: i + 1.5 });
      },
      (count) => {
        for (let i = 0; i < count; i++) hand.assign(i & INDEX_MASK, { w: i + 0.5, x: i + 1.5 });
      },
      sampling,
    );
  },

  async add(sampling) {
    using store = filledStore(Mixed, (i) => ({ ...mixed(i), count: 0 }));
    const hand = handChanges(slotMemory(store));
    store.add(5, 'count', 3);
    hand.add(5, 4);
    requireEqual('add', store.read(5).count, 7);
    // Up and down, so that the sum stays in range.
    return await pair(
      'add, u32 of mixed',
      (count) => {
        for (let i = 0; i < count; i++) store.add(i & INDEX_MASK, 'count', (i & 64) === 0 ? 1 : -1);
      },
      (count) => {
        for (let i = 0; i < count; i++) hand.add(i & INDEX_MASK, (i & 64) === 0 ? 1 : -1);
      },
      sampling,
    );
  },

  async readColumn(sampling) {
    using store = filledStore(Mixed, mixed, { capacity: COLUMN_RECORDS });
    const hand = handChanges(slotMemory(store));
    const out = new Float64Array(COLUMN_RECORDS);
    requireEqual('readColumn', [...store.readColumn('low')], [...hand.column(out, COLUMN_RECORDS)]);
    return await pair(
      'readColumn, f64 of mixed, per record',
      (count) => {
        for (let i = 0; i < count; i += COLUMN_RECORDS) store.readColumn('low', out);
        return out;
      },
      (count) => {
        for (let i = 0; i < count; i += COLUMN_RECORDS) hand.column(out, COLUMN_RECORDS);
        return out;
      },
      sampling,
    );
  },

  async tryRead(sampling) {
    using store = filledStore(Mixed, mixed);
    const hand = handMixed(slotMemory(store));
    requireEqual('tryRead', store.tryRead(5), store.read(5));
    return await pair(
      'tryRead, mixed',
      (count) => {
        for (let i = 0; i < count; i++) do_not_optimize(store.tryRead(i & INDEX_MASK));
      },
      (count) => {
        for (let i = 0; i < count; i++) do_not_optimize(hand.read(i & INDEX_MASK));
      },
      sampling,
    );
  },
};

export const row: Row = {
  variants: Object.keys(LINES),
  async run({ sampling }, operation) {
    const measureLine = LINES[operation];
    if (measureLine === undefined) throw new Error(`no operation is called ${operation}`);
    return [await measureLine(sampling)];
  },
};
