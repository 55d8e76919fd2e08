// What a watch leaves to its thread: it waits for nobody, and others have their turns however much there is to deliver.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createMap, createRecord, createStore, openStore, struct, u32, unguarded } from '../../src/index.ts';
import { SLOT_LOCK_WORD } from '../../src/sync/cells.ts';
import { rawSlot } from '../race/records.ts';
import { track } from '../support/track.ts';

const Row = struct('Row', { n: u32 });
const inProcess = { backing: 'process', layout: Row } as const;

interface Subject {
  follow(signal: AbortSignal): AsyncIterable<unknown>;
  write(n: number): void;
}
const SUBJECTS: Readonly<Record<string, () => Subject>> = {
  store() {
    const store = track(createStore({ ...inProcess, capacity: 2 }));
    return { follow: (signal) => store.watch({ signal }), write: (n) => store.write(1, { n }) };
  },
  map() {
    const map = track(createMap({ ...inProcess, key: u32, capacity: 2 }));
    return { follow: (signal) => map.watch({ signal }), write: (n) => void map.set(7, { n }) };
  },
  'foreign record'() {
    const name = `sharecord-test-turns-${process.pid}`;
    const record = track(createRecord(name, Row, { guard: unguarded() }));
    return { follow: (signal) => record.watch({ signal, intervalMs: 1 }), write: (n) => record.write({ n }) };
  },
};

describe.each(Object.keys(SUBJECTS))('a watch of a %s', (kind) => {
  test('whose loop writes what it follows is ended by an abort that a timer makes', async () => {
    const { follow, write } = (SUBJECTS[kind] as () => Subject)();
    const controller = new AbortController();
    let changes = 0;
    const loop = async (): Promise<void> => {
      write(changes);
      for await (const _ of follow(controller.signal)) {
        if (changes++ === 0) setTimeout(() => controller.abort(), 20);
        // Seconds of changes without a turn for the timer.
        if (changes === 2_000_000) return;
        write(changes);
      }
    };
    setTimeout(() => write(1), 1);
    await expect(loop()).rejects.toMatchObject({ name: 'AbortError' });
    expect(changes).toBeGreaterThan(0);
  });
});

test('a watch beside writers that stopped inside a seqlock waits for none of them', async () => {
  const capacity = 200;
  const store = track(createStore({ ...inProcess, capacity, guard: 'seqlock' }));
  track(openStore(store.handle, Row, { access: 'read-write' }));
  const watch = store.watch();
  const slots = Array.from({ length: capacity }, (_, i) => rawSlot(store.segment.buffer, i));
  for (const [i, { words, sequence: at }] of slots.entries()) {
    store.write(i, { n: i });
    // The second open, which lives: slot 1, epoch 1.
    words[at + SLOT_LOCK_WORD] = (1 << 8) | 1;
    words[at]! += 1;
  }
  const waits = vi.spyOn(Atomics, 'wait');
  onTestFinished(() => waits.mockRestore());
  const next = watch.next();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(waits).not.toHaveBeenCalled();
  // One goes on: what it wrote is delivered, by a later look.
  const { words, sequence: at } = slots[7]!;
  words[at]! += 1;
  expect((await next).value).toMatchObject({ index: 7, generation: 2 });
});

test('a foreign record that always changes is looked at every intervalMs', async () => {
  const record = track(
    createRecord(`sharecord-test-turns-${process.pid}-interval`, Row, { guard: unguarded() }),
  );
  const started = performance.now();
  let n = 0;
  for await (const change of record.watch({ intervalMs: 20 })) {
    expect(change.record.n).toBe(n);
    record.write({ n: ++n });
    if (n === 6) break;
  }
  // A timer may fire a millisecond early.
  expect(performance.now() - started).toBeGreaterThan(5 * 19);
});
