// What a read costs as records grow, in order and at random. Both sides walk the same memory in the same order, so that
// what the caches do falls on both.
import { handWritten, eight, slotMemory } from '../floor.ts';
import { filledStore, Numbers, numbers } from '../records.ts';
import { lineOf, requireEqual, type Row } from '../row.ts';
import { compare, timed } from '../sampling.ts';

const LIMIT = 1.15;
const ORDERS = ['in order', 'at random'] as const;
const COUNTS = [1000, 10_000, 100_000, 1_000_000, 10_000_000];
const QUICK_MOST = 100_000;
const USUAL_MOST = 1_000_000;

/** Shuffles the numbers below `count`, the same way in every run. */
function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let state = 1;
  for (let i = count - 1; i > 0; i--) {
    // A linear congruential generator (Numerical Recipes); its upper bits are even enough for an order.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (i + 1));
    [order[i], order[other]] = [order[other] as number, order[i] as number];
  }
  return order;
}

export const row: Row = {
  variants: ORDERS.flatMap((order) =>
    COUNTS.map((count) => `${order}, ${count.toLocaleString('en')} records`),
  ),
  async run({ sampling, quick, large }, variant) {
    const count = Number(variant.replaceAll(/\D/g, ''));
    if (count > (quick ? QUICK_MOST : large ? Infinity : USUAL_MOST)) return [];
    using store = filledStore(Numbers, numbers, { capacity: count });
    const hand = handWritten(slotMemory(store));
    const scratch = Numbers.zero();
    const mine = eight();
    requireEqual(
      'readInto',
      Object.values(store.readInto(999, scratch)),
      Object.values(hand.readInto(999, mine)),
    );
    const inOrder = variant.startsWith(ORDERS[0]);
    const indexes = inOrder ? Uint32Array.from({ length: count }, (_, i) => i) : shuffled(count);
    let oursAt = 0;
    let handAt = 0;
    const rounds = await compare(
      {
        ours: timed((reads) => {
          for (let i = 0; i < reads; i++) {
            store.readInto(indexes[oursAt] as number, scratch);
            if (++oursAt === count) oursAt = 0;
          }
          return scratch;
        }, sampling),
        hand: timed((reads) => {
          for (let i = 0; i < reads; i++) {
            hand.readInto(indexes[handAt] as number, mine);
            if (++handAt === count) handAt = 0;
          }
          return mine;
        }, sampling),
      },
      sampling,
    );
    return [lineOf(`readInto ${variant}`, rounds, 'ours', { script: { names: ['hand'], limit: LIMIT } })];
  },
};
