// What a publish costs more because it looks whether somebody watches, when nobody does.
import { eight, handWritten, slotMemory } from '../floor.ts';
import { filledStore, INDEX_MASK, Numbers, numbers } from '../records.ts';
import { lineOf, type Row } from '../row.ts';
import { compare, timed } from '../sampling.ts';

const LIMIT_NS = 3;

export const row: Row = {
  variants: ['hand-written'],
  async run({ sampling }) {
    using store = filledStore(Numbers, numbers);
    const hand = handWritten(slotMemory(store));
    const record = eight();
    const ring = (): never => {
      throw new Error('nobody watches');
    };
    const rounds = await compare(
      {
        'with the look': timed((count) => {
          for (let i = 0; i < count; i++) hand.writeAloneArmed(i & INDEX_MASK, record, ring);
        }, sampling),
        without: timed((count) => {
          for (let i = 0; i < count; i++) hand.writeAlone(i & INDEX_MASK, record);
        }, sampling),
      },
      sampling,
    );
    return [
      lineOf('publish, nobody watches', rounds, 'with the look', {
        script: { names: ['without'], kind: 'more', limit: LIMIT_NS },
      }),
    ];
  },
};
