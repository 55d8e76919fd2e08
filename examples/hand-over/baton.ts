// What goes from hand to hand: a counter and a note, 64 bytes. Only who has been told to touches it, so it needs no guard.
import {
  type ForeignHandle,
  type Handle,
  openRecord,
  openSegment,
  struct,
  u32,
  unguarded,
  utf8,
} from 'sharecord';

export const Baton = struct('Baton', { hits: u32, note: utf8(60) });

/** Opens the baton at `offset` of memory that somebody handed over. */
export function take(source: Handle | ForeignHandle, offset = 0) {
  // A window of 64 bytes: the memory may have more than 4 GiB, and the offset need not be a multiple of anything.
  const segment = openSegment(source, { access: 'read-write', offset, length: Baton.size });
  const baton = openRecord(segment, Baton, { guard: unguarded(), access: 'read-write' });
  return {
    /** Counts one more, leaves a note, and gives the count. */
    hit(note: string): number {
      baton.update((draft) => {
        draft.hits += 1;
        draft.note = note;
      });
      return baton.read().hits;
    },
    close(): void {
      baton.close();
      segment.close();
    },
  };
}
