// The board: one text in memory that has no room for anything else. What peers of this program need to read and write it whole
// lies beside it, where the original does not look: a lock, and a note of the text that is being written.
import { bool, char16, joinRecord, joinStore, namedMutex, struct } from 'sharecord';

const text = char16(4 * 1024, { onOverflow: 'truncate' });
/** 4 * 1024 units of UTF-16, zero-terminated, and not one byte more. */
export const Board = struct('Board', { text }, { size: 8192 });
/** The text that is being written. */
export const Note = struct('Note', { isPending: bool, text });

/** What the original calls its memory and its message. */
export const ORIGINAL = {
  name: 'D9287E19-6F9E-45fa-897C-D392F73A0F2F',
  message: 'CC667211-7CE9-40c5-809A-1DA48E4014C4',
};

/** Creates the board or joins it. Its calls wait for the lock without blocking this thread, and fail with LOCK_TIMEOUT. */
export function joinBoard(name: string) {
  const notes = joinStore({ name: `${name}.note`, layout: Note, capacity: 1 });
  const board = joinRecord(name, Board, {
    guard: namedMutex(`${name}.lock`, {
      timeoutMs: 1000,
      // A peer was killed with the lock in its hands. If it was writing, its text is finished for it.
      onAbandoned() {
        const note = notes.read(0);
        if (note.isPending) board.write({ text: note.text });
        notes.assign(0, { isPending: false });
      },
    }),
  });
  let last = '';
  return {
    created: board.created,
    /** Gives the text, or undefined if it is the one that was read or written here last. */
    readChange: () =>
      board.withLock((locked) => {
        const { text } = locked.read();
        if (text === last) return undefined;
        return (last = text);
      }),
    write: (text: string) =>
      board.withLock((locked) => {
        notes.write(0, { isPending: true, text });
        locked.write({ text });
        notes.assign(0, { isPending: false });
        last = locked.read().text; // a longer one was cut
      }),
    close() {
      board.close();
      notes.close();
    },
  };
}
