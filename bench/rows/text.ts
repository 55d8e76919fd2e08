// A record with text, an array and a 64-bit integer: reported, without a target.
import { do_not_optimize } from 'mitata';
import { handText } from '../floor-text.ts';
import { slotMemory } from '../floor.ts';
import { filledStore, INDEX_MASK, Quote, quote } from '../records.ts';
import { lineOf, requireEqual, type Row } from '../row.ts';
import { compare, timed } from '../sampling.ts';

export const row: Row = {
  variants: ['read', 'readInto', 'write'],
  async run({ sampling }, operation) {
    using store = filledStore(Quote, quote);
    const hand = handText(slotMemory(store));
    requireEqual('read', Object.values(store.read(5)), Object.values(hand.read(5)));
    const records = Array.from({ length: store.capacity }, (_, i) => store.read(i));
    const theirs = records.map((_, i) => hand.read(i));
    hand.write(5, theirs[5]!);
    requireEqual('write', store.read(5), quote(5));
    const scratch = Quote.zero();
    const mine = hand.read(0);
    const contenders = {
      read: {
        ours: timed((count) => {
          for (let i = 0; i < count; i++) do_not_optimize(store.read(i & INDEX_MASK));
        }, sampling),
        hand: timed((count) => {
          for (let i = 0; i < count; i++) do_not_optimize(hand.read(i & INDEX_MASK));
        }, sampling),
      },
      readInto: {
        ours: timed((count) => {
          for (let i = 0; i < count; i++) store.readInto(i & INDEX_MASK, scratch);
          return scratch;
        }, sampling),
        hand: timed((count) => {
          for (let i = 0; i < count; i++) hand.readInto(i & INDEX_MASK, mine);
          return mine;
        }, sampling),
      },
      write: {
        ours: timed((count) => {
          for (let i = 0; i < count; i++) store.write(i & INDEX_MASK, records[i & INDEX_MASK]!);
        }, sampling),
        hand: timed((count) => {
          for (let i = 0; i < count; i++) hand.write(i & INDEX_MASK, theirs[i & INDEX_MASK]!);
        }, sampling),
      },
    }[operation];
    if (contenders === undefined) throw new Error(`no operation is called ${operation}`);
    const rounds = await compare(contenders, sampling);
    return [lineOf(`${operation}, the README's quote`, rounds, 'ours', { script: { names: ['hand'] } })];
  },
};
