// Attaching to records in somebody else's format: finds the segment, checks that the record lies inside it, and puts its
// guard together.
import { selectPlatform } from '#platform';
import { LayoutError, SegmentError, ValueError } from '../errors.ts';
import { pathStep } from '../layout/fault.ts';
import { columnInMemory } from '../layout/field-access.ts';
import { findField, type FoundField } from '../layout/field-path.ts';
import type { AnyLayout } from '../layout/types.ts';
import type { Access, Source } from '../platform/platform.ts';
import { MutexGuard } from '../sync/mutex-guard.ts';
import { AgreementGuard, type RecordGuard, SequenceGuard, VersionPairGuard } from '../sync/record-guard.ts';
import { checkGuard } from './guards.ts';
import { GuardFields } from './guard-fields.ts';
import { optionError, requireLayout, requireObject } from './options.ts';
import type {
  AnyGuard,
  CreateRecordOptions,
  GuardFor,
  OpenRecordOptions,
  RecordByAccess,
  RecordOptions,
  RecordWriter,
} from './record-types.ts';
import { ForeignReader, ForeignWriter } from './record.ts';
import { MappedSegment, type Segment } from './mapped-segment.ts';
import { type MutexRights, openNamedMutex } from './named-mutex.ts';
import { runAll } from './run-all.ts';
import { createPrepared, joinPrepared, type NewSegment, openUnadopted, type Prepare } from './segment.ts';

const platform = selectPlatform();
const WORD = 4;
const MUTEX_ALIGNMENT = 8;

/** A guard at work, and what it holds open. */
interface Protocol {
  readonly guard: RecordGuard;
  readonly release: () => void;
}

const invalid = (layout: AnyLayout, name: string, fact: string): LayoutError =>
  new LayoutError('LAYOUT_FIELD_INVALID', `cannot guard ${layout.name} by ${name}: ${fact}`);

/** Refuses a field that is not aligned in memory. MAPPED: byte 0 of a segment is, since mappings begin with a page. */
function requireAligned(layout: AnyLayout, name: string, at: number, align: number): void {
  if (at % align === 0) return;
  throw invalid(layout, name, `it lies at byte ${at} of the segment, expected a multiple of ${align}`);
}

const pathsOf = (guard: AnyGuard): readonly string[] => {
  if (guard.kind === 'seqlock') return [guard.sequence];
  if (guard.kind === 'versionPair') return [guard.begin, guard.end];
  return guard.kind === 'robustMutex' ? [guard.at] : [];
};

/** Finds a field that a guard names. @throws ValueError VALUE_TYPE if there is none */
function fieldOf(layout: AnyLayout, path: string): FoundField {
  const found = findField(layout, path);
  if (found === undefined)
    throw new ValueError('VALUE_TYPE', `cannot use ${layout.name}${pathStep(path)}: no such field`);
  return found;
}

/** Refuses fields that share bytes. */
function requireApart(layout: AnyLayout, [first, second]: readonly FoundField[]): void {
  if (first === undefined || second === undefined) return;
  const [low, high] = first.offset <= second.offset ? [first, second] : [second, first];
  if (low.offset + low.shape.size <= high.offset) return;
  throw invalid(layout, second.path, `it shares bytes with ${first.path}`);
}

/** Gives the index of the 32-bit word that a guard's field is, in a window that begins at byte `start` of the segment. */
function wordOf(
  { layout, offset }: Checked,
  { path, shape, offset: inRecord }: FoundField,
  start: number,
): number {
  const column = columnInMemory(shape);
  if (column !== Uint32Array && column !== Int32Array)
    throw invalid(layout, path, 'expected a u32 or i32 field');
  const at = offset + inRecord;
  requireAligned(layout, path, start + at, WORD);
  // Atomics take the words of a typed array, which counts from the window's first byte.
  if (start % WORD === 0) return at / WORD;
  throw invalid(
    layout,
    path,
    `its window begins at byte ${start} of the segment, expected a multiple of ${WORD}`,
  );
}

/** Gives the first byte of the mutex in such a window. */
function mutexStart(
  { layout, offset }: Checked,
  { path, shape, offset: inRecord }: FoundField,
  start: number,
): number {
  if (shape.size < platform.mutexSize) {
    throw invalid(layout, path, `it has ${shape.size} bytes, expected at least ${platform.mutexSize}`);
  }
  const at = offset + inRecord;
  requireAligned(layout, path, start + at, MUTEX_ALIGNMENT);
  return at;
}

/** Gives where the guard's fields lie in such a window: indexes of words, or the first byte of a mutex. */
const placesOf = (checked: Checked, start: number): readonly number[] =>
  checked.fields.map((field) =>
    checked.guard.kind === 'robustMutex' ? mutexStart(checked, field, start) : wordOf(checked, field, start),
  );

/** Gives the bytes of the mutex that such a window has at byte `at`. */
const mutexBytes = (window: Uint8Array, at: number): Uint8Array =>
  window.subarray(at, at + platform.mutexSize);

/** Puts the guard of a record in `segment` together. MAPPED: the record lies inside the segment. */
function startGuard(checked: Checked, segment: MappedSegment, makesMutex: boolean): Protocol {
  const { guard, layout, rights } = checked;
  const { buffer, start } = segment;
  const [first = 0, second = 0] = placesOf(checked, start);
  const words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / WORD));
  const release = (): void => {};
  switch (guard.kind) {
    case 'seqlock':
      return { guard: new SequenceGuard(words, first, layout.name), release };
    case 'versionPair':
      return { guard: new VersionPairGuard(words, first, second, layout.name), release };
    case 'robustMutex': {
      const bytes = mutexBytes(new Uint8Array(buffer), first);
      if (makesMutex && bytes.every((byte) => byte === 0)) platform.initializeMutex(bytes);
      const mutex = platform.mutexAt(bytes, `${segment.identity}:${start + first}`);
      const inside = new MutexGuard(mutex, guard, layout.name);
      const forget = segment.closeFirst(inside);
      const end = (): void => {
        inside.close();
        forget();
      };
      return { guard: inside, release: end };
    }
    case 'namedMutex': {
      const mutex = openNamedMutex(guard.name, guard, rights, layout.name);
      return { guard: mutex.guard, release: mutex.release };
    }
    case 'unguarded':
      return { guard: new AgreementGuard(guard.agree, layout.name), release };
  }
}

interface Checked {
  readonly layout: AnyLayout;
  readonly guard: AnyGuard;
  /** What the guard keeps in the record. */
  readonly fields: readonly FoundField[];
  readonly offset: number;
  /** Of a named mutex: those of the record's own segment. */
  readonly rights: MutexRights;
}

function check(layout: unknown, options: RecordOptions<unknown>, act: string): Checked {
  requireObject(options, act);
  const checked = requireLayout(layout, act);
  const { offset = 0, anyOwner = false } = options;
  const guard = checkGuard(options.guard, act);
  const { mode, securityDescriptor }: CreateRecordOptions<unknown> = options;
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw optionError(act, 'offset', offset, 'number', 'a whole number of bytes');
  }
  const rights = { mode, securityDescriptor, anyOwner };
  const fields = pathsOf(guard).map((path) => fieldOf(checked, path));
  requireApart(checked, fields);
  return { layout: checked, guard, fields, offset, rights };
}

/** Refuses writes that the segment's mapping forbids, or would keep to itself while a guard tells others of them. */
function requireAccess(mapped: Access, access: Access, guard: AnyGuard): void {
  if (access === 'read' || mapped === access) return;
  if (mapped === 'copy-on-write' && guard.kind === 'unguarded') return;
  throw optionError(
    'open record for writing',
    'access',
    access,
    'string',
    mapped === 'copy-on-write'
      ? 'an unguarded record, since the segment is copy-on-write'
      : `'${mapped}', as the segment was opened`,
  );
}

function requireRoom({ layout, offset }: Checked, size: number, name: string | undefined): void {
  if (offset + layout.size <= size) return;
  throw new SegmentError(
    'SEGMENT_TOO_SMALL',
    `cannot open record ${layout.name}: segment "${name ?? 'anonymous'}" is ${size} bytes, ` +
      `expected at least ${offset + layout.size}`,
    { segment: name },
  );
}

/** Attaches to the record in `segment`; closes the segment again on a throw if it is `owned`. */
function attach(
  segment: Segment,
  owned: boolean,
  checked: Checked,
  access: Access,
  makesMutex = false,
): ForeignReader {
  const { layout, guard, offset } = checked;
  let protocol: Protocol | undefined;
  try {
    if (!(segment instanceof MappedSegment))
      throw optionError('open record', 'source', segment, 'string', 'a name, file, handle or segment');
    requireRoom(checked, segment.size, segment.name);
    requireAccess(segment.access, access, guard);
    const isMutex = guard.kind === 'robustMutex';
    if (isMutex && segment.access === 'read') {
      throw optionError(
        'open record',
        'access',
        access,
        'string',
        "'read-write', since a reader locks the mutex too",
      );
    }
    const started = startGuard(checked, segment, makesMutex);
    protocol = started;
    const release = (): void => runAll([started.release, () => owned && segment.close()]);
    const parts = {
      layout,
      guard,
      protocol: started.guard,
      segment,
      offset,
      guardFields: new GuardFields(layout, checked.fields),
      release,
    };
    const record = access === 'read' ? new ForeignReader(parts) : new ForeignWriter(parts);
    platform.markUncloneable(record);
    return record;
  } catch (error) {
    protocol?.release();
    if (owned) segment.close();
    throw error;
  }
}

const isSegment = (source: unknown): source is Segment => source instanceof MappedSegment;

/**
 * Opens a record that another program keeps in a segment; writes nothing to it. A given segment stays the caller's to close.
 * @throws {SegmentError} SEGMENT_NOT_FOUND, SEGMENT_DENIED, SEGMENT_TOO_SMALL
 * @throws {LayoutError} LAYOUT_FIELD_INVALID when the guard's field has another type or lies unaligned
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE for bad options
 */
export function openRecord<
  L extends AnyLayout,
  const G extends GuardFor<NoInfer<L>>,
  const A extends Access = 'read',
>(source: Source | Segment, layout: L, options: OpenRecordOptions<G, A>): RecordByAccess<L, G, A> {
  const act = 'open record';
  const checked = check(layout, options, act);
  const { anyOwner = false } = options;
  const access: Access = options.access ?? 'read';
  if (access === 'copy-on-write' && checked.guard.kind !== 'unguarded') {
    throw optionError(act, 'access', access, 'string', "'read' or 'read-write' with this guard");
  }
  const owned = !isSegment(source);
  const segment = owned ? openUnadopted(source, { access, anyOwner }) : source;
  const record = attach(segment, owned, checked, access);
  if (owned) (segment as MappedSegment).adopt();
  return record as unknown as RecordByAccess<L, G, A>;
}

/** What a segment made for a record holds before anybody else sees it: its mutex, if it has one. */
function prepareFor(checked: Checked): Prepare {
  // Words that lie badly are refused before a segment is made or joined for them.
  const [first = 0] = placesOf(checked, 0);
  return (bytes) => {
    if (checked.guard.kind === 'robustMutex') platform.initializeMutex(mutexBytes(bytes, first));
  };
}

function make<L extends AnyLayout, G>(
  source: string | Segment,
  layout: L,
  options: CreateRecordOptions<G>,
  act: string,
  makeSegment: (options: NewSegment, prepare: Prepare) => Segment,
): RecordWriter<L, G> {
  const checked = check(layout, options, act);
  if (isSegment(source)) {
    const makesMutex = act === 'create record' || source.created;
    return attach(source, false, checked, 'read-write', makesMutex) as unknown as RecordWriter<L, G>;
  }
  const { size = checked.offset + layout.size, guard: _guard, offset: _offset, ...rest } = options;
  if (typeof size === 'number') requireRoom(checked, size, source);
  const segment = makeSegment({ ...rest, name: source, size }, prepareFor(checked));
  return attach(segment, true, checked, 'read-write') as unknown as RecordWriter<L, G>;
}

/**
 * Creates a segment with room for the record and opens it for reading and writing; a mutex in the record is made.
 * @throws {SegmentError} SEGMENT_EXISTS; and what `openRecord` throws
 */
export function createRecord<L extends AnyLayout, const G extends GuardFor<NoInfer<L>>>(
  source: string | Segment,
  layout: L,
  options: CreateRecordOptions<G>,
): RecordWriter<L, G> {
  return make(source, layout, options, 'create record', createPrepared);
}

/**
 * Opens the record for reading and writing, or creates its segment first.
 * @throws what `openRecord` throws
 */
export function joinRecord<L extends AnyLayout, const G extends GuardFor<NoInfer<L>>>(
  source: string | Segment,
  layout: L,
  options: CreateRecordOptions<G>,
): RecordWriter<L, G> {
  return make(source, layout, options, 'join record', joinPrepared);
}
