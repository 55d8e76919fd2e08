// The watch and its hub with a bell that the test holds: when it sleeps, what wakes it, what it says once.
import { describe, expect, test, vi } from 'vitest';
import type { MapAccess } from '../../src/store/map-access.ts';
import { KeyWatch, MapWatch } from '../../src/store/map-watch.ts';
import { GuardError } from '../../src/errors.ts';
import { RecordWatch } from '../../src/store/record-watch.ts';
import type { Change } from '../../src/store/types.ts';
import { SLICE, Watch, WatchHub, type WatchSource } from '../../src/store/watch.ts';
import { withCode } from '../support/with-code.ts';

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
  let onDeaf: (() => void) | undefined;
  const state = { armed: 0, listening: false, ring: () => onRing?.(), goDeaf: () => onDeaf?.() };
  const doorbell = () => ({
    bell: {
      ring() {},
      listen(...callbacks: [() => void, () => void]) {
        [onRing, onDeaf] = callbacks;
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

/** Many records; counts the looks at them. */
class LargeSource extends Source {
  looks = 0;
  override sequence(index: number): number {
    this.looks++;
    return super.sequence(index);
  }
}

describe('Watch', () => {
  test('gives the thread back after each slice of records', async () => {
    const { state, doorbell } = fakeBell();
    const source = new LargeSource();
    const range = { first: 0, count: 5 * SLICE + 1, includePresent: false };
    const watch = new Watch(source, new WatchHub(doorbell, () => {}), range, {}, () => {});
    let [most, turns] = [0, 0];
    source.looks = 0;
    const next = watch.next();
    while (state.armed === 0 || source.looks < SLICE * 10) {
      const before = source.looks;
      await new Promise(setImmediate);
      most = Math.max(most, source.looks - before);
      turns++;
    }
    // The rest of one round and the beginning of the next.
    expect(most).toBeLessThan(2 * SLICE);
    expect(turns).toBeGreaterThan(10);
    watch.end();
    expect(await next).toMatchObject({ done: true });
  });

  test('a ring between two slices is not lost: the round begins again before any long sleep', async () => {
    const { state, doorbell } = fakeBell();
    const source = new LargeSource();
    const hub = new WatchHub(doorbell, () => {});
    const count = 2 * SLICE;
    const watch = new Watch(source, hub, { first: 0, count, includePresent: false }, {}, () => {});
    const sleeps = vi.spyOn(hub, 'sleep');
    const next = watch.next();
    while (state.armed === 0) await new Promise(setImmediate);
    // The round behind the arming has passed record 0 and is between its slices.
    source.values[0] = 1;
    state.ring();
    expect((await next).value).toMatchObject({ index: 0 });
    expect(sleeps.mock.calls.map(([milliseconds]) => milliseconds).every((each) => each === 0)).toBe(true);
    watch.end();
  });

  test('ends between two slices', async () => {
    const source = new LargeSource();
    const range = { first: 0, count: 3 * SLICE, includePresent: false };
    const watch = new Watch(source, new WatchHub(fakeBell().doorbell, () => {}), range, {}, () => {});
    const next = watch.next();
    await new Promise(setImmediate);
    watch.end();
    const { looks } = source;
    expect(await next).toEqual({ done: true, value: undefined });
    expect(source.looks).toBe(looks);
  });

  test('looks again soon at a record that was contended, and only then', async () => {
    const { state, doorbell } = fakeBell();
    const source = new Source();
    const hub = new WatchHub(doorbell, () => {});
    const sleeps = vi.spyOn(hub, 'sleep');
    let tries = 0;
    vi.spyOn(source, 'snapshot').mockImplementation((index) => {
      // The looks before and behind the arming.
      if (tries++ < 2) throw new GuardError('READ_CONTENDED', 'written all the time');
      return { sequence: source.sequence(index), record: 70 };
    });
    const watch = watchAll(source, hub);
    source.values[1] = 7;
    expect((await watch.next()).value).toMatchObject({ index: 1, record: 70 });
    expect(sleeps.mock.calls.map(([milliseconds]) => milliseconds)).toEqual([1]);
    const next = watch.next();
    await new Promise(setImmediate);
    source.values[1] = 8;
    state.ring();
    expect((await next).value).toMatchObject({ index: 1, generation: 8 });
    expect(sleeps.mock.calls.map(([milliseconds]) => milliseconds)).toEqual([1, 1000]);
    watch.end();
  });

  test('tells the generation that belongs to its record, also when a writer has gone on', async () => {
    const source = new Source();
    const watch = watchAll(source, new WatchHub(fakeBell().doorbell, () => {}));
    vi.spyOn(source, 'generation').mockImplementation((index) => source.sequence(index) + 2);
    source.values[1] = 7;
    expect((await watch.next()).value).toMatchObject({ index: 1, generation: 7, record: 70 });
    // The lower half of the generation has come round between the two.
    vi.spyOn(source, 'generation').mockImplementation(() => 5 * 2 ** 32 + 1);
    source.values[1] = -2;
    expect((await watch.next()).value).toMatchObject({ generation: 5 * 2 ** 32 - 2 });
    watch.end();
  });

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

  test('polls every intervalMs where there is no bell, and says so', async () => {
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
    for (const warning of warnings) expect(warning).toContain('polling');
    expect(warnings).toHaveLength(2);
  });

  test('polls from when its bell can be heard no more, looks at once, and says so', async () => {
    const { state, doorbell } = fakeBell();
    const warnings: string[] = [];
    const hub = new WatchHub(doorbell, (message) => warnings.push(message));
    const source = new Source();
    const watch = watchAll(source, hub, { intervalMs: 1 });
    const sleeps = vi.spyOn(hub, 'sleep');
    const next = watch.next();
    while (sleeps.mock.calls.length === 0) await new Promise(setImmediate);
    source.values[0] = 1;
    state.goDeaf();
    state.goDeaf();
    expect(hub.hears).toBe(false);
    expect((await next).value).toMatchObject({ index: 0 });
    setTimeout(() => void (source.values[0] = 2), 3);
    expect((await watch.next()).value).toMatchObject({ generation: 2 });
    expect(sleeps.mock.calls.slice(1).every(([milliseconds]) => milliseconds <= 1)).toBe(true);
    expect(warnings).toHaveLength(1);
    watch.end();
    expect(state.listening).toBe(false);
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
      expect(() => watchAll(new Source(), hub, options)).toThrow(withCode(code));
    }
    expect(state.listening).toBe(false);
  });
});

describe('a look that throws ends the watch, and nobody listens any longer', () => {
  const mine = new RangeError('mine');
  /** Throws from the given call on, of whatever it is asked. */
  const failing = <S extends object>(from: number, answers: S): S & { calls: number } => {
    const state = { calls: 0 };
    const fail = (): void => {
      if (state.calls++ >= from) throw mine;
    };
    return new Proxy(answers as S & { calls: number }, {
      get: (_, name: string) => (name === 'calls' ? state.calls : () => (fail(), answers[name as keyof S])),
    });
  };
  const record = { sequence: 0, generation: 0, snapshot: undefined };
  const map = { slots: 1, sequence: 0, stateOf: undefined, lookUp: undefined };
  const end = (): void => {};
  const begin = {
    'one record': (from: number, hub: WatchHub) => {
      const range = { first: 0, count: 1, includePresent: true };
      return new Watch(failing(from, record) as unknown as WatchSource<number>, hub, range, {}, end);
    },
    'all records': (from: number, hub: WatchHub) => {
      const range = { first: 0, count: 1, includePresent: false };
      return new Watch(failing(from, record) as unknown as WatchSource<number>, hub, range, {}, end);
    },
    'one key': (from: number, hub: WatchHub) =>
      new KeyWatch(failing(from, map) as unknown as MapAccess, 1, hub, {}, end),
    'all keys': (from: number, hub: WatchHub) =>
      new MapWatch(failing(from, map) as unknown as MapAccess, 1, hub, {}, end),
  };

  test.each(Object.entries(begin))('the first look of a watch of %s', (_what, make) => {
    const { state, doorbell } = fakeBell();
    expect(() => make(0, new WatchHub(doorbell, () => {}))).toThrow(mine);
    expect(state.listening).toBe(false);
  });

  test.each(Object.entries(begin))('a later look of a watch of %s', async (_what, make) => {
    for (let from = 2; from < 6; from++) {
      const { state, doorbell } = fakeBell();
      const watch = make(from, new WatchHub(doorbell, () => {}));
      // Looks come before and behind the arming, and after each ring.
      const ringing = setInterval(() => state.ring(), 1);
      expect(state.listening).toBe(true);
      await expect(watch.next()).rejects.toBe(mine);
      clearInterval(ringing);
      expect(state.listening).toBe(false);
      expect(await watch.next()).toEqual({ done: true, value: undefined });
    }
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
