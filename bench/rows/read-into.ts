// A guarded read of a 64-byte record into a scratch object made by `zero()`.
import { INDEX_MASK } from '../records.ts';
import { lineOf, requireEqual, type Row } from '../row.ts';
import { compare, timed } from '../sampling.ts';
import { KINDS, subjectOf } from '../subjects.ts';

const LIMIT = 1.15;
const NATIVE_LIMIT = 5.5;

export const row: Row = {
  variants: KINDS,
  async run({ sampling, native }, kind) {
    using subject = subjectOf(kind);
    const { store, hand } = subject;
    const scratch = subject.zero();
    const mine = subject.blank();
    const mineByView = subject.blank();
    requireEqual(
      'readInto',
      Object.values(store.readInto(5, scratch)),
      Object.values(hand.readInto(5, mine)),
    );
    const rounds = await compare(
      {
        ours: timed((count) => {
          for (let i = 0; i < count; i++) store.readInto(i & INDEX_MASK, scratch);
          return scratch;
        }, sampling),
        'typed arrays': timed((count) => {
          for (let i = 0; i < count; i++) hand.readInto(i & INDEX_MASK, mine);
          return mine;
        }, sampling),
        DataView: timed((count) => {
          for (let i = 0; i < count; i++) hand.readViewInto(i & INDEX_MASK, mineByView);
          return mineByView;
        }, sampling),
        ...(native === undefined ? {} : { C: native.sampler('read') }),
      },
      sampling,
    );
    return [
      lineOf(`readInto, ${kind}`, rounds, 'ours', {
        script: { names: ['typed arrays', 'DataView'], limit: LIMIT },
        native: { names: ['C'], limit: NATIVE_LIMIT },
      }),
    ];
  },
};
