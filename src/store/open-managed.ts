// Making, joining and opening managed segments, stores and maps alike: the order of steps is that of docs/protocol.md, create or
// join. What an opened segment becomes, its kind says (open-store.ts, open-map.ts).
import { selectPlatform } from '#platform';
import { SegmentError } from '../errors.ts';
import type { AnyLayout } from '../layout/types.ts';
import type { Access, Mapping, SegmentObject, Source } from '../platform/platform.ts';
import type { CellMemory } from '../sync/cells.ts';
import { LOCK_BOUND_MS, LockWord } from '../sync/lock-word.ts';
import type { MutexOptions } from '../sync/mutex-guard.ts';
import { passGate } from './lifetime.ts';
import { MappedSegment } from './mapped-segment.ts';
import { Opening } from './opening.ts';
import {
  type CheckedOptions,
  checkOptions,
  checkSource,
  optionError,
  requireLayout,
  requireObject,
  type SegmentOptions,
} from './options.ts';
import { runAll } from './run-all.ts';
import { createObject, openIfThere, requireOwner, takenError } from './segment.ts';
import {
  ARMED_WORD,
  BELL_WORD,
  CONTROL_LENGTH,
  DOORBELL_OFFSET,
  lifetimeOf,
  MAX_CAPACITIES,
  planHeader,
  readHeader,
  type SegmentHeader,
  type SegmentKind,
  SHORTEST_SEGMENT,
  STATE_GONE,
  STATE_READY,
  STATE_WORD,
  type StoreGuard,
} from './segment-header.ts';
import type { OpenStoreOptions, StoreAccess } from './types.ts';
import { WatchHub } from './watch.ts';

const platform = selectPlatform();
const WORD = 4;

/** What a store or a map is made of. */
export interface OpenParts {
  readonly opening: Opening;
  readonly header: SegmentHeader;
  readonly access: StoreAccess;
  readonly segment: MappedSegment;
  readonly memory: CellMemory;
  readonly hub: WatchHub;
}

/** Makes the object that the user gets. */
export type Make<T> = (parts: OpenParts) => T;

/** A managed segment that somebody wants. */
export interface Plan<T> extends CheckedOptions {
  readonly kind: SegmentKind;
  /** Of what a slot holds. */
  readonly layout: AnyLayout;
  readonly capacity: number;
  readonly guard: StoreGuard;
  readonly mutexOptions: MutexOptions;
  readonly make: Make<T>;
}

/** Of a mutex that the segment's own header named. */
export const DEFAULT_MUTEX_OPTIONS: MutexOptions = { timeoutMs: LOCK_BOUND_MS };

const planOf = ({ kind, layout, capacity, lifetime, guard }: Plan<object>): SegmentHeader =>
  planHeader(kind, layout, capacity, lifetime, guard);

/** Checks what all kinds have in common. */
export function checkManaged(
  kind: SegmentKind,
  options: SegmentOptions & { readonly layout: AnyLayout; readonly capacity: number },
  act: string,
): CheckedOptions & Pick<Plan<object>, 'kind' | 'layout' | 'capacity'> {
  const checked = checkOptions(options, platform, act);
  const layout = requireLayout(options.layout, act);
  const { capacity } = options;
  const most = MAX_CAPACITIES[kind];
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > most) {
    throw optionError(act, 'capacity', capacity, 'number', `an integer from 1 to ${most}`);
  }
  return { ...checked, kind, layout, capacity };
}

let hasWarned = false;
/** Tells the user of the first watch of this thread that polls; what holds for one store mostly holds for all. */
function warnOnce(message: string): void {
  if (hasWarned) return;
  hasWarned = true;
  platform.warn(message);
}

/** Wraps an opening whose header was checked. */
function assemble<T extends object>(
  opening: Opening,
  header: SegmentHeader,
  access: StoreAccess,
  created: boolean,
  make: Make<T>,
): T {
  const { object, mapping, words, participants } = opening;
  const { layout } = header;
  let control: Mapping | undefined;
  const segment = new MappedSegment({
    object,
    mapping,
    access,
    created,
    leave: () =>
      runAll([() => control?.unmap(), () => opening.leave(header), () => opening.mutex?.release()]),
  });
  // The bell belongs to a segment, so it is made once; a reader maps the page with the armed word when it first watches.
  const listenAt = () => {
    const writable = access === 'read-write' ? words : controlWords();
    if (writable === undefined) return undefined;
    const bell = object.doorbell(writable, BELL_WORD, DOORBELL_OFFSET);
    return { bell, arm: () => void Atomics.store(writable, ARMED_WORD, 1) };
  };
  const controlWords = (): Int32Array | undefined => {
    control ??= object.mapControl(CONTROL_LENGTH);
    return control === undefined
      ? undefined
      : new Int32Array(control.buffer, 0, Math.floor(control.buffer.byteLength / WORD));
  };
  const bell = object.doorbell(words, BELL_WORD, DOORBELL_OFFSET);
  const memory: CellMemory = {
    words,
    firstWord: header.headerLength / WORD,
    cellWords: header.cellLength / WORD,
    strideWords: header.stride / WORD,
    armedWord: ARMED_WORD,
    participants,
    lock: access === 'read' ? undefined : new LockWord(words, participants, opening.owner, layout.name),
    announce: () => {
      // ORDER: who takes the 1 rings; the others need not (docs/protocol.md, announce 2 and 3).
      // STEP: announce 2
      if (Atomics.exchange(words, ARMED_WORD, 0) !== 1) return;
      // STEP: announce 3
      bell.ring();
    },
    strongOrder: platform.strongOrder,
    name: layout.name,
  };
  const hub = new WatchHub(listenAt, (message) => warnOnce(`${layout.name}: ${message}`));
  const opened = make({ opening, header, access, segment, memory, hub });
  platform.markUncloneable(opened);
  return opened;
}

/** Makes a new segment; undefined if its name was taken meanwhile. */
function create<T extends object>(plan: Plan<T>): T | undefined {
  const { backing, place } = plan;
  const gate = backing === 'named' && place !== undefined ? platform.locksOf?.(place) : undefined;
  return gate === undefined ? build(plan) : passGate(gate, place, () => build(plan));
}

function build<T extends object>(plan: Plan<T>): T | undefined {
  const header = planOf(plan);
  // STEP: create 1
  const object = createObject(plan, header.size);
  if (object === undefined) return undefined;
  let opening: Opening | undefined;
  try {
    opening = new Opening(object, 'read-write');
    opening.openMutex(header, plan.mutexOptions, plan);
    // The lock is taken before anybody can see the segment, or a joiner would take it for a dead one's.
    opening.initialize(header);
    // STEP: create 4
    if (plan.place === undefined || object.publish(plan.place))
      return assemble(opening, header, 'read-write', true, plan.make);
    opening.abandon();
    return undefined;
  } catch (error) {
    if (opening === undefined) object.close();
    else opening.abandon();
    throw error;
  }
}

/** Opens an object that exists and runs `use`; unmaps and closes it again unless `use` gives a store or map. */
function withOpening<T>(
  object: SegmentObject,
  access: Access,
  use: (opening: Opening) => T | undefined,
): T | undefined {
  let opening: Opening | undefined;
  try {
    opening = new Opening(object, access);
    const opened = use(opening);
    if (opened === undefined) opening.abandon();
    return opened;
  } catch (error) {
    if (opening === undefined) object.close();
    else opening.abandon();
    throw error;
  }
}

/** Removes what a crash left of a segment of that name or file; true if it may be tried again. */
function removeLeftover(plan: Plan<object>): boolean {
  let object: SegmentObject | undefined;
  try {
    object = openIfThere(plan);
  } catch (error) {
    if (error instanceof SegmentError && error.code === 'SEGMENT_FOREIGN')
      throw takenError(plan, plan.kind, error);
    throw error;
  }
  if (object === undefined) return true;
  // Too short for one of ours, or not to be touched.
  if (object.size < SHORTEST_SEGMENT || object.peekSparse !== undefined) {
    object.close();
    return false;
  }
  let removed = false;
  withOpening(object, 'read-write', (opening) => {
    requireOwner(object, plan.anyOwner);
    if (lifetimeOf(opening.bytes) !== 'last-close') return undefined;
    removed = passGate(opening.locks, plan.place, () => opening.removeIfUnused());
    return undefined;
  });
  return removed;
}

/**
 * Makes the segment of a plan.
 * @throws {SegmentError} SEGMENT_EXISTS when somebody uses the name or file
 */
export function createManaged<T extends object>(plan: Plan<T>): T {
  while (plan.place === undefined || removeLeftover(plan)) {
    const opened = create(plan);
    if (opened !== undefined) return opened;
  }
  throw takenError(plan, plan.kind);
}

/** Opens the segment of a plan for reading and writing, or makes it. */
export function joinManaged<T extends object>(plan: Plan<T>): T {
  for (;;) {
    // STEP: join 1
    const object = openIfThere(plan);
    const opened = object === undefined ? create(plan) : joinExisting(object, plan);
    if (opened !== undefined) return opened;
  }
}

/**
 * Gives the header as it is before the gate, undefined if it cannot be used: a header that is ready changes no more, so inside the
 * gate, where everybody else waits, only the state has to be looked at.
 */
function readEarly(
  opening: Opening,
  kind: SegmentKind,
  layout: AnyLayout | undefined,
): SegmentHeader | undefined {
  try {
    return readHeader(opening.bytes, opening.object.place, kind, layout);
  } catch {
    return undefined;
  }
}

/** Undefined if the segment is gone by now: try again. */
function joinExisting<T extends object>(object: SegmentObject, plan: Plan<T>): T | undefined {
  return withOpening(object, 'read-write', (opening) => {
    requireOwner(object, plan.anyOwner);
    const planned = planOf(plan);
    const early = readEarly(opening, plan.kind, plan.layout);
    // STEP: join 2
    const joined = passGate(opening.locks, object.place, () => {
      // STEP: join 3
      if (Atomics.load(opening.words, STATE_WORD) === STATE_GONE && lifetimeOf(opening.bytes) !== undefined) {
        object.unlink();
        return undefined;
      }
      if (!object.named()) return undefined;
      if (opening.isHalfMade(planned)) {
        opening.openMutex(planned, plan.mutexOptions, plan);
        opening.initialize(planned);
        return { header: planned, created: true };
      }
      // STEP: join 4
      opening.requireHeader();
      let header: SegmentHeader;
      try {
        header = early ?? readHeader(opening.bytes, object.place, plan.kind, plan.layout);
        requireGuard(header, plan);
        requireCapacity(header, plan);
      } catch (error) {
        // Nobody writes it: what a crash left is no obstacle to a new definition.
        if (lifetimeOf(opening.bytes) === 'last-close' && opening.removeIfUnused()) return undefined;
        throw error;
      }
      opening.openMutex(header, plan.mutexOptions, plan);
      opening.claim();
      return { header, created: false };
    });
    return joined && assemble(opening, joined.header, 'read-write', joined.created, plan.make);
  });
}

const describeGuard = (guard: StoreGuard): string =>
  guard.kind === 'namedMutex' ? `the mutex ${JSON.stringify(guard.name)}` : `a ${guard.kind}`;

function requireGuard(header: SegmentHeader, plan: Plan<object>): void {
  const [found, expected] = [describeGuard(header.guard), describeGuard(plan.guard)];
  if (found === expected) return;
  throw new SegmentError(
    'SEGMENT_FORMAT',
    `cannot join ${plan.kind} "${plan.place}": its guard is another one, expected ${expected}, found ${found}`,
    { segment: plan.place },
  );
}

function requireCapacity(header: SegmentHeader, plan: Plan<object>): void {
  if (header.capacity >= plan.capacity) return;
  const units = plan.kind === 'map' ? 'entries' : 'records';
  throw new SegmentError(
    'SEGMENT_TOO_SMALL',
    `cannot join ${plan.kind} "${plan.place}": it has ${header.capacity} ${units}, expected at least ${plan.capacity}`,
    { segment: plan.place },
  );
}

/** Opens a segment of that kind which exists; without `expected`, by its own description. */
export function openManaged<T extends object>(
  kind: SegmentKind,
  source: Source,
  expected: AnyLayout | undefined,
  options: OpenStoreOptions,
  make: Make<T>,
): T {
  const act = `open ${kind}`;
  requireObject(options, act);
  const { access = 'read', anyOwner = false } = options;
  if (access !== 'read' && access !== 'read-write') {
    throw optionError(act, 'access', access, 'string', "'read' or 'read-write'");
  }
  const object = platform.open(checkSource(source, act), access);
  return withOpening(object, access, (opening) => {
    requireOwner(object, anyOwner);
    const joins = access === 'read-write' && object.place !== undefined;
    const early = joins ? readEarly(opening, kind, expected) : undefined;
    const enter = (): SegmentHeader => {
      opening.requireHeader();
      const isReady = Atomics.load(opening.words, STATE_WORD) === STATE_READY;
      const header = isReady && early ? early : readHeader(opening.bytes, object.place, kind, expected);
      if (access === 'read-write') {
        opening.openMutex(header, DEFAULT_MUTEX_OPTIONS, { anyOwner });
        opening.claim();
      }
      return header;
    };
    const header = joins ? passGate(opening.locks, object.place, enter) : enter();
    const opened = assemble(opening, header, access, false, make);
    object.adopt();
    return opened;
  }) as T;
}
