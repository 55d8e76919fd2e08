// A guarded read of a 64-byte record to a fresh object. The object is kept alive: one whose fields are only added up would
// never be made, on either side.
import { do_not_optimize } from 'mitata';
import { INDEX_MASK } from '../records.ts';
import { lineOf, requireEqual, type Row } from '../row.ts';
import { compare, timed } from '../sampling.ts';
import { KINDS, subjectOf } from '../subjects.ts';

const LIMIT = 1.2;

export const row: Row = {
  variants: KINDS,
  async run({ sampling, native }, kind) {
    using subject = subjectOf(kind);
    const { store, hand } = subject;
    requireEqual('read', Object.values(store.read(5)), Object.values(hand.read(5)));
    requireEqual('read', Object.values(store.read(5)), Object.values(hand.readView(5)));
    const rounds = await compare(
      {
        ours: timed((count) => {
          for (let i = 0; i < count; i++) do_not_optimize(store.read(i & INDEX_MASK));
        }, sampling),
        'typed arrays': timed((count) => {
          for (let i = 0; i < count; i++) do_not_optimize(hand.read(i & INDEX_MASK));
        }, sampling),
        DataView: timed((count) => {
          for (let i = 0; i < count; i++) do_not_optimize(hand.readView(i & INDEX_MASK));
        }, sampling),
        ...(native === undefined ? {} : { C: native.sampler('read') }),
      },
      sampling,
    );
    return [
      lineOf(`read, ${kind}`, rounds, 'ours', {
        script: { names: ['typed arrays', 'DataView'], limit: LIMIT },
        native: { names: ['C'] },
      }),
    ];
  },
};
