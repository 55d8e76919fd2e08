// The header of a managed segment: its bytes, how it is written and how it is checked. Nothing in it is trusted before the
// checks here have passed against the real size of the segment. docs/segment-format.md says the same for other languages.
//
//   offset  bytes  little-endian                     offset  bytes
//      0      8    magic "SHARECRD"                    76      4    participant slots, 256
//      8      4    format version, 1                   80     16    layout digest
//     12      4    byte order mark 0x01020304          96     36    boot id, ASCII, zero-padded
//     16      4    header length, multiple of 64      136      4    layout text: offset
//     20      4    state 0 raw, 1 ready, 2 gone       140      4    layout text: length in bytes
//     24      4    kind 1 store, 2 map                144      4    mutex name: length in bytes
//                                                     192      4    armed: 1 = a watcher wants the next ring
//     28      4    guard 1 latch, 2 seqlock, 3 mutex  256      4    bell: rings (`process`), listeners (Windows)
//     32      8    capacity in records                260      1    doorbell: written to ring (POSIX)
//     40      8    segment size in bytes              320   1024    epochs: u32 of each participant slot
//     48      4    record size in bytes              1344   1024    owners: u32 of each slot (`process` only)
//     52      4    cell length in bytes              2368      …    layout text, UTF-8: canonical layout,
//     56      4    stride in bytes                                  line feed, name; then the mutex name
//     60      4    lifetime 0 last close, 1 until unlink
//     64      8    creation time, ms since 1970
//     72      4    creator's process id
//
// armed has a cache line of its own: every write looks at it. State is written last.
import { LayoutError, SegmentError } from '../errors.ts';
import { canonicalText, firstDifference, layoutFromCanonical } from '../layout/canonical.ts';
import type { AnyLayout } from '../layout/types.ts';
import { latchGeometry } from '../sync/latch.ts';
import { mapGeometry, MAX_MAP_CAPACITY } from '../sync/map-index.ts';
import { PARTICIPANT_SLOTS } from '../sync/participants.ts';
import { seqlockGeometry } from '../sync/seqlock.ts';

const MAGIC = 'SHARECRD';
const FORMAT_VERSION = 1;
const BYTE_ORDER_MARK = 0x01020304;
const HEADER_ALIGNMENT = 64;
const BOOT_ID_LENGTH = 36;
const DIGEST_LENGTH = 16;
const WORD = 4;

const VERSION_OFFSET = 8;
const BYTE_ORDER_OFFSET = 12;
const HEADER_LENGTH_OFFSET = 16;
const STATE_OFFSET = 20;
const KIND_OFFSET = 24;
const GUARD_OFFSET = 28;
const CAPACITY_OFFSET = 32;
const SIZE_OFFSET = 40;
const RECORD_SIZE_OFFSET = 48;
const CELL_LENGTH_OFFSET = 52;
const STRIDE_OFFSET = 56;
const LIFETIME_OFFSET = 60;
const CREATION_TIME_OFFSET = 64;
const CREATOR_OFFSET = 72;
const SLOTS_OFFSET = 76;
const DIGEST_OFFSET = 80;
const BOOT_ID_OFFSET = 96;
const TEXT_OFFSET_OFFSET = 136;
const TEXT_LENGTH_OFFSET = 140;
const MUTEX_LENGTH_OFFSET = 144;
const ARMED_OFFSET = 192;
const BELL_OFFSET = 256;
const EPOCHS_OFFSET = 320;
const OWNERS_OFFSET = EPOCHS_OFFSET + PARTICIPANT_SLOTS * WORD;
const TEXT_OFFSET = OWNERS_OFFSET + PARTICIPANT_SLOTS * WORD;

/** Bytes that every managed segment has at least. */
export const SHORTEST_SEGMENT = TEXT_OFFSET;
/** Byte of the segment that is written to ring. */
export const DOORBELL_OFFSET = 260;
/** Bytes from the start that hold all words a reader may have to write: one page. */
export const CONTROL_LENGTH = 4096;

// Word indexes into an Int32Array over the segment.
export const STATE_WORD = STATE_OFFSET / WORD;
export const ARMED_WORD = ARMED_OFFSET / WORD;
export const BELL_WORD = BELL_OFFSET / WORD;
export const EPOCHS_WORD = EPOCHS_OFFSET / WORD;
export const OWNERS_WORD = OWNERS_OFFSET / WORD;

export const STATE_READY = 1;
export const STATE_GONE = 2;
/** By the number in the header, less 1. */
const KINDS = ['store', 'map'] as const;
/** By the number in the header, less 1. */
const GUARDS = ['latch', 'seqlock', 'namedMutex'] as const;
const LIFETIMES = ['last-close', 'until-unlink'] as const;

/** When a segment ends: with its last writer, or when somebody unlinks it. */
export type Lifetime = (typeof LIFETIMES)[number];

/** Guards a store's records; a mutex also has its name. */
export type StoreGuard =
  | { readonly kind: 'latch' | 'seqlock' }
  | { readonly kind: 'namedMutex'; readonly name: string };
const LATCH: StoreGuard = { kind: 'latch' };
/** Room for the name of a mutex: 200 bytes and a namespace of Windows. */
const MAX_MUTEX_NAME = 256;

/** What a managed segment holds. */
export type SegmentKind = 'store' | 'map';

/** A header that passed every check. Lengths in bytes. */
export interface SegmentHeader {
  readonly kind: SegmentKind;
  /** Of what a slot holds; in a map that is an entry (map-entry.ts). */
  readonly layout: AnyLayout;
  readonly capacity: number;
  readonly lifetime: Lifetime;
  readonly guard: StoreGuard;
  readonly headerLength: number;
  readonly cellLength: number;
  readonly stride: number;
  /** Where the slots end; the index of a map begins here. */
  readonly slotsEnd: number;
  readonly size: number;
}

const latin1 = new TextDecoder('latin1');
const encoder = new TextEncoder();

function digestBytes(layout: AnyLayout): Uint8Array {
  return Uint8Array.from(layout.digest.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The longest layout text, in bytes: some 50 000 fields. */
const MAX_TEXT_LENGTH = 2 ** 22;

/** Gives the segment's own description; the canonical layout is one line, the name may be anything. */
function layoutText(layout: AnyLayout): Uint8Array {
  const text = encoder.encode(`${canonicalText(layout)}\n${layout.name}`);
  if (text.length <= MAX_TEXT_LENGTH) return text;
  throw new LayoutError(
    'LAYOUT_TOO_LARGE',
    `cannot describe ${layout.name}: its description is ${text.length} bytes, expected at most ${MAX_TEXT_LENGTH}`,
  );
}

const mutexName = (guard: StoreGuard): Uint8Array =>
  encoder.encode(guard.kind === 'namedMutex' ? guard.name : '');

/** Computes what the header of a new segment will say; `layout` is that of what a slot holds. */
export function planHeader(
  kind: SegmentKind,
  layout: AnyLayout,
  capacity: number,
  lifetime: Lifetime,
  guard: StoreGuard = LATCH,
): SegmentHeader {
  const text = layoutText(layout).length + mutexName(guard).length;
  const headerLength = Math.ceil((TEXT_OFFSET + text) / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  return place(kind, layout, capacity, lifetime, guard, headerLength);
}

function place(
  kind: SegmentKind,
  layout: AnyLayout,
  capacity: number,
  lifetime: Lifetime,
  guard: StoreGuard,
  headerLength: number,
): SegmentHeader {
  const geometry = guard.kind === 'seqlock' ? seqlockGeometry : latchGeometry;
  const { cellWords, strideWords } = geometry(layout.size);
  const slotsEnd = headerLength + capacity * strideWords * WORD;
  return {
    kind,
    layout,
    capacity,
    lifetime,
    guard,
    headerLength,
    cellLength: cellWords * WORD,
    stride: strideWords * WORD,
    slotsEnd,
    size: slotsEnd + (kind === 'map' ? mapGeometry(capacity).length * WORD : 0),
  };
}

/** Writes the header into a segment that nobody else sees yet, the state last. `bytes` starts at the segment's start. */
export function writeHeader(bytes: Uint8Array, header: SegmentHeader, bootId: string, creator: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = layoutText(header.layout);
  bytes.set(encoder.encode(MAGIC), 0);
  view.setUint32(VERSION_OFFSET, FORMAT_VERSION, true);
  view.setUint32(BYTE_ORDER_OFFSET, BYTE_ORDER_MARK, true);
  view.setUint32(HEADER_LENGTH_OFFSET, header.headerLength, true);
  view.setUint32(KIND_OFFSET, KINDS.indexOf(header.kind) + 1, true);
  view.setUint32(GUARD_OFFSET, GUARDS.indexOf(header.guard.kind) + 1, true);
  view.setBigUint64(CAPACITY_OFFSET, BigInt(header.capacity), true);
  view.setBigUint64(SIZE_OFFSET, BigInt(header.size), true);
  view.setUint32(RECORD_SIZE_OFFSET, header.layout.size, true);
  view.setUint32(CELL_LENGTH_OFFSET, header.cellLength, true);
  view.setUint32(STRIDE_OFFSET, header.stride, true);
  view.setUint32(LIFETIME_OFFSET, LIFETIMES.indexOf(header.lifetime), true);
  view.setBigUint64(CREATION_TIME_OFFSET, BigInt(Date.now()), true);
  view.setUint32(CREATOR_OFFSET, creator, true);
  view.setUint32(SLOTS_OFFSET, PARTICIPANT_SLOTS, true);
  bytes.set(digestBytes(header.layout), DIGEST_OFFSET);
  bytes.set(encoder.encode(bootId.slice(0, BOOT_ID_LENGTH)), BOOT_ID_OFFSET);
  view.setUint32(TEXT_OFFSET_OFFSET, TEXT_OFFSET, true);
  view.setUint32(TEXT_LENGTH_OFFSET, text.length, true);
  bytes.set(text, TEXT_OFFSET);
  const mutex = mutexName(header.guard);
  view.setUint32(MUTEX_LENGTH_OFFSET, mutex.length, true);
  bytes.set(mutex, TEXT_OFFSET + text.length);
}

/** Tells a managed segment from anything else by its first bytes. */
export function hasMagic(bytes: Uint8Array): boolean {
  return bytes.length >= TEXT_OFFSET && latin1.decode(bytes.slice(0, MAGIC.length)) === MAGIC;
}

/** What `listSegments` tells of a segment. */
export interface SegmentSummary {
  readonly kind: SegmentKind;
  /** Name of the record's struct. */
  readonly layout: string;
  readonly capacity: number;
}

/** Says when a segment of this format ends, without trusting the rest of its header; undefined for anything else. */
export function lifetimeOf(bytes: Uint8Array): Lifetime | undefined {
  if (!hasMagic(bytes)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  // Another version may tell its users from the dead in another way.
  const isOurs =
    view.getUint32(VERSION_OFFSET, true) === FORMAT_VERSION &&
    view.getUint32(BYTE_ORDER_OFFSET, true) === BYTE_ORDER_MARK &&
    view.getUint32(SLOTS_OFFSET, true) === PARTICIPANT_SLOTS;
  return isOurs ? LIFETIMES[view.getUint32(LIFETIME_OFFSET, true)] : undefined;
}

/**
 * Checks the header at the start of `shared`, which is the whole segment or a copy of its first bytes, and gives what it says. Reads a private copy, so that a
 * peer that changes bytes meanwhile cannot pass a check with one value and be used with another.
 * @throws {SegmentError} SEGMENT_FOREIGN, SEGMENT_FORMAT, SEGMENT_NOT_READY, SEGMENT_NOT_FOUND
 * @throws {LayoutError} LAYOUT_MISMATCH
 */
export function readHeader(
  shared: Uint8Array,
  name: string | undefined,
  wanted: SegmentKind | undefined,
  expected?: AnyLayout,
  segmentSize = shared.length,
): SegmentHeader {
  const what = name === undefined ? 'segment' : `segment ${JSON.stringify(name)}`;
  const fail = (
    code: 'SEGMENT_FORMAT' | 'SEGMENT_FOREIGN' | 'SEGMENT_NOT_READY' | 'SEGMENT_NOT_FOUND',
    fact: string,
  ): never => {
    throw new SegmentError(code, `cannot open ${what}: ${fact}`, { segment: name });
  };
  const damaged = (word: string, found: number, want: number | string): never =>
    fail('SEGMENT_FORMAT', `its header is damaged: ${word} is ${found}, expected ${want}`);

  if (!hasMagic(shared)) fail('SEGMENT_FOREIGN', 'it was not made by this library');
  // MAPPED: hasMagic checked that the fixed part is there.
  const view = new DataView(shared.slice(0, TEXT_OFFSET).buffer);
  const word = (offset: number): number => view.getUint32(offset, true);
  const version = word(VERSION_OFFSET);
  if (version !== FORMAT_VERSION) {
    fail('SEGMENT_FORMAT', `its format version is ${version}, expected ${FORMAT_VERSION}`);
  }
  if (word(BYTE_ORDER_OFFSET) !== BYTE_ORDER_MARK) fail('SEGMENT_FORMAT', 'its byte order differs');
  if (word(STATE_OFFSET) === STATE_GONE) fail('SEGMENT_NOT_FOUND', 'its last user has closed it');
  if (word(STATE_OFFSET) !== STATE_READY) fail('SEGMENT_NOT_READY', 'it is not initialised yet');
  const kind = KINDS[word(KIND_OFFSET) - 1];
  if (kind === undefined)
    return fail('SEGMENT_FORMAT', `its kind is ${word(KIND_OFFSET)}, expected 1, a store, or 2, a map`);
  if (wanted !== undefined && kind !== wanted)
    fail('SEGMENT_FORMAT', `it is a ${kind}, expected a ${wanted}`);
  const guardKind = GUARDS[word(GUARD_OFFSET) - 1];
  if (guardKind === undefined)
    return fail('SEGMENT_FORMAT', `its guard is ${word(GUARD_OFFSET)}, expected 1 to ${GUARDS.length}`);
  if (kind === 'map' && guardKind !== 'latch')
    fail('SEGMENT_FORMAT', `its guard is a ${guardKind}, expected a latch`);
  if (word(SLOTS_OFFSET) !== PARTICIPANT_SLOTS)
    damaged('participant slots', word(SLOTS_OFFSET), PARTICIPANT_SLOTS);
  const lifetime = LIFETIMES[word(LIFETIME_OFFSET)] ?? damaged('lifetime', word(LIFETIME_OFFSET), '0 or 1');

  const headerLength = word(HEADER_LENGTH_OFFSET);
  const textOffset = word(TEXT_OFFSET_OFFSET);
  const textLength = word(TEXT_LENGTH_OFFSET);
  if (headerLength % HEADER_ALIGNMENT !== 0 || headerLength > segmentSize) {
    damaged('header length', headerLength, `a multiple of ${HEADER_ALIGNMENT} up to ${segmentSize}`);
  }
  if (textOffset !== TEXT_OFFSET) damaged('layout text offset', textOffset, TEXT_OFFSET);
  const mostText = Math.min(headerLength - textOffset, MAX_TEXT_LENGTH);
  if (textLength > mostText) damaged('layout text length', textLength, `at most ${mostText}`);
  const layout = readLayout(shared.slice(textOffset, textOffset + textLength), fail);
  const mutexAt = textOffset + textLength;
  const mutexLength = word(MUTEX_LENGTH_OFFSET);
  const mostName = guardKind === 'namedMutex' ? Math.min(headerLength - mutexAt, MAX_MUTEX_NAME) : 0;
  if (mutexLength > mostName) damaged('mutex name length', mutexLength, `at most ${mostName}`);
  const guard: StoreGuard =
    guardKind === 'namedMutex'
      ? { kind: guardKind, name: new TextDecoder().decode(shared.slice(mutexAt, mutexAt + mutexLength)) }
      : { kind: guardKind };
  const digest = view.buffer.slice(DIGEST_OFFSET, DIGEST_OFFSET + DIGEST_LENGTH);
  if (!digestBytes(layout).every((byte, i) => byte === new Uint8Array(digest)[i])) {
    fail('SEGMENT_FORMAT', 'its header is damaged: the digest is not that of its layout');
  }

  const capacity = Number(view.getBigUint64(CAPACITY_OFFSET, true));
  const mostRecords = MAX_CAPACITIES[kind];
  if (capacity < 1 || capacity > mostRecords) damaged('capacity', capacity, `1 to ${mostRecords}`);
  const header = place(kind, layout, capacity, lifetime, guard, headerLength);
  const { size } = header;
  const claimed = Number(view.getBigUint64(SIZE_OFFSET, true));
  if (word(RECORD_SIZE_OFFSET) !== layout.size) damaged('record size', word(RECORD_SIZE_OFFSET), layout.size);
  if (word(CELL_LENGTH_OFFSET) !== header.cellLength)
    damaged('cell length', word(CELL_LENGTH_OFFSET), header.cellLength);
  if (word(STRIDE_OFFSET) !== header.stride) damaged('stride', word(STRIDE_OFFSET), header.stride);
  if (claimed !== size) damaged('size', claimed, size);
  if (size > segmentSize) damaged('size', size, `at most ${segmentSize}, the size of the segment`);
  if (expected !== undefined && expected.digest !== layout.digest) {
    throw new LayoutError(
      'LAYOUT_MISMATCH',
      `cannot open ${what}: layout ${expected.name} differs from the segment's: ${firstDifference(expected, layout)}`,
    );
  }
  return { ...header, layout: expected ?? layout };
}

/** The most records of each kind. */
export const MAX_CAPACITIES: Readonly<Record<SegmentKind, number>> = {
  store: 2 ** 32 - 1,
  map: MAX_MAP_CAPACITY,
};

function readLayout(bytes: Uint8Array, fail: (code: 'SEGMENT_FORMAT', fact: string) => never): AnyLayout {
  const text = new TextDecoder().decode(bytes);
  const end = text.indexOf('\n');
  try {
    return layoutFromCanonical(text.slice(0, Math.max(end, 0)), text.slice(end + 1));
  } catch (error) {
    return fail('SEGMENT_FORMAT', `its layout text is damaged: ${(error as Error).message}`);
  }
}

/** Tells how long a header claims to be; the caller saw its magic. */
export function headerLengthOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(HEADER_LENGTH_OFFSET, true);
}

/** Bytes from the start that hold all of a header. */
export const LONGEST_HEADER = TEXT_OFFSET + MAX_TEXT_LENGTH + MAX_MUTEX_NAME + HEADER_ALIGNMENT;

/** Tells what a managed segment holds, of a copy of its first bytes and its size; undefined for anything else, or damaged. */
export function summarize(bytes: Uint8Array, size: number, name: string): SegmentSummary | undefined {
  try {
    const { kind, layout, capacity } = readHeader(bytes, name, undefined, undefined, size);
    return { kind, layout: layout.name, capacity };
  } catch {
    return undefined;
  }
}
