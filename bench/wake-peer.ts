// The other process of rows/wake.ts: answers every change on the same channel.
import { type Handle, openSegment, openStore, type StoreWriter } from '../src/index.ts';
import { HandDoorbell } from './doorbell.ts';
import { Numbers } from './records.ts';

/** What the peer opens. */
export interface WakeHandles {
  readonly there: Handle;
  readonly back: Handle;
  readonly both: Handle;
  readonly bellThere: Handle;
  readonly bellBack: Handle;
}

async function answer(
  asked: StoreWriter<typeof Numbers>,
  answers: StoreWriter<typeof Numbers>,
  at: number,
): Promise<void> {
  for await (const { record } of asked.watch(0)) answers.write(at, record);
}

process.once('message', (handles: WakeHandles) => {
  const writable = { access: 'read-write' } as const;
  const both = openStore(handles.both, Numbers, writable);
  void answer(openStore(handles.there, Numbers, writable), openStore(handles.back, Numbers, writable), 0);
  void answer(both, both, 1);
  const back = new HandDoorbell(openSegment(handles.bellBack, writable));
  new HandDoorbell(openSegment(handles.bellThere, writable)).listen(() => back.publish());
  process.send?.('ready');
});
// The watches keep this process alive; it ends with the one that asks.
process.once('disconnect', () => process.exit());
