// Making, joining and opening stores. The order of steps is that of docs/protocol.md, create or join.
import { selectPlatform } from '#platform';
import { SegmentError } from '../errors.ts';
import type { AnyLayout } from '../layout/types.ts';
import type { Access, KernelLocks, Mapping, SegmentObject, Source } from '../platform/platform.ts';
import { type CellGuard, type CellMemory } from '../sync/cells.ts';
import { Latch } from '../sync/latch.ts';
import { LOCK_BOUND_MS, LockWord } from '../sync/lock-word.ts';
import type { MutexOptions } from '../sync/mutex-guard.ts';
import { MutexLatch } from '../sync/mutex-latch.ts';
import { Participants, PARTICIPANT_SLOTS } from '../sync/participants.ts';
import { Seqlock } from '../sync/seqlock.ts';
import { passGate } from './lifetime.ts';
import { type MutexRights, type OpenMutex, openNamedMutex } from './named-mutex.ts';
import {
  type CheckedOptions,
  checkOptions,
  checkSource,
  optionError,
  requireLayout,
  requireObject,
} from './options.ts';
import { accessRecords } from './record-access.ts';
import { createObject, MappedSegment, openIfThere, requireOwner, takenError } from './segment.ts';
import {
  ARMED_WORD,
  BELL_WORD,
  CONTROL_LENGTH,
  DOORBELL_OFFSET,
  EPOCHS_WORD,
  hasMagic,
  lifetimeOf,
  MAX_CAPACITY,
  OWNERS_WORD,
  planHeader,
  readHeader,
  SHORTEST_SEGMENT,
  type SegmentHeader,
  STATE_GONE,
  STATE_READY,
  STATE_WORD,
  type StoreGuard,
  writeHeader,
} from './segment-header.ts';
import { Reader, Writer } from './store.ts';
import type {
  OpenStoreOptions,
  StoreAccess,
  StoreByAccess,
  StoreOptions,
  StoreReader,
  StoreWriter,
} from './types.ts';
import { WatchHub } from './watch.ts';

const platform = selectPlatform();
const WORD = 4;
/** Words of the header before the armed word: none is ever zero in all of a finished header. */
const FIXED_WORDS = ARMED_WORD;

/** A mapped segment that may become a store, and what this open holds of it. */
class Opening {
  readonly object: SegmentObject;
  readonly mapping: Mapping;
  readonly words: Int32Array;
  readonly locks: KernelLocks;
  readonly participants: Participants;
  /** This open's owner word; 0 for readers. */
  owner = 0;
  /** Of writers under a named mutex. */
  mutex: OpenMutex | undefined;

  constructor(object: SegmentObject, access: Access) {
    if (object.size < SHORTEST_SEGMENT) {
      throw new SegmentError(
        'SEGMENT_FOREIGN',
        `cannot open segment "${object.place ?? 'anonymous'}": it was not made by this library, it has ${object.size} bytes`,
        { segment: object.place },
      );
    }
    this.object = object;
    this.mapping = object.map(access, 0, object.size);
    const { buffer } = this.mapping;
    this.words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / WORD));
    // MAPPED: the size was checked above.
    const owners = this.words.subarray(OWNERS_WORD, OWNERS_WORD + PARTICIPANT_SLOTS);
    this.locks = object.locks(owners);
    this.participants = new Participants(this.locks, this.words, EPOCHS_WORD);
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.mapping.buffer);
  }

  /** Makes a store of zeroed memory, or of what its maker left half done. */
  initialize(header: SegmentHeader): void {
    // STEP: create 2
    this.claim();
    // STEP: create 3
    writeHeader(this.bytes, header, platform.bootId(), platform.pid());
    // STEP: create 3, ready
    Atomics.store(this.words, STATE_WORD, STATE_READY);
  }

  /**
   * Inside the gate: true if the maker of this segment died while it wrote the header. Where names come with the segment,
   * whoever is in the gate after it finishes the work.
   */
  isHalfMade(header: SegmentHeader): boolean {
    if (this.object.outlivesUsers || Atomics.load(this.words, STATE_WORD) !== 0) return false;
    return hasMagic(this.bytes) && this.object.size >= header.size;
  }

  /**
   * Refuses memory that has its name but not its header yet; without this it would pass for somebody else's.
   * @throws {SegmentError} SEGMENT_NOT_READY
   */
  requireHeader(): void {
    if (this.object.outlivesUsers || this.object.backing !== 'named') return;
    // MAPPED: the size was checked in the constructor.
    if (this.words.subarray(0, FIXED_WORDS).some((word) => word !== 0)) return;
    throw new SegmentError(
      'SEGMENT_NOT_READY',
      `cannot open segment ${JSON.stringify(this.object.name)}: it is not initialised yet`,
      { segment: this.object.name },
    );
  }

  claim(): void {
    this.owner = this.participants.claim(this.object.place);
  }

  /**
   * Opens the mutex that the header names, before this open becomes a writer.
   * @throws {SegmentError} SEGMENT_DENIED, SEGMENT_FOREIGN
   */
  openMutex({ guard, layout }: SegmentHeader, options: MutexOptions, rights: MutexRights): void {
    if (guard.kind === 'namedMutex') this.mutex = openNamedMutex(guard.name, options, rights, layout.name);
  }

  /** Gives up this open: unmaps and closes, without a look at the name. */
  abandon(): void {
    this.mutex?.release();
    if (this.owner !== 0) this.participants.release(this.owner);
    this.mapping.unmap();
    this.object.close();
  }

  /** Leaves the store (protocol: close 2 to 5). */
  leave(header: SegmentHeader): void {
    if (this.owner === 0) return;
    // Where names die with their last handle there is nothing to remove, and no gate to pass.
    if (!this.object.outlivesUsers) return this.participants.release(this.owner);
    // STEP: close 2
    passGate(this.locks, this.object.place, () => {
      // STEP: close 3
      this.participants.release(this.owner);
      if (header.lifetime === 'last-close') this.removeIfUnused();
    });
  }

  /** Inside the gate: marks a segment that nobody writes as gone and removes its name. */
  removeIfUnused(): boolean {
    // STEP: remove 1
    if (!this.object.outlivesUsers || this.participants.othersLive()) return false;
    // STEP: remove 2
    Atomics.store(this.words, STATE_WORD, STATE_GONE);
    // STEP: remove 3
    this.object.unlink();
    return true;
  }
}

interface StorePlan extends CheckedOptions {
  readonly layout: AnyLayout;
  readonly capacity: number;
  readonly guard: StoreGuard;
  readonly mutexOptions: MutexOptions;
}

/** Of a mutex that the segment's own header named. */
const DEFAULT_MUTEX_OPTIONS: MutexOptions = { timeoutMs: LOCK_BOUND_MS };

function checkGuard(
  guard: StoreOptions<AnyLayout>['guard'],
  name: string | undefined,
  act: string,
): Pick<StorePlan, 'guard' | 'mutexOptions'> {
  if (guard === 'latch' || guard === 'seqlock') {
    return { guard: { kind: guard }, mutexOptions: DEFAULT_MUTEX_OPTIONS };
  }
  if (typeof guard !== 'object' || guard === null || guard.kind !== 'namedMutex') {
    throw optionError(act, 'guard', guard, 'string', "'latch', 'seqlock' or a namedMutex");
  }
  const mutexName = platform.normalizeName(guard.name);
  if (mutexName === name)
    throw optionError(act, 'guard', mutexName, 'string', 'a mutex with another name than the store');
  return { guard: { kind: 'namedMutex', name: mutexName }, mutexOptions: guard };
}

const planOf = ({ layout, capacity, lifetime, guard }: StorePlan): SegmentHeader =>
  planHeader(layout, capacity, lifetime, guard);

function checkStoreOptions(options: StoreOptions<AnyLayout>, act: string): StorePlan {
  const checked = checkOptions(options, platform, act);
  const layout = requireLayout(options.layout, act);
  const { capacity, guard = 'latch' } = options;
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > MAX_CAPACITY) {
    throw optionError(act, 'capacity', capacity, 'number', `an integer from 1 to ${MAX_CAPACITY}`);
  }
  return { ...checked, layout, capacity, ...checkGuard(guard, checked.place, act) };
}

function guardOf({ guard }: SegmentHeader, memory: CellMemory, mutex: OpenMutex | undefined): CellGuard {
  if (guard.kind === 'seqlock') return new Seqlock(memory);
  return mutex === undefined ? new Latch(memory) : new MutexLatch(memory, mutex.guard);
}

/** Wraps an opening whose header was checked. */
function assemble(opening: Opening, header: SegmentHeader, access: StoreAccess, created: boolean): Reader {
  const { object, mapping, words, participants } = opening;
  const { layout, capacity } = header;
  let control: Mapping | undefined;
  const segment = new MappedSegment({
    object,
    mapping,
    access,
    created,
    leave: () => {
      control?.unmap();
      opening.leave(header);
      opening.mutex?.release();
    },
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
      // ORDER: who takes the 1 rings; the others need not (docs/protocol.md, announce 3 and 4).
      // STEP: announce 2
      if (Atomics.exchange(words, ARMED_WORD, 0) !== 1) return;
      // STEP: announce 3
      bell.ring();
    },
    strongOrder: platform.strongOrder,
    name: layout.name,
  };
  const records = accessRecords(layout, capacity, memory, guardOf(header, memory, opening.mutex));
  const hub = new WatchHub(listenAt, (message) => platform.warn(`${layout.name}: ${message}`));
  const parts = { layout, capacity, segment, access: records, hub, replaced: () => object.replaced() };
  const store = access === 'read' ? new Reader(parts) : new Writer(parts);
  platform.markUncloneable(store);
  return store;
}

/** Makes a new store; undefined if its name was taken meanwhile. */
function create(plan: StorePlan): Reader | undefined {
  const { backing, place } = plan;
  const gate = backing === 'named' && place !== undefined ? platform.locksOf?.(place) : undefined;
  return gate === undefined ? build(plan) : passGate(gate, place, () => build(plan));
}

function build(plan: StorePlan): Reader | undefined {
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
      return assemble(opening, header, 'read-write', true);
    opening.abandon();
    return undefined;
  } catch (error) {
    if (opening === undefined) object.close();
    else opening.abandon();
    throw error;
  }
}

/** Opens an object that exists and runs `use`; unmaps and closes it again unless `use` gives a store. */
function withOpening(
  object: SegmentObject,
  access: Access,
  use: (opening: Opening) => Reader | undefined,
): Reader | undefined {
  let opening: Opening | undefined;
  try {
    opening = new Opening(object, access);
    const store = use(opening);
    if (store === undefined) opening.abandon();
    return store;
  } catch (error) {
    if (opening === undefined) object.close();
    else opening.abandon();
    throw error;
  }
}

/** Removes what a crash left of a store of that name or file; true if it may be tried again. */
function removeLeftover(plan: StorePlan): boolean {
  let object: SegmentObject | undefined;
  try {
    object = openIfThere(plan);
  } catch (error) {
    if (error instanceof SegmentError && error.code === 'SEGMENT_FOREIGN') return false;
    throw error;
  }
  if (object === undefined) return true;
  if (object.size < SHORTEST_SEGMENT) {
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
 * Creates a store and opens it for reading and writing. What a crashed writer left under the name is replaced.
 * @throws {SegmentError} SEGMENT_EXISTS when somebody uses the name or file; SEGMENT_NAME, SEGMENT_LIMIT, SEGMENT_DENIED
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE for bad options
 * @example
 * const quotes = createStore({ name: 'quotes', layout: Quote, capacity: 1024 });
 */
export function createStore<L extends AnyLayout>(options: StoreOptions<L>): StoreWriter<L> {
  const plan = checkStoreOptions(options, 'create store');
  while (plan.place === undefined || removeLeftover(plan)) {
    const store = create(plan);
    if (store !== undefined) return store as unknown as StoreWriter<L>;
  }
  throw takenError(plan, 'store');
}

/**
 * Opens the store of that name for reading and writing, or creates it; `created` tells which.
 * @throws {SegmentError} SEGMENT_TOO_SMALL when the existing one has less capacity; those of `createStore` and `openStore`
 * @throws {LayoutError} LAYOUT_MISMATCH
 */
export function joinStore<L extends AnyLayout>(options: StoreOptions<L>): StoreWriter<L> {
  const plan = checkStoreOptions(options, 'join store');
  for (;;) {
    // STEP: join 1
    const object = openIfThere(plan);
    const store = object === undefined ? create(plan) : joinExisting(object, plan);
    if (store !== undefined) return store as unknown as StoreWriter<L>;
  }
}

/** Undefined if the segment is gone by now: try again. */
function joinExisting(object: SegmentObject, plan: StorePlan): Reader | undefined {
  return withOpening(object, 'read-write', (opening) => {
    requireOwner(object, plan.anyOwner);
    // STEP: join 2
    return passGate(opening.locks, object.place, () => {
      // STEP: join 3
      if (Atomics.load(opening.words, STATE_WORD) === STATE_GONE && lifetimeOf(opening.bytes) !== undefined) {
        object.unlink();
        return undefined;
      }
      if (!object.named()) return undefined;
      const planned = planOf(plan);
      if (opening.isHalfMade(planned)) {
        opening.openMutex(planned, plan.mutexOptions, plan);
        opening.initialize(planned);
        return assemble(opening, planned, 'read-write', true);
      }
      // STEP: join 4
      opening.requireHeader();
      let header: SegmentHeader;
      try {
        header = readHeader(opening.bytes, object.place, plan.layout);
        requireGuard(header, plan);
        requireCapacity(header, plan);
      } catch (error) {
        // Nobody writes it: what a crash left is no obstacle to a new definition.
        if (lifetimeOf(opening.bytes) === 'last-close' && opening.removeIfUnused()) return undefined;
        throw error;
      }
      opening.openMutex(header, plan.mutexOptions, plan);
      opening.claim();
      return assemble(opening, header, 'read-write', false);
    });
  });
}

const describeGuard = (guard: StoreGuard): string =>
  guard.kind === 'namedMutex' ? `the mutex ${JSON.stringify(guard.name)}` : `a ${guard.kind}`;

function requireGuard(header: SegmentHeader, plan: StorePlan): void {
  const [found, expected] = [describeGuard(header.guard), describeGuard(plan.guard)];
  if (found === expected) return;
  throw new SegmentError(
    'SEGMENT_FORMAT',
    `cannot join store "${plan.place}": its guard is another one, expected ${expected}, found ${found}`,
    { segment: plan.place },
  );
}

function requireCapacity(header: SegmentHeader, plan: StorePlan): void {
  if (header.capacity >= plan.capacity) return;
  throw new SegmentError(
    'SEGMENT_TOO_SMALL',
    `cannot join store "${plan.place}": it has ${header.capacity} records, expected at least ${plan.capacity}`,
    { segment: plan.place },
  );
}

/**
 * Opens an existing store by name or handle: for reading, or with `access: 'read-write'` for writing too. Without a layout
 * the segment's own description serves, and records are untyped.
 * @throws {SegmentError} SEGMENT_NOT_FOUND, SEGMENT_NOT_READY, SEGMENT_FOREIGN, SEGMENT_FORMAT, SEGMENT_DENIED, SEGMENT_LIMIT
 * @throws {LayoutError} LAYOUT_MISMATCH, with the first field that differs
 */
export function openStore<L extends AnyLayout, const A extends StoreAccess = 'read'>(
  source: Source,
  layout: L,
  options?: OpenStoreOptions<A>,
): StoreByAccess<L, A>;
export function openStore(source: Source): StoreReader;
export function openStore(source: Source, layout?: AnyLayout, options: OpenStoreOptions = {}): unknown {
  const act = 'open store';
  requireObject(options, act);
  const { access = 'read', anyOwner = false } = options;
  if (access !== 'read' && access !== 'read-write') {
    throw optionError(act, 'access', access, 'string', "'read' or 'read-write'");
  }
  const expected = layout === undefined ? undefined : requireLayout(layout, act);
  const object = platform.open(checkSource(source, act), access === 'read-write');
  return withOpening(object, access, (opening) => {
    requireOwner(object, anyOwner);
    const open = (): Reader => {
      opening.requireHeader();
      const header = readHeader(opening.bytes, object.place, expected);
      if (access === 'read-write') {
        opening.openMutex(header, DEFAULT_MUTEX_OPTIONS, { anyOwner });
        opening.claim();
      }
      return assemble(opening, header, access, false);
    };
    const joins = access === 'read-write' && object.place !== undefined;
    return joins ? passGate(opening.locks, object.place, open) : open();
  });
}
