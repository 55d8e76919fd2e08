// The three stores of the monitor, made by one process and opened by all others. They have no name, so whatever ends the
// monitor, nothing of them is left on the machine.
import { createStore, openStore, type Handle, type StoreReader, type StoreWriter } from 'sharecord';
import { ProcessRow, READERS, Sample, Tally } from './layout.ts';

/** Plain data: crosses to a worker as `workerData`, to a process as a message. */
export interface MonitorHandles {
  readonly rows: Handle;
  readonly samples: Handle;
  readonly tallies: Handle;
}

interface Stores<Rows, Samples> {
  readonly rows: Rows;
  readonly samples: Samples;
  readonly tallies: StoreWriter<typeof Tally>;
  readonly close: () => void;
}
export type WriterStores = Stores<StoreWriter<typeof ProcessRow>, StoreWriter<typeof Sample>> & {
  readonly handles: MonitorHandles;
};
export type ReaderStores = Stores<StoreReader<typeof ProcessRow>, StoreReader<typeof Sample>>;

/** Makes the stores, with room for `capacity` processes. */
export function createStores(capacity: number): WriterStores {
  const rows = createStore({ layout: ProcessRow, capacity });
  const samples = createStore({ layout: Sample, capacity: 1 });
  const tallies = createStore({ layout: Tally, capacity: Object.keys(READERS).length });
  const handles = { rows: rows.handle, samples: samples.handle, tallies: tallies.handle };
  return { rows, samples, tallies, handles, close: closeAll(rows, samples, tallies) };
}

/** Opens them in another thread or process: all to read, the tallies to write too. */
export function openStores(handles: MonitorHandles): ReaderStores {
  const rows = openStore(handles.rows, ProcessRow);
  const samples = openStore(handles.samples, Sample);
  const tallies = openStore(handles.tallies, Tally, { access: 'read-write' });
  return { rows, samples, tallies, close: closeAll(rows, samples, tallies) };
}

function closeAll(...stores: readonly { close(): void }[]): () => void {
  return () => {
    for (const store of stores) store.close();
  };
}
