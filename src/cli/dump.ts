// `sharecord dump`
import { openStore, type StoreReader } from '../index.ts';
import { print, showLine } from './print.ts';

interface DumpOptions {
  readonly index?: number;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Prints a line a record: index, generation, record. */
export function dump(name: string, { index, all = false, json = false }: DumpOptions): void {
  const store = openStore(name);
  try {
    if (index !== undefined) return dumpRecord(store, index, json);
    for (let i = 0; i < store.capacity; i++) if (all || store.generation(i) > 0) dumpRecord(store, i, json);
  } finally {
    store.close();
  }
}

function dumpRecord(store: StoreReader, index: number, json: boolean): void {
  // Two looks: the record is at least as new as its generation says.
  const generation = store.generation(index);
  print(lineOf({ index, generation, record: store.read(index) }, json));
}

/** Spells one state of one record. */
export function lineOf(state: { index: number; generation: number; record: unknown }, json: boolean): string {
  if (json) return showLine(state, true);
  return `${state.index}\t${state.generation}\t${showLine(state.record, false)}`;
}
