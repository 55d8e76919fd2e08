// TPShareMem = record Data: array[0..255] of Char; end — and how both sides open it. Char is UTF-16 since Delphi 2009, ANSI before.
import { char, char16, joinRecord, namedMutex, struct, unguarded } from 'sharecord';
import type { Options } from './options.ts';

/** 512 bytes. The text may fill them: the original writes no terminator. */
export const TPShareMem = struct('TPShareMem', { Data: char16(256, { terminated: false }) });

/** 256 bytes in a code page. */
export const ansiShareMem = (encoding: string) =>
  struct('TPShareMemAnsi', { Data: char(256, { encoding, terminated: false }) });

/** Joins the memory or creates it. Each read and each write takes the mutex for itself, and gives it back. */
export function joinMemory({ map, mutex, encoding, 'no-mutex': noMutex }: Options) {
  const layout = encoding === 'utf-16' ? TPShareMem : ansiShareMem(encoding);
  const guard = namedMutex(mutex, {
    timeoutMs: 1000,
    onAbandoned: () => console.error('the last owner of the mutex died: its text may be half written'),
  });
  const memory = joinRecord(map, layout, { guard: noMutex ? unguarded({ agree: 2 }) : guard });
  const { size } = memory.segment;
  // Windows gives whole pages: there another record of up to 4096 bytes goes unnoticed.
  if (process.platform !== 'win32' && size !== layout.size) {
    memory.close();
    throw new Error(`the memory ${map} has ${size} bytes, this record ${layout.size}: not the same record`);
  }
  return memory;
}
