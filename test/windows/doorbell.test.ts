// The doorbell of Windows: one event per listener, and a wake-up that needs neither the timer nor polling.
import { expect, test } from 'vitest';
import { createStore, openStore, struct, u32 } from '../../src/index.ts';
import { ARMED_WORD, BELL_WORD } from '../../src/store/segment-header.ts';
import { EventDoorbell } from '../../src/platform/win32-doorbell.ts';
import { track } from '../support/track.ts';

const Count = struct('Count', { n: u32 });

let serial = 0;
const uniqueBase = (): string => `sharecord-test-bell-${process.pid}-${serial++}`;
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Waits for a sign of life; the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}

test('one ring wakes every listener, and each remembers a ring that came while its thread was busy', async () => {
  const base = uniqueBase();
  const words = new Int32Array(1);
  const bell = new EventDoorbell(base, words, 0);
  const heard = [0, 0, 0];
  const listeners = heard.map((_, i) => bell.listen(() => heard[i]!++));
  expect(words[0]).toBe(0b111);
  bell.ring();
  // The thread is busy until here: nothing was called yet.
  expect(heard).toEqual([0, 0, 0]);
  await until(() => heard.every((rings) => rings === 1));
  listeners[1]?.close();
  expect(words[0]).toBe(0b101);
  bell.ring();
  await until(() => heard[0] === 2 && heard[2] === 2);
  expect(heard).toEqual([2, 1, 2]);
  const again = bell.listen(() => heard[1]!++);
  expect(words[0]).toBe(0b111);
  bell.ring();
  await until(() => heard[1] === 2);
  for (const each of [again, listeners[0], listeners[2]]) each?.close();
  expect(words[0]).toBe(0);
  bell.ring();
  await turn();
  expect(heard[1]).toBe(2);
});

test('the bit of a listener that died disturbs nobody, and its number is taken again', async () => {
  const words = Int32Array.of(0b11);
  const bell = new EventDoorbell(uniqueBase(), words, 0);
  let heard = 0;
  bell.ring();
  const listener = bell.listen(() => heard++);
  expect(words[0]).toBe(0b11);
  bell.ring();
  await until(() => heard === 1);
  listener?.close();
  expect(words[0]).toBe(0b10);
});

test('the thirty-third listener is told to poll', () => {
  const bell = new EventDoorbell(uniqueBase(), new Int32Array(1), 0);
  const listeners = Array.from({ length: 32 }, () => bell.listen(() => {}));
  expect(listeners.every((each) => each !== undefined)).toBe(true);
  expect(bell.listen(() => {})).toBeUndefined();
  for (const each of listeners) each?.close();
  const next = bell.listen(() => {});
  expect(next).toBeDefined();
  next?.close();
});

test('a watch of a read-only open hears each of 200 writes through its bell', async () => {
  const store = track(createStore({ name: uniqueBase(), layout: Count, capacity: 1 }));
  const reader = track(openStore(store.segment.name!, Count));
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', onWarning);
  const words = new Int32Array(store.segment.buffer);
  const watch = reader.watch(0);
  for (let n = 1; n <= 200; n++) {
    const next = watch.next();
    await until(() => words[ARMED_WORD] === 1);
    expect(words[BELL_WORD]).toBe(1);
    store.write(0, { n });
    expect((await next).value).toMatchObject({ generation: n, record: { n } });
  }
  await watch.return?.();
  expect(words[BELL_WORD]).toBe(0);
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});
