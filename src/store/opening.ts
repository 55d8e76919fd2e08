// One open of a managed segment before it is a store or a map: its mapping, its locks, its place among the participants, and the
// steps of making, joining and leaving that touch them (docs/protocol.md).
import { selectPlatform } from '#platform';
import { SegmentError } from '../errors.ts';
import type { Access, KernelLocks, Mapping, SegmentObject } from '../platform/platform.ts';
import type { MutexOptions } from '../sync/mutex-guard.ts';
import { Participants, PARTICIPANT_SLOTS } from '../sync/participants.ts';
import { passGate } from './lifetime.ts';
import { type MutexRights, type OpenMutex, openNamedMutex } from './named-mutex.ts';
import { runAll } from './run-all.ts';
import {
  ARMED_WORD,
  EPOCHS_WORD,
  hasMagic,
  OWNERS_WORD,
  type SegmentHeader,
  SHORTEST_SEGMENT,
  STATE_GONE,
  STATE_READY,
  STATE_WORD,
  writeHeader,
} from './segment-header.ts';

const platform = selectPlatform();
const WORD = 4;
/** Words of the header before the armed word: none is ever zero in all of a finished header. */
const FIXED_WORDS = ARMED_WORD;

/** Refuses a segment with holes before anything of it is mapped: ours have none, and a touch of one may end the process. */
function requireMemory({ peekSparse, place }: SegmentObject): void {
  const start = peekSparse?.(SHORTEST_SEGMENT);
  if (start === undefined) return;
  const isOurs = hasMagic(start);
  throw new SegmentError(
    isOurs ? 'SEGMENT_FORMAT' : 'SEGMENT_FOREIGN',
    `cannot open segment "${place ?? 'anonymous'}": ` +
      (isOurs
        ? 'its file has holes, expected memory for all of its bytes'
        : 'it was not made by this library'),
    { segment: place },
  );
}

/** A mapped segment that may become a store or a map, and what this open holds of it. */
export class Opening {
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
    requireMemory(object);
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

  /** Writes the header into zeroed memory, or of what its maker left half done. */
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
    runAll([
      () => this.mutex?.release(),
      () => this.owner !== 0 && this.participants.release(this.owner),
      () => this.mapping.unmap(),
      () => this.object.close(),
    ]);
  }

  /** Leaves the segment (protocol: close 2 to 5). */
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

  /**
   * Inside the gate: marks a segment that nobody writes as gone and removes its name. Another user's name is that user's to
   * remove: the next create or join of its own finds nobody writing.
   */
  removeIfUnused(): boolean {
    // STEP: remove 1
    if (!this.object.outlivesUsers || this.object.foreignOwner) return false;
    if (this.participants.othersLive()) return false;
    // STEP: remove 2
    Atomics.store(this.words, STATE_WORD, STATE_GONE);
    // STEP: remove 3
    this.object.unlink();
    return true;
  }
}
