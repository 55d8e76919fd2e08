// One field of a live view, against the DataView call that it stands for. The place of the record is a variable on both sides.
import { bool, enumOf, f64, i32, struct, u32, u64, u8 } from '../../src/index.ts';
import { type Bench, lineOf, requireEqual, type Row } from '../row.ts';
import { compare, type Loop, timed } from '../sampling.ts';

const LIMIT = 1.15;
const STATES = ['Idle', 'Run', 'Fault'] as const;

const Panel = struct('Panel', {
  bid: f64,
  ask: f64,
  low: f64,
  high: f64,
  total: u64,
  count: u32,
  level: i32,
  live: bool,
  state: enumOf(u8, { Idle: 0, Run: 1, Fault: 2 }),
});

const memory = new ArrayBuffer(4096);
const view = new DataView(memory);
// Moved once below, so that no side may take it for a constant.
let at = 0;
const panel = Panel.view(memory, at);

/** Several fields a turn, as a program would touch them; `count` counts fields. */
const PAIRS: Readonly<Record<string, { readonly ours: Loop; readonly hand: Loop }>> = {
  'get f64': {
    ours(count) {
      let sum = 0;
      for (let i = 0; i < count; i += 4) sum += panel.bid + panel.ask + panel.low + panel.high;
      return sum;
    },
    hand(count) {
      let sum = 0;
      for (let i = 0; i < count; i += 4) {
        sum +=
          view.getFloat64(at, true) +
          view.getFloat64(at + 8, true) +
          view.getFloat64(at + 16, true) +
          view.getFloat64(at + 24, true);
      }
      return sum;
    },
  },
  'set f64': {
    ours(count) {
      for (let i = 0; i < count; i += 4) {
        panel.bid = i + 0.5;
        panel.ask = i + 1.5;
        panel.low = i + 2.5;
        panel.high = i + 3.5;
      }
    },
    hand(count) {
      for (let i = 0; i < count; i += 4) {
        view.setFloat64(at, i + 0.5, true);
        view.setFloat64(at + 8, i + 1.5, true);
        view.setFloat64(at + 16, i + 2.5, true);
        view.setFloat64(at + 24, i + 3.5, true);
      }
    },
  },
  'get u32, i32': {
    ours(count) {
      let sum = 0;
      for (let i = 0; i < count; i += 2) sum += panel.count + panel.level;
      return sum;
    },
    hand(count) {
      let sum = 0;
      for (let i = 0; i < count; i += 2) sum += view.getUint32(at + 40, true) + view.getInt32(at + 44, true);
      return sum;
    },
  },
  'set u32, i32': {
    ours(count) {
      for (let i = 0; i < count; i += 2) {
        panel.count = i;
        panel.level = -i;
      }
    },
    hand(count) {
      for (let i = 0; i < count; i += 2) {
        view.setUint32(at + 40, i, true);
        view.setInt32(at + 44, -i, true);
      }
    },
  },
  'get u64': {
    ours(count) {
      let last = 0n;
      for (let i = 0; i < count; i++) last ^= panel.total;
      return last;
    },
    hand(count) {
      let last = 0n;
      for (let i = 0; i < count; i++) last ^= view.getBigUint64(at + 32, true);
      return last;
    },
  },
  'set u64': {
    ours(count) {
      for (let i = 0; i < count; i++) panel.total = 2n ** 40n;
    },
    hand(count) {
      for (let i = 0; i < count; i++) view.setBigUint64(at + 32, 2n ** 40n, true);
    },
  },
  'get bool, enum': {
    ours(count) {
      let seen = 0;
      for (let i = 0; i < count; i += 2) if (panel.live && panel.state === 'Run') seen++;
      return seen;
    },
    hand(count) {
      let seen = 0;
      for (let i = 0; i < count; i += 2) {
        if (view.getUint8(at + 48) !== 0 && STATES[view.getUint8(at + 49)] === 'Run') seen++;
      }
      return seen;
    },
  },
  'set bool, enum': {
    ours(count) {
      for (let i = 0; i < count; i += 2) {
        panel.live = (i & 2) === 0;
        panel.state = (i & 2) === 0 ? 'Idle' : 'Run';
      }
    },
    hand(count) {
      for (let i = 0; i < count; i += 2) {
        view.setUint8(at + 48, (i & 2) === 0 ? 1 : 0);
        view.setUint8(at + 49, (i & 2) === 0 ? 0 : 1);
      }
    },
  },
};

/** Moves both to a record whose values both must see. */
function place(): void {
  at = 1024;
  panel.moveTo(at);
  Panel.encode(
    { bid: 1.5, ask: 2.5, low: 3.5, high: 4.5, total: 5n, count: 6, level: -7, live: true, state: 'Run' },
    memory,
    at,
  );
  for (const [name, { ours, hand }] of Object.entries(PAIRS)) {
    requireEqual(name, ours(8), hand(8));
    requireEqual(name, panel.toJSON(), Panel.decode(memory, at));
  }
}

export const row: Row = {
  variants: ['one process'],
  async run({ sampling }: Bench) {
    place();
    const contenders = Object.entries(PAIRS).flatMap(([name, { ours, hand }]) => [
      [name, timed(ours, sampling)] as const,
      [`${name} by hand`, timed(hand, sampling)] as const,
    ]);
    const rounds = await compare(Object.fromEntries(contenders), sampling);
    return Object.keys(PAIRS).map((name) =>
      lineOf(`view: ${name}`, rounds, name, { script: { names: [`${name} by hand`], limit: LIMIT } }),
    );
  },
};
