// The board: one text in memory that has no room for anything else. What peers of this program need to read and write it whole
// lies beside it, where the original does not look: a lock, and a note of the text that is being written.
import { bool, bytes, char16, joinRecord, joinStore, namedMutex, struct } from 'sharecord';

const text = char16(4 * 1024, { onOverflow: 'truncate' });
/** 4 * 1024 units of UTF-16, zero-terminated, and not one byte more. */
export const Board = struct('Board', { text }, { size: 8192 });
/** The text that is being written, and what was there before. */
export const Note = struct('Note', { isPending: bool, before: bytes(Board.size), text });

/** What the original calls its memory and its message. */
export const ORIGINAL = {
  name: 'D9287E19-6F9E-45fa-897C-D392F73A0F2F',
  message: 'CC667211-7CE9-40c5-809A-1DA48E4014C4',
};

/** Tells whether `now` is half written: each byte is the old one or the new one, and neither is all of it. */
function isMixed(now: Uint8Array, before: Uint8Array, after: Uint8Array): boolean {
  const is = (other: Uint8Array): boolean => now.every((byte, i) => byte === other[i]);
  return now.every((byte, i) => byte === before[i] || byte === after[i]) && !is(before) && !is(after);
}

/** Creates the board or joins it. Its calls wait for the lock without blocking this thread, and fail with LOCK_TIMEOUT. */
export function joinBoard(name: string) {
  const notes = joinStore({ name: `${name}.note`, layout: Note, capacity: 1 });
  const board = joinRecord(name, Board, {
    // Whether the last owner died does not matter: a native peer may have been told instead. The note says what there is to do.
    guard: namedMutex(`${name}.lock`, { timeoutMs: 1000, onAbandoned() {} }),
  });
  const memory = new Uint8Array(board.segment.buffer, 0, Board.size);

  /**
   * Finishes the text of a peer that was killed while it wrote. Where the memory holds anything else than a mix of that text and
   * the one before, the writing had not begun or was over, or somebody without lock wrote since: then it stays as it is.
   */
  function settle(locked: Pick<typeof board, 'write'>): void {
    const { isPending, before, text } = notes.read(0);
    if (!isPending) return;
    const after = new Uint8Array(Board.size);
    Board.encode({ text }, after);
    if (isMixed(memory.slice(), before, after)) locked.write({ text });
    notes.assign(0, { isPending: false });
  }

  let last = '';
  return {
    created: board.created,
    /** Gives the text, or undefined if it is the one that was read or written here last. */
    readChange: () =>
      board.withLock((locked) => {
        settle(locked);
        const { text } = locked.read();
        if (text === last) return undefined;
        return (last = text);
      }),
    write: (text: string) =>
      board.withLock((locked) => {
        settle(locked);
        notes.write(0, { isPending: true, before: memory, text });
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
