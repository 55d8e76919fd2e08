// The rules for segment names, on POSIX systems and on Windows.
import { SegmentError } from '../errors.ts';

const MAX_NAME_BYTES = 200;

/** Spells what an error is about. */
export const shownSegment = (place: string | undefined): string =>
  place === undefined ? 'anonymous segment' : `segment "${place}"`;

function refuse(name: unknown, fact: string): never {
  const shown = typeof name === 'string' ? JSON.stringify(name.slice(0, MAX_NAME_BYTES)) : typeof name;
  throw new SegmentError('SEGMENT_NAME', `cannot use segment name ${shown}: ${fact}`, {
    segment: typeof name === 'string' ? name : undefined,
  });
}

/** Checks what holds everywhere: 1 to 200 bytes of UTF-8 without NUL. */
function checkText(name: unknown, bare: string): void {
  const bytes = new TextEncoder().encode(bare).length;
  if (bytes === 0) refuse(name, 'it is empty');
  if (bytes > MAX_NAME_BYTES) refuse(name, `it is ${bytes} bytes, expected at most ${MAX_NAME_BYTES}`);
  if (bare.includes('\0')) refuse(name, 'it contains NUL');
  if (!bare.isWellFormed()) refuse(name, 'it contains half a surrogate pair');
}

/**
 * Checks a name of 1 to 200 bytes of UTF-8 and gives it without its optional leading slash.
 * @throws {SegmentError} SEGMENT_NAME for anything else.
 */
export function normalizePosixName(name: unknown): string {
  if (typeof name !== 'string') refuse(name, 'expected a string');
  const bare = name.startsWith('/') ? name.slice(1) : name;
  checkText(name, bare);
  if (bare.includes('/')) refuse(name, 'it contains a slash behind its first character');
  if (bare.includes('\\')) refuse(name, 'it contains a backslash');
  if (bare === '.' || bare === '..') refuse(name, 'it means a folder');
  return bare;
}

/**
 * Checks the path of a file: text, not empty, without NUL.
 * @throws {SegmentError} SEGMENT_NAME for anything else.
 */
export function checkFile(file: unknown): string {
  if (typeof file !== 'string') refuse(file, 'expected the path of a file');
  if (file === '') refuse(file, 'it is empty');
  if (file.includes('\0')) refuse(file, 'it contains NUL');
  return file;
}

/**
 * Checks a name of 1 to 200 bytes of UTF-8, with `Local\` or `Global\` in front or not, and gives it as it is.
 * PLATFORM: no other backslash may be in it, and names differ by case (kernel object namespaces, Microsoft Learn).
 * @throws {SegmentError} SEGMENT_NAME for anything else.
 */
export function normalizeWindowsName(name: unknown): string {
  if (typeof name !== 'string') refuse(name, 'expected a string');
  checkText(name, name);
  const bare = name.replace(/^(?:Local|Global)\\/, '');
  if (bare === '') refuse(name, 'it is empty behind its namespace');
  if (bare.includes('\\')) refuse(name, 'it contains a backslash that does not end Local or Global');
  return name;
}
