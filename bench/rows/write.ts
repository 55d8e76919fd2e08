// A guarded write of a 64-byte record. A store's writers are always several, so that its floor is the hand-written latch with
// a lock; the hand-written latch of a single writer is a second one. Records are objects that the library made, or object
// literals of the caller's, whose keys are those of the definition (floor.ts says what that costs).
import { INDEX_MASK } from '../records.ts';
import { lineOf, requireEqual, type Row } from '../row.ts';
import { compare, timed } from '../sampling.ts';
import { KINDS, subjectOf } from '../subjects.ts';

const LIMIT = 1.2;
const NATIVE_LIMIT = 3;
const NATIVE_ALONE_LIMIT = 6.5;
const LITERALS = ' from literals';

export const row: Row = {
  variants: KINDS.flatMap((kind) => [kind, kind + LITERALS]),
  async run({ sampling, native }, variant) {
    const literals = variant.endsWith(LITERALS);
    using subject = subjectOf(variant.replace(LITERALS, ''), literals);
    const { store, hand } = subject;
    // All sides write the same 64 records in turn.
    const records = Array.from({ length: store.capacity }, (_, i) =>
      literals ? subject.literal(i) : store.read(i),
    );
    const theirs = records.map((_, i) => hand.read(i));
    for (const write of [hand.write, hand.writePlainUnlock, hand.writeAlone]) {
      store.write(5, records[6] as object);
      write(5, theirs[5] as object);
      requireEqual('write', store.read(5), records[5]);
    }
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
    const against = lineOf(`write, ${variant}`, rounds, 'ours', {
      script: { names: ['several writers'], limit: LIMIT },
      native: { names: ['C'], limit: NATIVE_LIMIT },
    });
    if (literals) return [against];
    return [
      against,
      lineOf('  and the floor unlocks by a plain store', rounds, 'ours', {
        script: { names: ['plain unlock'] },
      }),
      lineOf('  and the floor has one writer, no lock', rounds, 'ours', {
        script: { names: ['one writer'], limit: LIMIT },
        native: { names: ['C, one writer'], limit: NATIVE_ALONE_LIMIT },
      }),
    ];
  },
};
