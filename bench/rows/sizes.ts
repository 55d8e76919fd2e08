// Records of N bytes: from straight-line code over copied loops to bulk copies. Reported, without targets.
import { array, createStore, f64, struct } from '../../src/index.ts';
import { SLOT_CELLS_WORD } from '../../src/sync/cells.ts';
import { slotMemory } from '../floor.ts';
import { lineOf, requireEqual, type Row } from '../row.ts';
import { compare, timed } from '../sampling.ts';

const RECORDS = 16;
const MASK = RECORDS - 1;
const DOUBLE = 8;

export const row: Row = {
  variants: ['64', '256', '1024', '4096', '16384'],
  async run({ sampling }, variant) {
    const length = Number(variant) / DOUBLE;
    const Trace = struct('Trace', { trace: array(f64, length) });
    using store = createStore({ layout: Trace, capacity: RECORDS });
    for (let i = 0; i < RECORDS; i++)
      store.write(i, { trace: Array.from({ length }, (_, k) => i + k + 0.5) });
    const { words, doubles, firstWord, strideWords, cellWords } = slotMemory(store);
    const readInto = (index: number, target: number[]): number[] => {
      const slot = firstWord + index * strideWords;
      for (;;) {
        const sequence = words[slot]!;
        const o = (slot + SLOT_CELLS_WORD + (sequence & 1) * cellWords) >> 1;
        for (let i = 0; i < length; i++) target[i] = doubles[o + i]!;
        if (Atomics.load(words, slot) === sequence) return target;
      }
    };
    const scratch = Trace.zero();
    const mine = Array.from({ length }, () => 0.5);
    requireEqual('readInto', store.readInto(5, scratch).trace, readInto(5, mine));
    const rounds = await compare(
      {
        ours: timed((count) => {
          for (let i = 0; i < count; i++) store.readInto(i & MASK, scratch);
          return scratch;
        }, sampling),
        hand: timed((count) => {
          for (let i = 0; i < count; i++) readInto(i & MASK, mine);
          return mine;
        }, sampling),
      },
      sampling,
    );
    return [
      lineOf(`readInto, record of ${variant} bytes, an array`, rounds, 'ours', {
        script: { names: ['hand'] },
      }),
    ];
  },
};
