// A guarded write of a 64-byte record. The store's writers are always several, so that its floor is the hand-written latch
// with a lock; the hand-written latch of a single writer is the second one.
import { INDEX_MASK } from '../records.ts';
import { lineOf, requireEqual, type Row } from '../row.ts';
import { compare, timed } from '../sampling.ts';
import { KINDS, subjectOf } from '../subjects.ts';

const LIMIT = 1.2;
const NATIVE_LIMIT = 3;
const NATIVE_ALONE_LIMIT = 6.5;

export const row: Row = {
  variants: KINDS,
  async run({ sampling, native }, kind) {
    using subject = subjectOf(kind);
    const { store, hand } = subject;
    // Both write the same 64 records in turn.
    const records = Array.from({ length: store.capacity }, (_, i) => store.read(i));
    const theirs = records.map((_, i) => hand.read(i));
    const before = store.read(5);
    hand.write(5, theirs[5] as object);
    requireEqual('write', store.read(5), before);
    hand.writeAlone(5, theirs[5] as object);
    requireEqual('write', store.read(5), before);
    const rounds = await compare(
      {
        ours: timed((count) => {
          for (let i = 0; i < count; i++) store.write(i & INDEX_MASK, records[i & INDEX_MASK] as object);
        }, sampling),
        'several writers': timed((count) => {
          for (let i = 0; i < count; i++) hand.write(i & INDEX_MASK, theirs[i & INDEX_MASK] as object);
        }, sampling),
        'plain unlock': timed((count) => {
          for (let i = 0; i < count; i++)
            hand.writePlainUnlock(i & INDEX_MASK, theirs[i & INDEX_MASK] as object);
        }, sampling),
        'one writer': timed((count) => {
          for (let i = 0; i < count; i++) hand.writeAlone(i & INDEX_MASK, theirs[i & INDEX_MASK] as object);
        }, sampling),
        ...(native === undefined
          ? {}
          : { C: native.sampler('write'), 'C, one writer': native.sampler('write-alone') }),
      },
      sampling,
    );
    return [
      lineOf(`write, ${kind}`, rounds, 'ours', {
        script: { names: ['several writers'], limit: LIMIT },
        native: { names: ['C'], limit: NATIVE_LIMIT },
      }),
      lineOf(`  against a plain unlock`, rounds, 'ours', { script: { names: ['plain unlock'] } }),
      lineOf(`  against one writer without a lock`, rounds, 'ours', {
        script: { names: ['one writer'], limit: LIMIT },
        native: { names: ['C, one writer'], limit: NATIVE_ALONE_LIMIT },
      }),
    ];
  },
};
