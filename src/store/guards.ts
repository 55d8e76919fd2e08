// The guards for records of other programs, as users name them; record.ts puts them to work.
import { ValueError } from '../errors.ts';
import type { MutexOptions } from '../sync/mutex-guard.ts';
import { optionError, requireObject } from './options.ts';
import type {
  AnyGuard,
  NamedMutex,
  RecordMutex,
  SequenceWord,
  Unguarded,
  VersionWords,
} from './record-types.ts';

const MOST_COPIES = 1000;

function checkMutexOptions(act: string, options: MutexOptions): MutexOptions {
  requireObject(options, act);
  const { timeoutMs, onAbandoned } = options;
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
    throw optionError(act, 'timeoutMs', timeoutMs, 'number', 'milliseconds, 0 or more');
  }
  if (onAbandoned !== undefined && typeof onAbandoned !== 'function') {
    throw optionError(act, 'onAbandoned', onAbandoned, 'function', 'a function');
  }
  return onAbandoned === undefined ? { timeoutMs } : { timeoutMs, onAbandoned };
}

function checkField(act: string, option: string, name: unknown): void {
  if (typeof name !== 'string') throw optionError(act, option, name, 'string', 'the path of a field');
}

/**
 * Guards a record by a mutex with a name of its own. POSIX: a robust, process-shared `pthread_mutex_t` at the start of a
 * segment of that name, made if it is absent.
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE
 */
export function namedMutex(name: string, options: MutexOptions): NamedMutex {
  const act = 'guard by a named mutex';
  if (typeof name !== 'string') throw optionError(act, 'name', name, 'string', 'a string');
  return Object.freeze({ kind: 'namedMutex', lockable: true, name, ...checkMutexOptions(act, options) });
}

/**
 * Guards a record by the `pthread_mutex_t` in its field `at`, declared as `bytes(40)`, which native peers lock too. `at` is a path,
 * as of `seqlock`.
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE
 */
export function robustMutex<const B extends string>(
  options: MutexOptions & { readonly at: B },
): RecordMutex<B> {
  const act = 'guard by a robust mutex';
  requireObject(options, act);
  checkField(act, 'at', options.at);
  return Object.freeze({
    kind: 'robustMutex',
    lockable: true,
    at: options.at,
    ...checkMutexOptions(act, options),
  });
}

/**
 * Guards a record by a 32-bit word in it that is odd while somebody writes. `sequence` is the path of a `u32` or `i32` field: its
 * name, or through structs, unions and arrays as in `head.seq` or `buffers[1].tick`.
 * @throws {ValueError} VALUE_TYPE
 */
export function seqlock<const W extends string>(options: { readonly sequence: W }): SequenceWord<W> {
  requireObject(options, 'guard by a sequence');
  checkField('guard by a sequence', 'sequence', options.sequence);
  return Object.freeze({ kind: 'seqlock', sequence: options.sequence });
}

/**
 * Guards a record by two 32-bit words: a writer counts `begin` up, writes, then counts `end` up. Both are paths,
 * as of `seqlock`.
 * @throws {ValueError} VALUE_TYPE
 */
export function versionPair<const W extends string>(options: {
  readonly begin: W;
  readonly end: W;
}): VersionWords<W> {
  requireObject(options, 'guard by versions');
  checkField('guard by versions', 'begin', options.begin);
  checkField('guard by versions', 'end', options.end);
  if ((options.begin as string) === options.end) {
    throw new ValueError('VALUE_RANGE', 'cannot guard by versions: begin and end are the same field');
  }
  return Object.freeze({ kind: 'versionPair', begin: options.begin, end: options.end });
}

/**
 * Reads a record that nothing guards; with `agree` above 1 until that many copies in a row are equal (at most 1000).
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE
 */
export function unguarded(options: { readonly agree?: number } = {}): Unguarded {
  requireObject(options, 'read unguarded');
  const { agree = 1 } = options;
  if (!Number.isInteger(agree) || agree < 1 || agree > MOST_COPIES) {
    throw optionError('read unguarded', 'agree', agree, 'number', `an integer from 1 to ${MOST_COPIES}`);
  }
  return Object.freeze({ kind: 'unguarded', agree });
}

/** Makes each guard of what a caller gave as one: objects that no function above made are checked as its options are. */
const MAKERS: Readonly<Record<AnyGuard['kind'], (given: never) => AnyGuard>> = {
  namedMutex: (given: NamedMutex) => namedMutex(given.name, given),
  robustMutex: (given: RecordMutex<string>) => robustMutex(given),
  seqlock: (given: SequenceWord<string>) => seqlock(given),
  versionPair: (given: VersionWords<string>) => versionPair(given),
  unguarded: (given: Unguarded) => unguarded(given),
};

/**
 * Checks that `guard` is one, and copies it.
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE
 */
export function checkGuard(guard: unknown, act: string): AnyGuard {
  const kind = typeof guard === 'object' && guard !== null ? (guard as AnyGuard).kind : undefined;
  if (kind !== undefined && Object.hasOwn(MAKERS, kind)) return MAKERS[kind](guard as never);
  throw optionError(act, 'guard', guard, 'object', Object.keys(MAKERS).join(', '));
}
