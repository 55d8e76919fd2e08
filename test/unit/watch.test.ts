// The watch and its hub with a bell that the test holds: when it sleeps, what wakes it, what it says once.
import { describe, expect, test } from 'vitest';
import { RecordWatch } from '../../src/store/record-watch.ts';
import type { Change } from '../../src/store/types.ts';
import { Watch, WatchHub, type WatchSource } from '../../src/store/watch.ts';

class Source implements WatchSource<number> {
  readonly values = [0, 0, 0];
  sequence(index: number): number {
    return this.values[index] ?? 0;
  }
  generation(index: number): number {
    return this.sequence(index);
  }
  snapshot(index: number): { sequence: number; record: number } {
    return { sequence: this.sequence(index), record: this.sequence(index) * 10 };
  }
}

function fakeBell() {
  let onRing: (() => void) | undefined;
  const state = { armed: 0, listening: false, ring: () => onRing?.() };
  const doorbell = () => ({
    bell: {
      ring() {},
      listen(callback: () => void) {
        onRing = callback;
        state.listening = true;
        return { close: () => void (state.listening = false) };
      },
    },
    arm: () => void state.armed++,
  });
  return { state, doorbell };
}

const all = { first: 0, count: 3, includePresent: false };
const watchAll = (source: Source, hub: WatchHub, options = {}): Watch<number> =>
  new Watch(source, hub, all, options, () => {});

describe('Watch', () => {
  test('arms before it sleeps and wakes on a ring', async () => {
    const { state, doorbell } = fakeBell();
    const source = new Source();
    const watch = watchAll(source, new WatchHub(doorbell, () => {}));
    const next = watch.next();
    await new Promise(setImmediate);
    expect(state).toMatchObject({ armed: 1, listening: true });
    source.values[1] = 4;
    state.ring();
    expect(await next).toEqual({ done: false, value: { index: 1, generation: 4, record: 40 } });
    watch.end();
    expect(state.listening).toBe(false);
  });

  test('finds by its timer what a writer published without a ring', async () => {
    const { doorbell } = fakeBell();
    const source = new Source();
    const watch = watchAll(source, new WatchHub(doorbell, () => {}));
    const next = watch.next();
    await new Promise(setImmediate);
    source.values[2] = 1;
    expect((await next).value).toMatchObject({ index: 2 });
    watch.end();
  });

  test('goes round the records, so that a busy one does not hide another', async () => {
    const { doorbell } = fakeBell();
    const source = new Source();
    const watch = watchAll(source, new WatchHub(doorbell, () => {}));
    const seen: (number | undefined)[] = [];
    for (let turn = 0; turn < 4; turn++) {
      source.values[0] = (source.values[0] ?? 0) + 1;
      source.values[2] = (source.values[2] ?? 0) + 1;
      seen.push(((await watch.next()).value as Change<number>).index);
    }
    expect(seen).toEqual([0, 2, 0, 2]);
    watch.end();
  });

  test('polls every intervalMs where there is no bell, and says so once', async () => {
    const warnings: string[] = [];
    const hub = new WatchHub(
      () => undefined,
      (message) => warnings.push(message),
    );
    const source = new Source();
    for (let i = 1; i <= 2; i++) {
      const watch = watchAll(source, hub, { intervalMs: 1 });
      expect(hub.hears).toBe(false);
      setTimeout(() => void (source.values[0] = i), 3);
      expect((await watch.next()).value).toMatchObject({ index: 0, generation: i });
      watch.end();
    }
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('polling');
  });

  test('calls of next queue up and end together', async () => {
    const { state, doorbell } = fakeBell();
    const source = new Source();
    const watch = watchAll(source, new WatchHub(doorbell, () => {}));
    const pending = [watch.next(), watch.next(), watch.next()];
    await new Promise(setImmediate);
    source.values[0] = 1;
    state.ring();
    expect((await pending[0])?.done).toBe(false);
    expect(await watch.return()).toEqual({ done: true, value: undefined });
    expect((await Promise.all(pending)).map(({ done }) => done)).toEqual([false, true, true]);
  });

  test('refuses bad options before it listens', () => {
    const { state, doorbell } = fakeBell();
    const hub = new WatchHub(doorbell, () => {});
    for (const [options, code] of [
      [{ intervalMs: 0 }, 'VALUE_RANGE'],
      [{ intervalMs: '5' }, 'VALUE_TYPE'],
      [{ persistent: 1 }, 'VALUE_TYPE'],
      [{ signal: {} }, 'VALUE_TYPE'],
    ] as const) {
      expect(() => watchAll(new Source(), hub, options)).toThrow(expect.objectContaining({ code }));
    }
    expect(state.listening).toBe(false);
  });
});

test('a watch of a foreign record takes one copy a look, and ends with what goes wrong', async () => {
  const copies: (Uint8Array | undefined)[] = [
    Uint8Array.of(1),
    undefined,
    Uint8Array.of(1),
    Uint8Array.of(2),
  ];
  let [copied, decoded, ended] = [0, 0, 0];
  const source = {
    tryCopy() {
      if (copied === copies.length) throw new RangeError('mine');
      return copies[copied++];
    },
    decode: () => ({ n: ++decoded }),
  };
  const watch = new RecordWatch(source, { intervalMs: 1 }, () => ended++);
  expect([await watch.next(), copied]).toEqual([{ done: false, value: { record: { n: 1 } } }, 1]);
  expect([await watch.next(), copied]).toEqual([{ done: false, value: { record: { n: 2 } } }, 4]);
  const [failing, behind] = [watch.next(), watch.next()];
  await expect(failing).rejects.toThrow('mine');
  expect(await behind).toEqual({ done: true, value: undefined });
  expect(ended).toBe(1);
});
