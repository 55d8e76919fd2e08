// Files of Linux that have a name before they are finished, where there are no files without one: drafts. Their maker holds a lock on
// them, so that one whose maker was killed can be told, and is removed by whoever makes the next file in that folder.
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as libc from './libc.ts';
import { attempt, flagsFor } from './linux-object.ts';

const DRAFT = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\.sharecord-new$/;
/** Beyond the bytes that users of a finished segment lock (docs/segment-format.md). */
const MAKER_BYTE = 257;

/** True if `draft` still means the file behind `fd`. */
function means(draft: string, fd: number): boolean {
  const named = fs.lstatSync(draft, { bigint: true, throwIfNoEntry: false });
  const opened = fs.fstatSync(fd, { bigint: true });
  return named?.ino === opened.ino && named.dev === opened.dev;
}

/** Removes the draft if its maker is gone; one that may not be opened stays. */
function removeLeft(draft: string): void {
  let fd: number | undefined;
  try {
    fd = fs.openSync(draft, flagsFor(true) | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    // Held while the name goes: a maker that has not got its lock yet finds out, and makes another one.
    if (libc.lockByte(fd, MAKER_BYTE, draft) && means(draft, fd)) fs.rmSync(draft);
  } catch {
    // It is another user's, or somebody else removed it.
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Makes an empty draft beside `place`, and removes those of the folder whose makers were killed. */
export function openDraft(place: string, mode: number): { readonly draft: string; readonly fd: number } {
  const folder = path.dirname(place);
  for (const name of attempt('create', place, () => fs.readdirSync(folder)))
    if (DRAFT.test(name)) removeLeft(path.join(folder, name));
  const flags = flagsFor(true) | fs.constants.O_CREAT | fs.constants.O_EXCL;
  for (;;) {
    const draft = path.join(folder, `${randomUUID()}.sharecord-new`);
    const fd = attempt('create', place, () => fs.openSync(draft, flags, mode));
    try {
      if (libc.lockByte(fd, MAKER_BYTE, place) && means(draft, fd)) return { draft, fd };
    } catch (error) {
      fs.rmSync(draft, { force: true });
      fs.closeSync(fd);
      throw error;
    }
    fs.closeSync(fd);
  }
}
