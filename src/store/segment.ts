// Raw segments: making, joining and opening memory without any format of ours. Stores build on the same MappedSegment and bring their
// own way to leave it.
import { selectPlatform } from '#platform';
import { SegmentError } from '../errors.ts';
import type { Access, ForeignHandle, Handle, SegmentObject, Source } from '../platform/platform.ts';
import { PARTICIPANT_SLOTS } from '../sync/participants.ts';
import { passGate } from './lifetime.ts';
import { MappedSegment, noOwners, type Segment } from './mapped-segment.ts';
import {
  type CheckedOptions,
  checkOptions,
  checkSource,
  optionError,
  requireObject,
  type SegmentOptions,
} from './options.ts';

const platform = selectPlatform();

/** Counts this open among the users of a raw segment with a name or file; gives the way to leave. */
function enter(object: SegmentObject, options: CheckedOptions): () => void {
  if (options.place === undefined || options.lifetime === 'until-unlink') return () => {};
  if (object.backing === 'named' && !platform.namesOutliveUsers) return () => {};
  const locks = object.locks(noOwners);
  let slot = 0;
  while (!locks.tryLock(slot)) {
    if (++slot === PARTICIPANT_SLOTS) {
      throw new SegmentError(
        'SEGMENT_LIMIT',
        `cannot join segment "${options.place}": ${slot} users have it open`,
        { segment: options.place },
      );
    }
  }
  return () =>
    passGate(locks, options.place, () => {
      locks.unlock(slot);
      // Another user's name is that user's to remove.
      if (!object.foreignOwner && !locks.isHeld(0, PARTICIPANT_SLOTS)) object.unlink();
    });
}

const isForeign = (source: string | Handle | ForeignHandle): source is ForeignHandle =>
  typeof source === 'object' && !('backing' in source);

/** Refuses an object of another user unless the caller asked for it. */
export function requireOwner(object: SegmentObject, anyOwner: boolean | undefined): void {
  if (!object.foreignOwner || anyOwner === true) return;
  throw new SegmentError(
    'SEGMENT_DENIED',
    `cannot open segment "${object.place ?? 'anonymous'}": it belongs to another user`,
    { segment: object.place },
  );
}

/** Maps all of `object` for reading and writing and wraps it up; the object stays open when that fails. */
function wrap(object: SegmentObject, created: boolean, join: (bytes: Uint8Array) => () => void): Segment {
  const mapping = object.map('read-write', 0, object.size);
  try {
    const leave = join(new Uint8Array(mapping.buffer));
    return new MappedSegment({ object, mapping, access: 'read-write', created, leave });
  } catch (error) {
    mapping.unmap();
    throw error;
  }
}

/** Runs `use`, and closes `object` if that throws. */
function closingOnThrow<T>(object: SegmentObject, use: () => T): T {
  try {
    return use();
  } catch (error) {
    object.close();
    throw error;
  }
}

/** A segment to make or join. */
export interface NewSegment extends SegmentOptions {
  /** Bytes, 1 to 2^53 - 1. */
  readonly size: number;
}

function requireSize(size: unknown, act: string): number {
  if (Number.isSafeInteger(size) && (size as number) > 0) return size as number;
  throw optionError(act, 'size', size, 'number', 'a whole number of bytes above 0');
}

/** Makes the object for a new segment of `size` bytes, whose name is still to be published; undefined if that is taken. */
export function createObject(options: CheckedOptions, size: number): SegmentObject | undefined {
  const { backing, place, mode, securityDescriptor, inheritable } = options;
  if (backing === 'process') return platform.createProcess(size);
  const wanted = { size, mode, securityDescriptor, inheritable };
  if (place === undefined) return platform.createAnonymous(wanted);
  return backing === 'file' ? platform.createFile(wanted, place) : platform.createUnpublished(wanted, place);
}

/** Reports that the name or file is there already; `what` is asked for, `foreign` tells why it is no segment. */
export function takenError(
  options: CheckedOptions,
  what: 'segment' | 'store' | 'map',
  foreign?: SegmentError,
): SegmentError {
  const { backing, place } = options;
  const inUse = backing === 'file' ? 'the file exists' : 'the name is in use';
  const fact = foreign === undefined ? inUse : 'the name belongs to something of another kind';
  const { syscall, osCode } = foreign ?? platform.taken[backing === 'file' ? 'file' : 'named'];
  return new SegmentError('SEGMENT_EXISTS', `cannot create ${what} "${place}": ${fact}`, {
    syscall,
    osCode,
    segment: place,
    cause: foreign,
  });
}

/**
 * Creates a segment of `size` zeroed bytes, open for reading and writing.
 * @throws {SegmentError} SEGMENT_EXISTS when the name is in use or the file is there; SEGMENT_NAME, SEGMENT_LIMIT, SEGMENT_DENIED
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE for bad options
 */
export function createSegment(options: NewSegment): Segment {
  return createPrepared(options, () => {});
}

/** Fills a segment that nobody else sees yet. */
export type Prepare = (bytes: Uint8Array) => void;

/** Creates as `createSegment` does, prepared before it has its name. */
export function createPrepared(options: NewSegment, prepare: Prepare): Segment {
  const act = 'create segment';
  const checked = checkOptions(options, platform, act);
  const segment = createNamed(checked, requireSize(options.size, act), prepare);
  if (segment !== undefined) return segment;
  throw takenError(checked, 'segment');
}

/** Undefined if the name is in use. `prepare` fills the memory before anybody else can see it. */
function createNamed(checked: CheckedOptions, size: number, prepare: Prepare): Segment | undefined {
  const object = createObject(checked, size);
  if (object === undefined) return undefined;
  const segment = closingOnThrow(object, () => wrap(object, true, () => enter(object, checked)));
  try {
    prepare(new Uint8Array(segment.buffer));
    if (checked.place === undefined || object.publish(checked.place)) return segment;
  } catch (error) {
    segment.close();
    throw error;
  }
  segment.close();
  return undefined;
}

/**
 * Opens the segment of that name or file for reading and writing, or creates it. One that is there and that no user of this
 * library has open by `createSegment` or `joinSegment` was made by somebody else, or left by a crash: it is kept at the end,
 * whatever `lifetime` says.
 * @throws {SegmentError} SEGMENT_TOO_SMALL when the existing one has less than `size` bytes; those of `createSegment`
 */
export function joinSegment(options: NewSegment): Segment {
  return joinPrepared(options, () => {});
}

/**
 * Joins as `joinSegment` does; a segment that it has to create is prepared before it has its name. `isOurs` tells of one that
 * nobody uses whether this library made it: then its last user removes it all the same.
 */
export function joinPrepared(
  options: NewSegment,
  prepare: Prepare,
  isOurs: (bytes: Uint8Array) => boolean = () => false,
): Segment {
  const act = 'join segment';
  const checked = checkOptions(options, platform, act);
  const size = requireSize(options.size, act);
  for (;;) {
    const found = openIfThere(checked);
    if (found === undefined) {
      const segment = createNamed(checked, size, prepare);
      if (segment !== undefined) return segment;
      continue;
    }
    const segment = closingOnThrow(found, () => {
      requireOwner(found, checked.anyOwner);
      requireRoom(found, size);
      const locks = found.locks(noOwners);
      return passGate(locks, found.place, () => {
        if (!found.named()) return undefined;
        const isUsed = locks.isHeld(0, PARTICIPANT_SLOTS);
        return wrap(found, false, (bytes) => (isUsed || isOurs(bytes) ? enter(found, checked) : () => {}));
      });
    });
    if (segment !== undefined) return segment;
    found.close();
  }
}

/** Opens what is at a place for writing; undefined if nothing is there, or there is no place. */
export function openIfThere({ backing, place }: CheckedOptions): SegmentObject | undefined {
  if (place === undefined) return undefined;
  try {
    return platform.open(backing === 'file' ? { backing, file: place, size: 0 } : place, 'read-write');
  } catch (error) {
    if (error instanceof SegmentError && error.code === 'SEGMENT_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Tells of a segment without any bytes: its maker may be about to give it its size. */
export class EmptySegmentError extends SegmentError {}

function requireRoom(object: SegmentObject, size: number): void {
  if (object.size >= size) return;
  const Refusal = object.size === 0 ? EmptySegmentError : SegmentError;
  throw new Refusal(
    'SEGMENT_TOO_SMALL',
    `cannot open segment "${object.place ?? 'anonymous'}": it is ${object.size} bytes, expected at least ${size}`,
    { segment: object.place },
  );
}

/** What part of a segment to open, and for what. */
export interface OpenSegmentOptions {
  /** Default `read`. */
  readonly access?: Access;
  /** First byte of the window; need not be aligned. Default 0. */
  readonly offset?: number;
  /** Bytes of the window. Default: up to the segment's end. */
  readonly length?: number;
  /** Accepts a segment of another user. */
  readonly anyOwner?: boolean;
}

/**
 * Opens an existing segment, or a window of it; writes nothing to it.
 * @throws {SegmentError} SEGMENT_NOT_FOUND, SEGMENT_DENIED, SEGMENT_TOO_SMALL when the window passes the end
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE for bad options
 */
export function openSegment(source: Source, options: OpenSegmentOptions = {}): Segment {
  const segment = openUnadopted(source, options);
  segment.adopt();
  return segment;
}

/** Opens as `openSegment` does; a number that was handed over with `adopt` stays open until `adopt()`. */
export function openUnadopted(source: Source, options: OpenSegmentOptions): MappedSegment {
  const act = 'open segment';
  requireObject(options, act);
  const { access = 'read', offset = 0 } = options;
  if (access !== 'read' && access !== 'read-write' && access !== 'copy-on-write') {
    throw optionError(act, 'access', access, 'string', "'read', 'read-write' or 'copy-on-write'");
  }
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw optionError(act, 'offset', offset, 'number', 'a whole number of bytes');
  if (options.length !== undefined) requireSize(options.length, act);
  const checked = checkSource(source, act);
  const object = platform.open(checked, access);
  return closingOnThrow(object, () => {
    requireOwner(object, options.anyOwner);
    const end = isForeign(checked) ? (checked.size ?? object.size) : object.size;
    const length = options.length ?? end - offset;
    requireRoom(object, offset + Math.max(length, 1));
    const mapping = object.map(access, offset, length);
    return new MappedSegment({ object, mapping, start: offset, access, created: false, leave: () => {} });
  });
}
