// One field of a live view, against the DataView call that it stands for, and for sets against a class written by hand that
// keeps the memory and the place private and checks as much. The place of the record is a variable on all sides.
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

/** What a skilled programmer would write to have fields that can be set as such. */
class HandPanel {
  readonly #view: DataView;
  #at: number;
  constructor(memory: ArrayBuffer, at: number) {
    this.#view = new DataView(memory);
    this.#at = at;
  }
  set place(at: number) {
    this.#at = at;
  }
  set buy(value: unknown) {
    if (typeof value !== 'number') throw new TypeError('buy is a number');
    this.#view.setFloat64(this.#at, value, true);
  }
  set sell(value: unknown) {
    if (typeof value !== 'number') throw new TypeError('sell is a number');
    this.#view.setFloat64(this.#at + 8, value, true);
  }
  set min(value: unknown) {
    if (typeof value !== 'number') throw new TypeError('min is a number');
    this.#view.setFloat64(this.#at + 16, value, true);
  }
  set max(value: unknown) {
    if (typeof value !== 'number') throw new TypeError('max is a number');
    this.#view.setFloat64(this.#at + 24, value, true);
  }
  set number(value: unknown) {
    if (typeof value !== 'number' || value >>> 0 !== value)
      throw new RangeError('number is from 0 to 2^32 - 1');
    this.#view.setUint32(this.#at + 40, value, true);
  }
  set height(value: unknown) {
    if (typeof value !== 'number' || (value | 0) !== value)
      throw new RangeError('height is from -2^31 to 2^31 - 1');
    this.#view.setInt32(this.#at + 44, value, true);
  }
  set on(value: unknown) {
    if (typeof value !== 'boolean') throw new TypeError('on is a boolean');
    this.#view.setUint8(this.#at + 48, value ? 1 : 0);
  }
  set mode(value: unknown) {
    const stored = value === 'Idle' ? 0 : value === 'Run' ? 1 : value === 'Fault' ? 2 : -1;
    if (stored < 0) throw new RangeError('mode is Idle, Run or Fault');
    this.#view.setUint8(this.#at + 49, stored);
  }
}
const handPanel = new HandPanel(memory, at);

interface Pair {
  readonly ours: Loop;
  readonly hand: Loop;
  /** By a class of accessors that checks. */
  readonly checked?: Loop;
}

/** Several fields a turn, as a program would touch them; `count` counts fields. */
const PAIRS: Readonly<Record<string, Pair>> = {
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
    checked(count) {
      for (let i = 0; i < count; i += 4) {
        handPanel.buy = i + 0.5;
        handPanel.sell = i + 1.5;
        handPanel.min = i + 2.5;
        handPanel.max = i + 3.5;
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
    checked(count) {
      for (let i = 0; i < count; i += 2) {
        handPanel.number = i;
        handPanel.height = -i;
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
    checked(count) {
      for (let i = 0; i < count; i += 2) {
        handPanel.on = (i & 2) === 0;
        handPanel.mode = (i & 2) === 0 ? 'Idle' : 'Run';
      }
    },
  },
};

/** Moves both to a record whose values both must see. */
function place(): void {
  at = 1024;
  panel.moveTo(at);
  handPanel.place = at;
  Panel.encode(
    { bid: 1.5, ask: 2.5, low: 3.5, high: 4.5, total: 5n, count: 6, level: -7, live: true, state: 'Run' },
    memory,
    at,
  );
  for (const [name, { ours, hand, checked }] of Object.entries(PAIRS)) {
    requireEqual(name, ours(8), hand(8));
    const after = Panel.decode(memory, at);
    ours(4);
    checked?.(8);
    requireEqual(name, Panel.decode(memory, at), after);
  }
}

export const row: Row = {
  variants: ['one process'],
  async run({ sampling }: Bench) {
    place();
    const contenders = Object.entries(PAIRS).flatMap(([name, { ours, hand, checked }]) => [
      [name, timed(ours, sampling)] as const,
      [`${name} by hand`, timed(hand, sampling)] as const,
      ...(checked === undefined ? [] : [[`${name} checked`, timed(checked, sampling)] as const]),
    ]);
    const rounds = await compare(Object.fromEntries(contenders), sampling);
    return Object.entries(PAIRS).flatMap(([name, { checked }]) => [
      lineOf(`view: ${name}`, rounds, name, { script: { names: [`${name} by hand`], limit: LIMIT } }),
      ...(checked === undefined
        ? []
        : [
            lineOf('  and the floor is a class that checks', rounds, name, {
              script: { names: [`${name} checked`] },
            }),
          ]),
    ]);
  },
};
