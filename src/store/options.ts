// Options that everything which creates a segment has in common, checked once.
import { SegmentError, ValueError } from '../errors.ts';
import { show } from '../layout/fault.ts';
import type { AnyLayout } from '../layout/types.ts';
import type { Backing, ForeignHandle, Handle, Platform } from '../platform/platform.ts';
import type { Lifetime } from './segment-header.ts';

const OWNER_ONLY = 0o600;
const ALL_PERMISSIONS = 0o777;
const BACKINGS: readonly unknown[] = ['named', 'file', 'anonymous', 'process'];
const LIFETIMES: readonly unknown[] = ['last-close', 'until-unlink'];

/** Where a new segment's memory comes from, who may use it, and when it ends. */
export interface SegmentOptions {
  /** Default: `file` with `file`, `named` with `name`, else `anonymous` (in a browser `process`). */
  readonly backing?: Backing;
  /** 1 to 200 bytes of UTF-8 without slash (but one in front), backslash or NUL. */
  readonly name?: string;
  /** Path of the file behind the memory. */
  readonly file?: string;
  /** Permission bits on POSIX; default 0o600, the owner alone. */
  readonly mode?: number;
  /** SDDL text on Windows; default: the user alone. */
  readonly securityDescriptor?: string;
  /**
   * True lets every child process that starts while the segment is open have its `osHandle`, under the same number. The
   * memory then lives until the child ends or closes it too. Default false.
   */
  readonly inheritable?: boolean;
  /** `last-close` removes a name or file with its last user; `until-unlink` keeps it. Default `last-close`. */
  readonly lifetime?: Lifetime;
  /** Accepts an existing segment of another user. */
  readonly anyOwner?: boolean;
}

/** The same, complete and checked. */
export interface CheckedOptions {
  readonly backing: Backing;
  /** What others will find it by: its name, or the absolute path of its file. */
  readonly place: string | undefined;
  readonly mode: number;
  readonly securityDescriptor: string | undefined;
  readonly inheritable: boolean;
  readonly lifetime: Lifetime;
  readonly anyOwner: boolean;
}

/** Reports a bad option; VALUE_RANGE if it has the right type. */
export function optionError(
  act: string,
  option: string,
  found: unknown,
  type: 'number' | 'string' | 'object' | 'boolean' | 'function',
  expected: string,
): ValueError {
  const isOfType = typeof found === type && found !== null;
  const text = `cannot ${act}: ${option} is ${show(found)}, expected ${expected}`;
  return new ValueError(isOfType ? 'VALUE_RANGE' : 'VALUE_TYPE', text);
}

/** Checks that `options` is an object; the messages name `act`. */
export function requireObject(options: unknown, act: string): void {
  if (typeof options !== 'object' || options === null)
    throw optionError(act, 'options', options, 'object', 'an object');
}

/** Checks that `signal` is an AbortSignal, or nothing. */
export function requireSignal(signal: unknown, act: string): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new ValueError('VALUE_TYPE', `cannot ${act}: signal is no AbortSignal`);
}

function chooseBacking(options: SegmentOptions, platform: Platform, act: string): Backing {
  const { backing, name, file } = options;
  if (backing !== undefined && !BACKINGS.includes(backing)) {
    throw optionError(act, 'backing', backing, 'string', "'named', 'file', 'anonymous' or 'process'");
  }
  if (backing === 'named' && name === undefined)
    throw optionError(act, 'name', undefined, 'string', 'a string');
  if (backing === 'file' && file === undefined)
    throw optionError(act, 'file', undefined, 'string', 'the path of a file');
  const chosen =
    backing ?? (file !== undefined ? 'file' : name !== undefined ? 'named' : platform.defaultBacking);
  if (name !== undefined && chosen !== 'named')
    throw optionError(act, 'name', name, 'string', `none with backing '${chosen}'`);
  if (file !== undefined && chosen !== 'file')
    throw optionError(act, 'file', file, 'string', `none with backing '${chosen}'`);
  return chosen;
}

/**
 * Checks what a caller asked for.
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE
 * @throws {SegmentError} SEGMENT_NAME, SEGMENT_UNSUPPORTED
 */
export function checkOptions(options: SegmentOptions, platform: Platform, act: string): CheckedOptions {
  requireObject(options, act);
  const { mode = OWNER_ONLY, securityDescriptor, inheritable = false } = options;
  const { lifetime = 'last-close', anyOwner = false } = options;
  if (!Number.isInteger(mode) || mode < 0 || mode > ALL_PERMISSIONS) {
    throw optionError(act, 'mode', mode, 'number', 'an integer from 0 to 0o777');
  }
  if (securityDescriptor !== undefined && typeof securityDescriptor !== 'string')
    throw optionError(act, 'securityDescriptor', securityDescriptor, 'string', 'SDDL text');
  if (!LIFETIMES.includes(lifetime))
    throw optionError(act, 'lifetime', lifetime, 'string', "'last-close' or 'until-unlink'");
  if (typeof inheritable !== 'boolean')
    throw optionError(act, 'inheritable', inheritable, 'boolean', 'a boolean');
  if (typeof anyOwner !== 'boolean') throw optionError(act, 'anyOwner', anyOwner, 'boolean', 'a boolean');
  const backing = chooseBacking(options, platform, act);
  if (inheritable && backing === 'process')
    throw optionError(act, 'inheritable', inheritable, 'boolean', "false with backing 'process'");
  const { name, file } = options;
  const place =
    name !== undefined
      ? platform.normalizeName(name)
      : file === undefined
        ? undefined
        : platform.normalizeFile(file);
  if (backing === 'named' && lifetime === 'until-unlink' && !platform.namesOutliveUsers) {
    throw new SegmentError(
      'SEGMENT_UNSUPPORTED',
      `cannot ${act}: named memory of this system ends with its last user, lifetime 'until-unlink' is not to be had`,
    );
  }
  return { backing, place, mode, securityDescriptor, inheritable, lifetime, anyOwner };
}

const isHandleNumber = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;

/**
 * Checks a name, file or handle before it is opened, and copies it: what was checked is what is used.
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE
 */
export function checkSource(source: unknown, act: string): string | Handle | ForeignHandle {
  if (typeof source === 'string') return source;
  if (typeof source === 'object' && source !== null) {
    const copy = { ...source } as Record<string, unknown>;
    const { backing, osHandle, pid, name, file, identity, size, adopt } = copy;
    const texts = [name, file, identity].every((text) => text === undefined || typeof text === 'string');
    const numbers =
      (osHandle === undefined || isHandleNumber(osHandle)) &&
      (pid === undefined || (isHandleNumber(pid) && (pid as number) > 0));
    const isForeign =
      osHandle !== undefined &&
      (size === undefined || (Number.isSafeInteger(size) && (size as number) > 0)) &&
      // Another process's number is that process's to close.
      (adopt === undefined || (typeof adopt === 'boolean' && !(adopt && pid !== undefined)));
    const isFile = backing === undefined && file !== undefined && osHandle === undefined;
    if (texts && isFile && name === undefined) return { backing: 'file', file: file as string, size: 0 };
    const isHandle = backing === undefined ? isForeign : BACKINGS.includes(backing);
    if (texts && numbers && isHandle) return copy as unknown as Handle;
  }
  throw optionError(act, 'source', source, 'object', 'a name, a file or a handle');
}

/**
 * Checks that `layout` was made by `struct`.
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE
 */
export function requireLayout(layout: unknown, act: string): AnyLayout {
  if (typeof layout === 'object' && layout !== null && (layout as AnyLayout).kind === 'struct')
    return layout as AnyLayout;
  throw optionError(act, 'layout', layout, 'object', 'a layout made by struct()');
}
