// A record without any header of ours, written and read by a native program and by the library at once: native/record-peer.c
// and record-peer.ts have the same roles. The protocol words lie in the middle of the data.
//
//   what a reader sees               under the guard   control without it
//   all elements equal, rising       allowed           allowed
//   elements that differ (torn)      forbidden         required, or this file could not see a tear
//   a smaller value than before      forbidden         -
//   READ_CONTENDED                   allowed           -
//
//   sum of additions at once         under a mutex     control without it
//   all of them                      required          forbidden, or this file could not see a lost one
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openRecord } from '../../src/index.ts';
import { Bed, type Peer, TIERS } from '../support/bed.ts';
import { compileNative } from '../support/native.ts';
import { withCode } from '../support/with-code.ts';
import { guardOf, Shared, valueOf } from './record-peer.ts';

const CHANGES = 300;
const TORN_ENOUGH = 10;
const ADDITIONS = 20_000;
/** About as long as a read, so that reads and writes cross at every phase. */
const PAUSE_NS = 1500;

/** Starts the program that has the segment; the library has only ever opened it. */
async function makeRecord(bed: Bed): Promise<{ name: string; owner: Peer }> {
  const name = bed.name('foreign');
  const owner = bed.program('record-peer.c', 'make', name);
  await owner.ready;
  return { name, owner };
}

/** A guard whose mutex is made by who comes first: a native program leaves it behind. */
function nameMutex(bed: Bed): string {
  const name = bed.name('mutex');
  bed.keep({ close: () => rmSync(`/dev/shm/${name}`, { force: true }) });
  return `named:${name}`;
}

/** Ends the segment; its last field tells that nobody wrote beside the record's own fields. */
const endRecord = async (owner: Peer): Promise<unknown> => {
  const state = await owner.end();
  expect(state['tail']).toBe(0xdecade);
  return state;
};

describe.each(TIERS)('a reader beside a native writer, $tier', (tier) => {
  test.each(['sequence', 'pair'])('under %s gives whole records that never go back', async (guard) => {
    const bed = new Bed();
    const { name, owner } = await makeRecord(bed);
    const writer = bed.program('record-peer.c', 'write', name, guard, PAUSE_NS);
    await writer.ready;
    const reader = bed.script(tier, 'record-peer.ts', 'read', name, guard, 0, CHANGES);
    const seen = await reader.result();
    await writer.end();
    expect(seen).toMatchObject({ torn: 0, backwards: 0 });
    expect(seen['changes']).toBeGreaterThanOrEqual(CHANGES);
    await endRecord(owner);
  });

  test('the control, a reader without a guard, tears', async () => {
    const bed = new Bed();
    const { name, owner } = await makeRecord(bed);
    const writer = bed.program('record-peer.c', 'write', name, 'sequence', 0);
    await writer.ready;
    const reader = bed.script(tier, 'record-peer.ts', 'read', name, 'none', TORN_ENOUGH, 0);
    const { torn } = await reader.result();
    await writer.end();
    expect(torn, 'control did not tear').toBeGreaterThanOrEqual(TORN_ENOUGH);
    await endRecord(owner);
  });
});

describe.each(TIERS)('a writer beside a native reader, $tier', (tier) => {
  describe.each(['sequence', 'pair'])('under %s', (guard) => {
    test.each(['write', 'assign', 'update'])('%s shows whole records that never go back', async (call) => {
      const bed = new Bed();
      const { name, owner } = await makeRecord(bed);
      const writer = bed.script(tier, 'record-peer.ts', 'write', name, guard, call);
      await writer.ready;
      const reader = bed.program('record-peer.c', 'read', name, guard, 0, CHANGES);
      const seen = await reader.result();
      await writer.end();
      expect(seen).toMatchObject({ torn: 0, backwards: 0 });
      expect(seen['changes']).toBeGreaterThanOrEqual(CHANGES);
      await owner.end();
    });

    test('the control, a writer without a guard, tears', async () => {
      const bed = new Bed();
      const { name, owner } = await makeRecord(bed);
      const writer = bed.script(tier, 'record-peer.ts', 'write', name, 'none', 'assign');
      await writer.ready;
      const reader = bed.program('record-peer.c', 'read', name, guard, TORN_ENOUGH, 0);
      const { torn } = await reader.result();
      await writer.end();
      expect(torn, 'control did not tear').toBeGreaterThanOrEqual(TORN_ENOUGH);
      await owner.end();
    });
  });
});

describe('writers of one record', () => {
  async function addAtOnce(guard: (bed: Bed) => string): Promise<{ added: number; state: unknown }> {
    const bed = new Bed();
    const { name, owner } = await makeRecord(bed);
    const chosen = guard(bed);
    const adders = [
      bed.program('record-peer.c', 'add', name, chosen, 5 * ADDITIONS, PAUSE_NS),
      bed.script({ flags: [] }, 'record-peer.ts', 'add', name, chosen, ADDITIONS),
      bed.program('record-peer.c', 'add', name, chosen, 5 * ADDITIONS, PAUSE_NS),
    ];
    await Promise.all(adders.map((adder) => adder.ready));
    const reports = await Promise.all(adders.map((adder) => adder.end()));
    const added = reports.reduce((sum, report) => sum + (report['added'] as number), 0);
    return { added, state: await endRecord(owner) };
  }

  test.each([
    ['the mutex in the record', () => 'robust'],
    ['a named mutex', nameMutex],
  ] as const)('under %s lose nothing', async (_title, guard) => {
    const { added, state } = await addAtOnce(guard);
    expect(added).toBe(11 * ADDITIONS);
    expect(state).toMatchObject({ value: added, whole: true });
  });

  test('the control, without a guard, lose some', async () => {
    const { added, state } = await addAtOnce(() => 'none');
    expect((state as { value: number }).value, 'control lost nothing').toBeLessThan(added);
  });
});

describe.each(['sequence', 'pair'])('a native writer that dies inside a write under %s', (guard) => {
  test('leaves READ_CONTENDED for reads and writes, undefined for tryRead', async () => {
    const bed = new Bed();
    const { name, owner } = await makeRecord(bed);
    const record = bed.keep(openRecord(name, Shared, { guard: guardOf(guard), access: 'read-write' }));
    expect(valueOf(record.read())).toBe(0);
    const writer = bed.program('record-peer.c', 'begin', name, guard);
    await writer.ready;
    writer.kill('SIGKILL');
    await writer.exited;
    expect(() => record.read()).toThrow(withCode('READ_CONTENDED'));
    expect(() => record.readInto(Shared.zero())).toThrow(withCode('READ_CONTENDED'));
    expect(record.tryRead()).toBeUndefined();
    expect(() => record.assign({ tail: 1 })).toThrow(withCode('READ_CONTENDED'));
    const { value, whole } = await owner.end();
    expect({ value, whole }).toEqual({ value: 1, whole: false });
  });
});

describe.each([
  ['the mutex in the record', () => 'robust'],
  ['a named mutex', nameMutex],
] as const)('%s', (_title, guard) => {
  test('is LOCK_TIMEOUT while a living program holds it, and lets the event loop turn for a withLock that waits', async () => {
    const bed = new Bed();
    const { name, owner } = await makeRecord(bed);
    const chosen = guard(bed);
    const record = bed.keep(
      openRecord(name, Shared, { guard: guardOf(chosen, { timeoutMs: 30 }), access: 'read-write' }),
    );
    const lockable = record as unknown as {
      withLock<T>(work: () => T, options?: object): Promise<T>;
    };
    const holder = bed.program('record-peer.c', 'hold', name, chosen);
    await holder.ready;
    expect(await holder.report()).toEqual({ lock: 'taken' });
    expect(() => record.read()).toThrow(withCode('LOCK_TIMEOUT'));
    expect(() => record.assign({ tail: 1 })).toThrow(withCode('LOCK_TIMEOUT'));
    await expect(lockable.withLock(() => 1)).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    let ticks = 0;
    const stop = new AbortController();
    const reason = new Error('enough');
    // Turns of the event loop alone end the wait.
    const ticking = setInterval(() => {
      if (++ticks > 5) stop.abort(reason);
    }, 1);
    const aborted = lockable.withLock(() => 1, { timeoutMs: 60_000, signal: stop.signal });
    const waiting = lockable.withLock(() => record.closed, { timeoutMs: 60_000 });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError', cause: reason });
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(5);
    await holder.end();
    expect(await waiting).toBe(false);
    // What the holder wrote before it gave the mutex back.
    expect(valueOf(record.read())).toBe(1);
    expect(await bed.program('record-peer.c', 'try', name, chosen).result()).toEqual({ lock: 'taken' });
    await owner.end();
  });

  test('whose native owner was killed is WRITER_DIED once, or told to onAbandoned with the lock held', async () => {
    const bed = new Bed();
    const { name, owner } = await makeRecord(bed);
    const chosen = guard(bed);
    const plain = bed.keep(openRecord(name, Shared, { guard: guardOf(chosen), access: 'read-write' }));
    const die = async (): Promise<void> => {
      const holder = bed.program('record-peer.c', 'hold', name, chosen);
      await holder.ready;
      holder.kill('SIGKILL');
      await holder.exited;
    };
    await die();
    expect(() => plain.read()).toThrow(withCode('WRITER_DIED'));
    // Half of the dead one's write is there: it is the caller's to mend.
    expect(valueOf(plain.read())).toBeNaN();
    plain.assign({ first: [5, 5, 5], second: Array.from({ length: 61 }, () => 5) });
    await die();
    let told = 0;
    const onAbandoned = (): void => {
      told++;
      expect(
        execFileSync(compileNative('record-peer.c'), ['try', name, chosen], { encoding: 'utf8' }),
      ).toContain('busy');
      mending.assign({ first: [7, 7, 7], second: Array.from({ length: 61 }, () => 7) });
    };
    const mending = bed.keep(
      openRecord(name, Shared, { guard: guardOf(chosen, { onAbandoned }), access: 'read-write' }),
    );
    expect(valueOf(mending.read())).toBe(7);
    expect(told).toBe(1);
    expect(valueOf(plain.read())).toBe(7);
    expect(await bed.program('record-peer.c', 'try', name, chosen).result()).toEqual({ lock: 'taken' });
    await owner.end();
  });

  test('whose Node owner was killed inside withLock is told to the next native owner', async () => {
    const bed = new Bed();
    const { name, owner } = await makeRecord(bed);
    const chosen = guard(bed);
    const first = bed.program('record-peer.c', 'hold', name, chosen);
    await first.ready;
    await first.end();
    const holder = bed.script({ flags: [] }, 'record-peer.ts', 'hold', name, chosen);
    await holder.ready;
    expect(await bed.program('record-peer.c', 'try', name, chosen).result()).toEqual({ lock: 'busy' });
    holder.kill('SIGKILL');
    await holder.exited;
    const next = bed.program('record-peer.c', 'hold', name, chosen);
    await next.ready;
    expect(await next.report()).toEqual({ lock: 'abandoned' });
    await next.end();
    await owner.end();
  });
});
