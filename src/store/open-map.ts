// Making, joining and opening maps: the definition becomes the layout of an entry, the rest is as with stores.
import type { AnyLayout } from '../layout/types.ts';
import type { Source } from '../platform/platform.ts';
import { LockWord } from '../sync/lock-word.ts';
import { MapReader as Reader, MapWriter as Writer } from './map.ts';
import { accessMap } from './map-access.ts';
import { type MapEntry, mapEntry, mapEntryOf } from './map-entry.ts';
import type {
  KeyType,
  MapByAccess,
  MapDefinition,
  MapOptions,
  MapReader,
  MapWriter,
  OpenMapOptions,
} from './map-types.ts';
import {
  checkManaged,
  createManaged,
  DEFAULT_MUTEX_OPTIONS,
  joinManaged,
  type Make,
  openManaged,
  type Plan,
} from './open-managed.ts';
import { requireLayout, requireObject } from './options.ts';
import type { StoreGuard } from './segment-header.ts';
import type { StoreAccess } from './types.ts';

const WORD = 4;
const GUARD: StoreGuard = { kind: 'latch' };

/** Makes maps of these entries, or of those that the segment describes. */
const makeMap =
  (expected: MapEntry | undefined): Make<Reader> =>
  ({ opening, header, access, segment, memory, hub }) => {
    const { capacity } = header;
    const entry = expected ?? mapEntryOf(header.layout, opening.object.place);
    const { key, layout } = entry;
    const { words, participants, name } = memory;
    const structureLock =
      access === 'read' ? undefined : new LockWord(words, participants, opening.owner, `the keys of ${name}`);
    const control = header.slotsEnd / WORD;
    const calls = accessMap(entry, {
      ...memory,
      capacity,
      control,
      keyWords: entry.keyWords,
      structureLock,
    });
    const replaced = (): boolean => opening.object.replaced();
    const parts = { key, layout, capacity, segment, ...calls, hub, replaced };
    return access === 'read' ? new Reader(parts) : new Writer(parts);
  };

function planMap(options: MapOptions<KeyType, AnyLayout>, act: string): Plan<Reader> {
  const checked = checkManaged('map', options, act);
  const entry = mapEntry(options.key, checked.layout);
  return {
    ...checked,
    layout: entry.entry,
    guard: GUARD,
    mutexOptions: DEFAULT_MUTEX_OPTIONS,
    make: makeMap(entry),
  };
}

/**
 * Creates a map and opens it for reading and writing. What a crashed writer left under the name is replaced.
 * @throws {SegmentError} SEGMENT_EXISTS when somebody uses the name; SEGMENT_NAME, SEGMENT_LIMIT, SEGMENT_DENIED
 * @throws {LayoutError} LAYOUT_FIELD_INVALID for a type that cannot be a key
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE for bad options
 * @example
 * const flags = createMap({ name: 'flags', key: utf8(64), layout: Flag, capacity: 1000 });
 */
export function createMap<K extends KeyType, L extends AnyLayout>(
  options: MapOptions<K, L>,
): MapWriter<K, L> {
  return createManaged(planMap(options, 'create map')) as unknown as MapWriter<K, L>;
}

/**
 * Opens the map of that name for reading and writing, or creates it; `created` tells which.
 * @throws {SegmentError} SEGMENT_TOO_SMALL when the existing one has less capacity; those of `createMap` and `openMap`
 * @throws {LayoutError} LAYOUT_MISMATCH
 */
export function joinMap<K extends KeyType, L extends AnyLayout>(options: MapOptions<K, L>): MapWriter<K, L> {
  return joinManaged(planMap(options, 'join map')) as unknown as MapWriter<K, L>;
}

/**
 * Opens an existing map by name or handle: for reading, or with `access: 'read-write'` for writing too. Without a definition
 * the segment's own description serves, and keys and records are untyped.
 * @throws {SegmentError} SEGMENT_NOT_FOUND, SEGMENT_NOT_READY, SEGMENT_FOREIGN, SEGMENT_FORMAT, SEGMENT_DENIED, SEGMENT_LIMIT
 * @throws {LayoutError} LAYOUT_MISMATCH, with the first field that differs
 */
export function openMap<K extends KeyType, L extends AnyLayout, const A extends StoreAccess = 'read'>(
  source: Source,
  definition: MapDefinition<K, L>,
  options?: OpenMapOptions<A>,
): MapByAccess<K, L, A>;
export function openMap(source: Source): MapReader;
export function openMap(
  source: Source,
  definition?: MapDefinition<KeyType, AnyLayout>,
  options: OpenMapOptions = {},
): unknown {
  const act = 'open map';
  requireObject(options, act);
  if (definition === undefined) return openManaged('map', source, undefined, options, makeMap(undefined));
  requireObject(definition, act);
  const entry = mapEntry(definition.key, requireLayout(definition.layout, act));
  return openManaged('map', source, entry.entry, options, makeMap(entry));
}
