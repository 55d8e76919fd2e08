// `sharecord dump`
import type { MapReader, StoreReader } from '../index.ts';
import { openAny } from './open-any.ts';
import { print, showLine } from './print.ts';

interface DumpOptions {
  readonly index?: number;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Prints a line a record: index, generation and record of a store; key and record of a map. */
export function dump(name: string, options: DumpOptions): void {
  const opened = openAny(name);
  if (opened.kind === 'map') return dumpMap(opened.map, options);
  dumpStore(opened.store, options);
}

function dumpStore(store: StoreReader, { index, all = false, json = false }: DumpOptions): void {
  try {
    if (index !== undefined) return dumpRecord(store, index, json);
    for (let i = 0; i < store.capacity; i++) if (all || store.generation(i) > 0) dumpRecord(store, i, json);
  } finally {
    store.close();
  }
}

function dumpMap(map: MapReader, { index, json = false }: DumpOptions): void {
  try {
    refuseIndex(index);
    for (const [key, record] of map) print(lineOf({ key, record }, json));
  } finally {
    map.close();
  }
}

function dumpRecord(store: StoreReader, index: number, json: boolean): void {
  // Two looks: the record is at least as new as its generation says.
  const generation = store.generation(index);
  print(lineOf({ index, generation, record: store.read(index) }, json));
}

/** Refuses `--index` for a map. */
export function refuseIndex(index: number | undefined): void {
  if (index !== undefined) throw new Error('cannot take --index: a map has keys, no indexes');
}

/** Spells one state of one record: an object for JSON, its values apart by tabs for people. */
export function lineOf(state: object, json: boolean): string {
  if (json) return showLine(state, true);
  return Object.values(state)
    .map((value) => showLine(value, false))
    .join('\t');
}
