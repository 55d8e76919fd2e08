// Records in somebody else's format: what each guard lets through, and that nothing else is written.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  array,
  be,
  bits,
  bool,
  bytes,
  char,
  createRecord,
  createSegment,
  enumOf,
  f32,
  f64,
  i32,
  joinRecord,
  namedMutex,
  openRecord,
  openSegment,
  pad,
  robustMutex,
  seqlock,
  struct,
  u16,
  u32,
  u64,
  u8,
  unguarded,
  versionPair,
  waitForRecord,
} from '../../src/index.ts';
import { isNamed, onWindows, pathOf, putForeign, wholeSize } from '../support/system.ts';
import { withCode } from '../support/with-code.ts';
import { track } from '../support/track.ts';

const Hub = struct('Hub', {
  label: char(6),
  sequence: u32,
  level: i32,
  ratio: f64,
  list: array(u16, 3),
});
const record = { label: 'one', level: -5, ratio: 0.5, list: [1, 2, 3] };
let serial = 0;
const uniqueName = (): string => `sharecord-test-record-${process.pid}-${serial++}`;

describe('openRecord', () => {
  test('reads what another program wrote and writes nothing by attaching', () => {
    const name = uniqueName();
    const image = new Uint8Array(Hub.size + 100).fill(0xee);
    Hub.encode({ ...record, sequence: 4 }, image);
    const foreign = putForeign(name, image);
    try {
      const guards = [
        seqlock({ sequence: 'sequence' }),
        namedMutex(uniqueName(), { timeoutMs: 50 }),
        unguarded(),
        unguarded({ agree: 3 }),
      ] as const;
      for (const guard of guards) {
        const reader = track(openRecord(name, Hub, { guard }));
        expect(reader.read()).toEqual({ ...record, sequence: 4 });
        expect(reader.tryRead()).toEqual({ ...record, sequence: 4 });
        expect(reader.readInto(Hub.zero())).toEqual({ ...record, sequence: 4 });
        expect(reader.created).toBe(false);
        expect('write' in reader).toBe(false);
      }
      track(openRecord(name, Hub, { guard: unguarded(), access: 'read-write' }));
      expect(new Uint8Array(foreign.content())).toEqual(image);
    } finally {
      foreign.remove();
    }
  });

  test('refuses a record that does not fit, a guard without its field, and a closed one', () => {
    const segment = track(createSegment({ size: Hub.size + 7 }));
    const guard = unguarded();
    const tooFar = wholeSize(Hub.size + 7) - Hub.size + 1;
    expect(() => openRecord(segment, Hub, { guard, offset: tooFar })).toThrow(withCode('SEGMENT_TOO_SMALL'));
    expect(() => openRecord(segment, Hub, { guard, offset: -1 })).toThrow(withCode('VALUE_RANGE'));
    expect(() => openRecord(uniqueName(), Hub, { guard })).toThrow(withCode('SEGMENT_NOT_FOUND'));
    expect(() => openRecord(segment, Hub, {} as { guard: typeof guard })).toThrow(withCode('VALUE_TYPE'));
    // @ts-expect-error the sequence word must be an integer field
    expect(() => openRecord(segment, Hub, { guard: seqlock({ sequence: 'label' }) })).toThrow(
      withCode('LAYOUT_FIELD_INVALID'),
    );
    // @ts-expect-error there is no such field
    expect(() => openRecord(segment, Hub, { guard: seqlock({ sequence: 'nope' }) })).toThrow(
      withCode('VALUE_TYPE'),
    );
    const unaligned = { guard: seqlock({ sequence: 'sequence' as const }), offset: 1 };
    expect(() => openRecord(segment, Hub, unaligned)).toThrow(withCode('LAYOUT_FIELD_INVALID'));
    expect(() => versionPair({ begin: 'sequence', end: 'sequence' })).toThrow(withCode('VALUE_RANGE'));
    const reader = openRecord(segment, Hub, { guard });
    reader.close();
    expect(() => reader.read()).toThrow(withCode('STORE_CLOSED'));
    expect(() => reader.watch()).toThrow(withCode('STORE_CLOSED'));
    expect(segment.closed).toBe(false);
    const other = openRecord(segment, Hub, { guard });
    segment.close();
    expect(() => other.read()).toThrow(withCode('STORE_CLOSED'));
  });

  test.each([
    { form: 'of 16 bits', type: u16 },
    { form: 'of 64 bits', type: u64 },
    { form: 'of the other byte order', type: be(u32) },
    { form: 'a float', type: f32 },
    { form: 'bytes', type: bytes(4) },
  ])('refuses a sequence that is $form', ({ type }) => {
    const S = struct('S', { sequence: type, level: u32 });
    const segment = track(createSegment({ size: 64 }));
    const guard = seqlock({ sequence: 'sequence' as never });
    expect(() => openRecord(segment, S, { guard })).toThrow(withCode('LAYOUT_FIELD_INVALID'));
  });

  test('refuses a guard whose words are not aligned in memory, whatever the window says', () => {
    const S = struct('S', { sequence: u32, level: u32 });
    const guard = seqlock({ sequence: 'sequence' as const });
    const owner = track(createSegment({ size: 256 }));
    const windowAt = (offset: number) =>
      track(openSegment(owner.handle, { access: 'read-write', offset, length: 128 }));
    const refused = [
      [2, 0, /at byte 2 of the segment/],
      [1, 4, /at byte 5 of the segment/],
      [2, 2, /window begins at byte 2 of the segment/],
    ] as const;
    for (const [start, offset, words] of refused) {
      const open = () => openRecord(windowAt(start), S, { guard, offset, access: 'read-write' });
      expect(open).toThrow(withCode('LAYOUT_FIELD_INVALID'));
      expect(open).toThrow(words);
    }
    const pair = versionPair({ begin: 'sequence' as const, end: 'level' as const });
    expect(() => openRecord(windowAt(2), S, { guard: pair })).toThrow(withCode('LAYOUT_FIELD_INVALID'));
    createRecord(windowAt(12), S, { guard, offset: 4 }).write({ level: 7 });
    expect(openRecord(owner, S, { guard, offset: 16 }).read()).toEqual({ sequence: 2, level: 7 });
    expect(openRecord(windowAt(2), S, { guard: unguarded(), offset: 14 }).read().level).toBe(7);
  });

  test('copy-on-write keeps its changes to itself', () => {
    const name = uniqueName();
    const owner = track(createRecord(name, Hub, { guard: unguarded() }));
    owner.write({ ...record, sequence: 0 });
    const copy = track(openRecord(name, Hub, { guard: unguarded(), access: 'copy-on-write' }));
    copy.assign({ level: 9 });
    expect(copy.read().level).toBe(9);
    expect(owner.read().level).toBe(-5);
    const guard = seqlock({ sequence: 'sequence' as const });
    expect(() => openRecord(name, Hub, { guard, access: 'copy-on-write' })).toThrow(withCode('VALUE_RANGE'));
  });
});

const Pair = struct('Pair', {
  begin: u32,
  label: char(6),
  level: i32,
  ratio: f64,
  list: array(u16, 3),
  end: u32,
});

describe.each([
  ['seqlock', Hub, seqlock({ sequence: 'sequence' }), { sequence: 2 }],
  ['versionPair', Pair, versionPair({ begin: 'begin', end: 'end' }), { begin: 1, end: 1 }],
] as const)('a record guarded by %s', (_kind, layout, guard, after) => {
  // One signature for both layouts: what they have in common.
  const make = () =>
    track(
      createRecord(uniqueName(), layout as typeof Hub, {
        guard: guard as ReturnType<typeof seqlock<'sequence'>>,
      }),
    );

  test('is written whole, in parts, and by a callback, and the guard keeps its own fields', () => {
    const writer = make();
    writer.write(record);
    expect(writer.read()).toEqual({ ...record, ...after });
    writer.assign({ level: 7 });
    writer.update((draft) => {
      draft.list[1] = 20;
    });
    expect(writer.read()).toMatchObject({ ...record, level: 7, list: [1, 20, 3] });
    // What a read gives can be written back; the guard's fields in it are ignored.
    writer.write(writer.read());
    expect(writer.read()).toMatchObject({ ...record, level: 7, list: [1, 20, 3] });
    expect(() => writer.write({ ...record, level: 2 ** 31 })).toThrow(withCode('VALUE_RANGE'));
    expect(() => writer.write({ label: 'x' } as typeof record)).toThrow(withCode('VALUE_TYPE'));
    expect(() => writer.assign({ typo: 1 } as object)).toThrow(withCode('VALUE_TYPE'));
    const mine = new Error('mine');
    const failing = (): void =>
      writer.update(() => {
        throw mine;
      });
    expect(failing).toThrow(mine);
    expect(writer.read()).toMatchObject({ ...record, level: 7, list: [1, 20, 3] });
  });

  test('leaves every other byte as it is', () => {
    const writer = make();
    const { offset, size } = { offset: 0, size: layout.size };
    const memory = new Uint8Array(writer.segment.buffer, offset, size);
    writer.write(record);
    const padding = layout.offsets.label + 6;
    memory[padding] = 0xaa;
    const before = memory.slice();
    writer.update((draft) => {
      draft.level = 12;
    });
    const changed = [...memory.keys()].filter((i) => memory[i] !== before[i]);
    const own = new Set([
      layout.offsets.level,
      ...('sequence' in layout.offsets
        ? [layout.offsets.sequence]
        : [0, (layout as typeof Pair).offsets.end]),
    ]);
    expect(changed.every((i) => [...own].some((start) => i >= start && i < start + 4))).toBe(true);
    expect(memory[padding]).toBe(0xaa);
    writer.update(() => {});
    expect(memory[padding]).toBe(0xaa);
  });

  test('is READ_CONTENDED while a writer is inside, and LOCK_TIMEOUT for others', () => {
    const writer = make();
    writer.write(record);
    const words = new Int32Array(writer.segment.buffer, 0, layout.size / 4);
    words['sequence' in layout.offsets ? layout.offsets.sequence / 4 : 0]! += 1;
    expect(() => writer.read()).toThrow(withCode('READ_CONTENDED'));
    expect(writer.tryRead()).toBeUndefined();
    expect(() => writer.assign({ level: 1 })).toThrow(/READ_CONTENDED|cannot read|cannot write/);
  });

  test('update runs again after a conflict', () => {
    const writer = make();
    writer.write(record);
    let runs = 0;
    writer.update((draft) => {
      if (runs++ === 0) writer.assign({ ratio: 8 });
      draft.level += 1;
    });
    expect(runs).toBe(2);
    expect(writer.read()).toMatchObject({ level: -4, ratio: 8 });
  });
});

describe('a watch', () => {
  const V = struct('V', { begin: u32, end: u32, a: u32, b: u32 });
  const S = struct('S', { sequence: u32, gap: u32, a: u32, b: u32 });
  const words = [
    ['seqlock', S, seqlock({ sequence: 'sequence' }), 0],
    ['versionPair', V, versionPair({ begin: 'begin', end: 'end' }), 1],
  ] as const;

  test.each(words)('under %s never yields half of a write, at whatever step it begins', async (...row) => {
    const [, layout, guard, last] = row;
    for (let step = 1; step <= 6; step++) {
      const segment = track(createSegment({ size: layout.size }));
      const memory = new Int32Array(segment.buffer);
      const writer = createRecord(segment, layout as typeof V, { guard: guard as (typeof words)[1][2] });
      const watch = writer.watch({ intervalMs: 1 });
      expect((await watch.next()).value?.record).toMatchObject({ a: 0, b: 0 });
      writer.assign({ a: 1, b: 1 });
      const { load } = Atomics;
      let loads = 0;
      const spy = vi.spyOn(Atomics, 'load').mockImplementation(((array: Int32Array, at: number) => {
        const value = load(array, at);
        if (array.buffer === segment.buffer && ++loads === step) {
          memory[0]! += 1;
          memory[2] = 99;
        }
        return value;
      }) as typeof load);
      const seen: unknown[] = [];
      const take = async (): Promise<void> => {
        const { value } = await watch.next();
        seen.push([value?.record.a, value?.record.b]);
        if (value?.record.b !== 99) await take();
      };
      const taking = take();
      await vi.waitUntil(() => loads > 20, { timeout: 30_000 });
      spy.mockRestore();
      memory[3] = 99;
      memory[last]! += 1;
      await taking;
      expect(seen.map(String).filter((pair) => pair !== '1,1')).toEqual(['99,99']);
      await watch.return?.();
    }
  });
});

const Nested = struct('Nested', {
  sequence: u32,
  at: struct('At', { x: f64, y: f64, tag: char(4) }),
  last: u32,
});

describe('joinRecord', () => {
  test('keeps the name and bytes of what another program made, after its close and after a join that fails', () => {
    const name = uniqueName();
    const Row = struct('Row', { sequence: u32, value: u32 });
    const content = Uint8Array.from([2, 0, 0, 0, 7, 0, 0, 0]);
    const foreign = putForeign(name, content);
    try {
      expect(() => joinRecord(name, Row, { guard: seqlock({ sequence: 'zz' as 'sequence' }) })).toThrow(
        withCode('VALUE_TYPE'),
      );
      expect(isNamed(name)).toBe(true);
      const record = joinRecord(name, Row, { guard: seqlock({ sequence: 'sequence' }) });
      expect(record.read()).toEqual({ sequence: 2, value: 7 });
      record.close();
      expect(isNamed(name)).toBe(true);
      expect(foreign.content().subarray(0, content.length)).toEqual(Buffer.from(content));
    } finally {
      if (isNamed(name)) foreign.remove();
    }
  });

  test('refuses a guard before it makes a segment', () => {
    const name = uniqueName();
    const Row = struct('Row', { sequence: u32, value: u32 });
    const guard = seqlock({ sequence: 'zz' as 'sequence' });
    // A name that cannot be is found out when the segment is made: later.
    for (const where of [name, 'a\\b'])
      expect(() => joinRecord(where, Row, { guard })).toThrow(withCode('VALUE_TYPE'));
    expect(isNamed(name)).toBe(false);
  });
});

describe('a write', () => {
  test('inside an array of structs leaves padding and bytes of values that did not change', () => {
    const Entry = struct('Entry', {
      level: i32,
      gap: pad(3),
      on: bool,
      ratio: f64,
      name: char(4),
      flags: bits(u16, { low: 4 }),
    });
    const List = struct('List', { entries: array(Entry, 2), counts: array(u16, 2) });
    const segment = track(createSegment({ size: List.size }));
    const memory = new Uint8Array(segment.buffer).fill(0x99);
    const live = new DataView(segment.buffer);
    // A true that is not 1, a NaN with a payload, old text behind the terminator: the same values, spelt in other bytes.
    for (const at of [0, Entry.size]) {
      live.setBigUint64(at + Entry.offsets.ratio, 0x7ff8_0000_dead_beefn, true);
      memory.set([0x61, 0, 0x62, 0x63], at + Entry.offsets.name);
    }
    const before = memory.slice();
    const differing = () => [...before.keys()].filter((at) => memory[at] !== before[at]);
    const record = track(openRecord(segment, List, { guard: unguarded(), access: 'read-write' }));

    record.update((draft) => void (draft.entries[1]!.level = 5));
    expect(differing()).toEqual([0, 1, 2, 3].map((i) => Entry.size + i));
    record.assign({ entries: record.read().entries, counts: record.read().counts });
    expect(differing()).toHaveLength(4);
    record.write({
      entries: [0, 1].map(() => ({ level: 1, on: false, ratio: 2, name: 'x', flags: { low: 0 } })),
      counts: [1, 2],
    });
    for (const at of [0, Entry.size]) {
      expect([...memory.subarray(at + 4, at + 7)]).toEqual([0x99, 0x99, 0x99]);
      expect(live.getUint16(at + Entry.offsets.flags, true)).toBe(0x9990);
    }
    expect(record.read().entries[1]).toEqual({ level: 1, on: false, ratio: 2, name: 'x', flags: { low: 0 } });
  });

  const guards = [seqlock({ sequence: 'sequence' }), unguarded()] as const;

  test.each(guards)('under $kind runs no code of the caller while it stores', (guard) => {
    const segment = track(createSegment({ size: Nested.size }));
    const writer = createRecord(segment, Nested, { guard: guard as ReturnType<typeof unguarded> });
    const memory = new Uint8Array(segment.buffer);
    writer.write({ sequence: 0, at: { x: 1, y: 1, tag: 'a' }, last: 1 });
    let [calls, before] = [0, memory.slice()];
    const tricky = (y: number) => ({
      x: y - 1,
      get y(): number {
        calls++;
        expect(memory).toEqual(before);
        if (y === 0) throw new RangeError('mine');
        return y;
      },
      tag: 'b',
    });
    const writes: (() => void)[] = [
      () => writer.assign({ at: tricky(6), last: 2 }),
      () => writer.write({ sequence: 0, at: tricky(7), last: 3 }),
      () => writer.update((draft) => void Object.assign(draft, { at: tricky(8), last: 4 })),
    ];
    for (const [i, write] of writes.entries()) {
      before = memory.slice();
      expect(() => writer.assign({ at: tricky(0), last: 9 })).toThrow('mine');
      expect(memory).toEqual(before);
      calls = 0;
      write();
      expect(calls).toBeGreaterThan(0);
      expect(writer.read()).toMatchObject({ at: { x: 5 + i, y: 6 + i, tag: 'b' }, last: 2 + i });
    }
  });

  test('mends bytes that do not decode, and leaves the others that do not', () => {
    const Odd = struct('Odd', {
      kind: enumOf(u8, { One: 1, Two: 2 }),
      other: enumOf(u8, { Six: 6 }),
      n: u32,
    });
    const segment = track(createSegment({ size: Odd.size }));
    const writer = createRecord(segment, Odd, { guard: unguarded() });
    expect(() => writer.read()).toThrow(withCode('VALUE_RANGE'));
    writer.assign({ n: 0, kind: 'One' });
    expect([...new Uint8Array(segment.buffer, 0, 8)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    writer.write({ kind: 'Two', other: 'Six', n: 3 });
    expect(writer.read()).toEqual({ kind: 'Two', other: 'Six', n: 3 });
  });
});

const Shared = struct('Shared', { lock: bytes(40), level: i32, label: char(8) });

const mutexes: [string, () => unknown][] = [
  ['namedMutex', () => namedMutex(uniqueName(), { timeoutMs: 50 })],
];
// Windows has no mutex in memory.
if (!onWindows) mutexes.push(['robustMutex', () => robustMutex({ at: 'lock', timeoutMs: 50 })]);

describe.each(mutexes)('a record guarded by %s', (_kind, makeGuard) => {
  const make = () => {
    const guard = makeGuard() as ReturnType<typeof robustMutex<'lock'>>;
    const name = uniqueName();
    const layout =
      guard.kind === 'robustMutex'
        ? Shared
        : (struct('Plain', { level: i32, label: char(8) }) as unknown as typeof Shared);
    const writer = track(createRecord(name, layout, { guard }));
    const other = track(joinRecord(name, layout, { guard }));
    return { writer, other, name, layout, guard };
  };

  test('is written with the mutex held, and the callback of update runs once', () => {
    const { writer, other } = make();
    writer.write({ level: 1, label: 'a' });
    let runs = 0;
    other.update((draft) => {
      runs++;
      expect(() => writer.read()).toThrow(withCode('LOCK_TIMEOUT'));
      draft.level += 1;
    });
    expect(runs).toBe(1);
    expect(writer.read()).toMatchObject({ level: 2, label: 'a' });
  });

  test('withLock holds across waits; sync calls time out at once and other withLocks queue', async () => {
    const { writer, other } = make();
    writer.write({ level: 0, label: '' });
    const order: string[] = [];
    const first = writer.withLock(async (locked) => {
      order.push('first in');
      locked.assign({ level: 5 });
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(() => writer.read()).toThrow(withCode('LOCK_TIMEOUT'));
      expect(() => other.assign({ level: 9 })).toThrow(withCode('LOCK_TIMEOUT'));
      locked.update((draft) => {
        draft.level += 1;
      });
      order.push('first out');
      return locked.read().level;
    });
    const second = other.withLock(
      (locked) => {
        order.push('second in');
        return locked.read().level;
      },
      { timeoutMs: 5000 },
    );
    expect(await Promise.all([first, second])).toEqual([6, 6]);
    expect(order).toEqual(['first in', 'first out', 'second in']);
    expect(other.read().level).toBe(6);
    await expect(
      writer.withLock(() => {
        throw new Error('mine');
      }),
    ).rejects.toThrow('mine');
    expect(writer.read().level).toBe(6);
  });

  test('an owner killed while it held the mutex is told, once, or handed to onAbandoned with the mutex held', async () => {
    const { name, layout, guard, writer } = make();
    writer.write({ level: 1, label: 'kept' });
    const dieInside = async (): Promise<void> => {
      const child = fork(
        new URL('./record-child.ts', import.meta.url),
        [name, guard.kind, 'name' in guard ? String(guard.name) : ''],
        {
          execArgv: ['--conditions=@sharecord/source'],
        },
      );
      await once(child, 'exit');
      // A killed process of Windows has an exit code; that it died inside is told by the mutex below.
      expect(child.signalCode ?? child.exitCode).toBe(onWindows ? 1 : 'SIGKILL');
    };
    await dieInside();
    expect(() => writer.read()).toThrow(withCode('WRITER_DIED'));
    expect(writer.read()).toMatchObject({ label: 'kept' });
    await dieInside();
    let abandoned = 0;
    const onAbandoned = (): void => {
      abandoned++;
      repairing.assign({ level: 100 });
    };
    const repairing = track(joinRecord(name, layout, { guard: { ...guard, onAbandoned } }));
    repairing.update((draft) => {
      draft.level += 1;
    });
    expect(abandoned).toBe(1);
    expect(writer.read()).toMatchObject({ level: 101, label: 'kept' });
  });

  test('another record of the mutex is LOCK_TIMEOUT at once inside update, however long it would wait', async () => {
    const { name, layout, guard, writer } = make();
    writer.write({ level: 1, label: 'a' });
    const patient = track(
      joinRecord(name, layout, { guard: { ...guard, timeoutMs: Number.POSITIVE_INFINITY } }),
    );
    let inside = 0;
    writer.update((draft) => {
      for (const call of [() => patient.read(), () => patient.assign({ level: 9 })]) {
        expect(call).toThrow(/this thread holds the mutex already/);
        expect(call).toThrow(withCode('LOCK_TIMEOUT'));
        inside++;
      }
      draft.level++;
    });
    expect([inside, patient.read().level]).toEqual([2, 2]);
    await patient.withLock(async () => {
      const given = writer.withLock(() => 1, { timeoutMs: 1 });
      await expect(given).rejects.toThrow(/a withLock of this thread has held/);
    });
  });

  test('onAbandoned mends every record of the mutex', async () => {
    const { name, layout, guard, writer } = make();
    writer.write({ level: 1, label: 'a' });
    const second = track(
      guard.kind === 'robustMutex'
        ? joinRecord(name, layout, { guard })
        : createRecord(uniqueName(), layout, { guard }),
    );
    const onAbandoned = (): void => {
      second.update((draft) => void (draft.label = 'mended'));
      expect(second.read().label).toBe('mended');
    };
    const args = [name, guard.kind, 'name' in guard ? String(guard.name) : ''];
    const child = fork(new URL('./record-child.ts', import.meta.url), args, {
      execArgv: ['--conditions=@sharecord/source'],
    });
    await once(child, 'exit');
    const first = track(joinRecord(name, layout, { guard: { ...guard, onAbandoned } }));
    expect(first.read().level).toBe(1);
    expect(second.read().label).toBe('mended');
  });

  test('after a repair another process that holds the mutex keeps this thread out again', async () => {
    const { name, layout, guard } = make();
    const onAbandoned = vi.fn<() => void>();
    const mended = track(joinRecord(name, layout, { guard: { ...guard, onAbandoned } }));
    const args = [name, guard.kind, 'name' in guard ? String(guard.name) : ''];
    const execArgv = ['--conditions=@sharecord/source'];
    await once(fork(new URL('./record-child.ts', import.meta.url), args, { execArgv }), 'exit');
    mended.write({ level: 1, label: 'mended' });
    expect(onAbandoned).toHaveBeenCalledTimes(1);
    const holder = fork(new URL('./record-child.ts', import.meta.url), [...args, 'stay'], { execArgv });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder, 'message');
    expect(() => mended.update((draft) => void (draft.level = 2))).toThrow(withCode('LOCK_TIMEOUT'));
    expect(() => mended.read()).toThrow(withCode('LOCK_TIMEOUT'));
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(mended.read()).toMatchObject({ level: 1, label: 'mended' });
    expect(onAbandoned).toHaveBeenCalledTimes(2);
  });

  test("a watch never waits for the mutex, tells of its owner's death once, and is over then", async () => {
    const { name, layout, guard, writer } = make();
    writer.write({ level: 1, label: 'a' });
    // Who waited for the mutex for so long could not end the process that holds it.
    const patient = track(
      openRecord(name, layout, { guard: { ...guard, timeoutMs: 2 ** 31 }, access: 'read-write' }),
    );
    const watch = patient.watch({ intervalMs: 1 });
    expect((await watch.next()).value?.record.level).toBe(1);
    const args = [name, guard.kind, 'name' in guard ? String(guard.name) : '', 'stay'];
    const child = fork(new URL('./record-child.ts', import.meta.url), args, {
      execArgv: ['--conditions=@sharecord/source'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'message');
    const next = watch.next();
    const told = expect(next).rejects.toMatchObject({ code: 'WRITER_DIED' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await told;
    // Its files are closed a moment later than its mutexes are given up; until then it counts as a user of the names.
    await gone;
    expect(await watch.next()).toEqual({ done: true, value: undefined });
    expect(patient.read().level).toBe(1);
    expect(writer.read().level).toBe(1);
  });

  test("a watch leaves a dead owner's record to onAbandoned and goes on", async () => {
    const { name, layout, guard, writer } = make();
    writer.write({ level: 1, label: 'a' });
    const onAbandoned = vi.fn<() => void>(() => repairing.assign({ level: 50 }));
    const repairing = track(joinRecord(name, layout, { guard: { ...guard, onAbandoned } }));
    const watch = repairing.watch({ intervalMs: 1 });
    expect((await watch.next()).value?.record.level).toBe(1);
    const args = [name, guard.kind, 'name' in guard ? String(guard.name) : ''];
    const child = fork(new URL('./record-child.ts', import.meta.url), args, {
      execArgv: ['--conditions=@sharecord/source'],
    });
    await once(child, 'exit');
    expect((await watch.next()).value?.record.level).toBe(50);
    expect(onAbandoned).toHaveBeenCalledTimes(1);
  });

  test('withLock lets the event loop turn while another holds the mutex, and passes it on in the order of the calls', async () => {
    const { writer, other } = make();
    const order: number[] = [];
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 1);
    try {
      const held = writer.withLock(async () => {
        await vi.waitUntil(() => ticks >= 5, { timeout: 30_000 });
        order.push(0);
      });
      const waiting = [1, 2, 3, 4, 5].map((n) =>
        (n % 2 === 0 ? writer : other).withLock(() => void order.push(n), { timeoutMs: 60_000 }),
      );
      await Promise.all([held, ...waiting]);
    } finally {
      clearInterval(ticking);
    }
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('a close inside update or withLock gives the mutex back, and ends what was locked', async () => {
    const { writer, other, name, layout, guard } = make();
    writer.write({ level: 1, label: 'a' });
    const first = joinRecord(name, layout, { guard });
    expect(() =>
      first.update((draft) => {
        draft.level = 9;
        first.close();
      }),
    ).toThrow(withCode('STORE_CLOSED'));
    expect(writer.read().level).toBe(1);
    const second = joinRecord(name, layout, { guard });
    const closing = second.withLock(async (locked) => {
      await Promise.resolve();
      second.segment.close();
      second.close();
      locked.read();
    });
    await expect(closing).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    other.assign({ level: 2 });
    expect(writer.read().level).toBe(2);
    const third = joinRecord(name, layout, { guard });
    const pending = writer.withLock(() => new Promise((resolve) => setTimeout(resolve, 20)));
    const late = third.withLock(() => 1);
    third.close();
    await expect(late).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await pending;
    await expect(third.withLock(() => 1)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    expect(writer.read().level).toBe(2);
  });

  test('what withLock gave is of no use after it, and bad arguments reject its promise', async () => {
    const { writer } = make();
    let kept: { read(): unknown; assign(patch: object): void } | undefined;
    await writer.withLock((locked) => void (kept = locked));
    expect(() => kept?.read()).toThrow(withCode('STORE_CLOSED'));
    expect(() => kept?.assign({ level: 1 })).toThrow(withCode('STORE_CLOSED'));
    const bad: [unknown, unknown, string][] = [
      [5, {}, 'VALUE_TYPE'],
      [() => 1, null, 'VALUE_TYPE'],
      [() => 1, { timeoutMs: -1 }, 'VALUE_RANGE'],
      [() => 1, { signal: {} }, 'VALUE_TYPE'],
    ];
    for (const [work, options, expected] of bad) {
      const given = writer.withLock(work as () => void, options as object);
      await expect(given).rejects.toMatchObject({ code: expected });
    }
    writer.assign({ level: 5 });
  });

  // Windows: what a terminated thread had open keeps its names, so that the last test here would find them; mutex.test.ts.
  test.skipIf(onWindows)('a thread that ends inside withLock counts as dead', async () => {
    const { name, guard, writer } = make();
    writer.write({ level: 1, label: 'x' });
    const mutex = 'name' in guard ? String(guard.name) : '';
    const worker = new Worker(new URL('./record-child.ts', import.meta.url), {
      argv: [name, guard.kind, mutex, 'stay'],
      execArgv: ['--conditions=@sharecord/source'],
    });
    onTestFinished(() => worker.terminate().then(() => undefined));
    await once(worker, 'message');
    expect(() => writer.read()).toThrow(withCode('LOCK_TIMEOUT'));
    await worker.terminate();
    expect(() => writer.read()).toThrow(withCode('WRITER_DIED'));
    expect(writer.read()).toMatchObject({ level: 1, label: 'x' });
  });

  test('a process that exits inside withLock counts as dead', async () => {
    const { name, guard, writer } = make();
    writer.write({ level: 1, label: 'x' });
    const mutex = 'name' in guard ? String(guard.name) : '';
    const child = fork(new URL('./record-child.ts', import.meta.url), [name, guard.kind, mutex, 'exit'], {
      execArgv: ['--conditions=@sharecord/source'],
    });
    await once(child, 'exit');
    expect(child.exitCode).toBe(7);
    expect(() => writer.read()).toThrow(withCode('WRITER_DIED'));
    expect(writer.read()).toMatchObject({ level: 1, label: 'x' });
  });

  test('withLock gives up after its time, or on an abort, and lets others pass', async () => {
    const { writer, other } = make();
    let release!: () => void;
    const held = writer.withLock(() => new Promise<void>((resolve) => (release = resolve)));
    await expect(other.withLock(() => 1, { timeoutMs: 5 })).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    const stop = new AbortController();
    const waiting = other.withLock(() => 2, { timeoutMs: 60_000, signal: stop.signal });
    const behind = writer.withLock(() => 3, { timeoutMs: 60_000 });
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    release();
    await held;
    expect(await behind).toBe(3);
  });
});

describe.skipIf(onWindows)('a mutex in a record (Windows has none)', () => {
  const guard = robustMutex({ at: 'lock', timeoutMs: 50 });

  test('is made in the memory of a new segment, and refused where none was made', () => {
    const segment = track(createSegment({ size: Shared.size }));
    expect(() => openRecord(segment, Shared, { guard, access: 'read-write' })).toThrow(
      withCode('SEGMENT_NOT_READY'),
    );
    expect(new Uint8Array(segment.buffer).every((byte) => byte === 0)).toBe(true);
    const writer = createRecord(segment, Shared, { guard });
    writer.write({ level: 4, label: 'made' });
    const name = uniqueName();
    const foreign = putForeign(name, new Uint8Array(Shared.size).fill(0x40));
    try {
      expect(() => openRecord(name, Shared, { guard, access: 'read-write' })).toThrow(
        withCode('SEGMENT_FORMAT'),
      );
      expect(new Uint8Array(foreign.content())).toEqual(new Uint8Array(Shared.size).fill(0x40));
    } finally {
      foreign.remove();
    }
    const again = openRecord(segment, Shared, { guard, access: 'read-write' });
    expect(again.read()).toMatchObject({ level: 4, label: 'made' });
  });

  test('is aligned in memory, whatever the window says', () => {
    const owner = track(createSegment({ size: 4096 }));
    const windowAt = (offset: number) =>
      track(openSegment(owner.handle, { access: 'read-write', offset, length: 256 }));
    for (const [start, offset] of [
      [2, 0],
      [4, 0],
      [4, 8],
      [8, 4],
    ] as const) {
      expect(() => createRecord(windowAt(start), Shared, { guard, offset }), `${start}+${offset}`).toThrow(
        withCode('LAYOUT_FIELD_INVALID'),
      );
    }
    expect(new Uint8Array(owner.buffer).every((byte) => byte === 0)).toBe(true);
    const writer = createRecord(windowAt(4), Shared, { guard, offset: 4 });
    writer.write({ level: 3, label: 'x' });
    expect(openRecord(owner, Shared, { guard, offset: 8, access: 'read-write' }).read().level).toBe(3);
  });

  test('is the same through every window of its segment, and another one elsewhere', async () => {
    const patient = robustMutex({ at: 'lock' as const, timeoutMs: Number.POSITIVE_INFINITY });
    const owner = track(createSegment({ size: 3 * 4096 }));
    const windowAt = (offset: number) =>
      track(openSegment(owner.handle, { access: 'read-write', offset, length: 256 }));
    const first = createRecord(owner, Shared, { guard: patient, offset: 64 });
    const same = openRecord(windowAt(64), Shared, { guard: patient, access: 'read-write' });
    const other = createRecord(windowAt(4096), Shared, { guard: patient, offset: 64 });
    const [one, two] = [1, 2].map(() => {
      const segment = track(createSegment({ backing: 'process', size: Shared.size }));
      return [
        createRecord(segment, Shared, { guard: patient }),
        openRecord(openSegment(segment.handle, { access: 'read-write' }), Shared, {
          guard: patient,
          access: 'read-write',
        }),
      ] as const;
    }) as [readonly [typeof first, typeof first], readonly [typeof first, typeof first]];
    await first.withLock(() => {
      expect(() => same.read()).toThrow(withCode('LOCK_TIMEOUT'));
      expect(other.read().level).toBe(0);
    });
    await one[0].withLock(() => {
      expect(() => one[1].read()).toThrow(withCode('LOCK_TIMEOUT'));
      expect(two[0].read().level).toBe(0);
    });
  });

  test('is never written outside its segment', () => {
    const name = uniqueName();
    expect(() => createRecord(name, Shared, { guard, size: 20 })).toThrow(withCode('SEGMENT_TOO_SMALL'));
    expect(() => createRecord(name, Shared, { guard, offset: 8, size: Shared.size })).toThrow(
      withCode('SEGMENT_TOO_SMALL'),
    );
    expect(isNamed(name)).toBe(false);
    const owner = track(createSegment({ size: Shared.size }));
    const readOnly = track(openSegment(owner.handle));
    expect(() => createRecord(readOnly, Shared, { guard })).toThrow(withCode('VALUE_RANGE'));
    expect(() => createRecord(readOnly, Shared, { guard: unguarded() })).toThrow(withCode('VALUE_RANGE'));
  });
});

test.skipIf(onWindows)(
  'a named mutex that another program made is left to it, one of ours is removed',
  () => {
    const [ours, theirs] = [uniqueName(), uniqueName()];
    const Plain = struct('Plain', { level: i32 });
    const make = (mutex: string) =>
      createRecord(createSegment({ size: 8 }), Plain, { guard: namedMutex(mutex, { timeoutMs: 50 }) });
    const first = make(ours);
    // What a native program has there: the mutex alone.
    const left = readFileSync(pathOf(ours));
    const foreign = putForeign(theirs, left.subarray(0, 40));
    try {
      const second = make(theirs);
      second.write({ level: 1 });
      second.close();
      second.segment.close();
      expect(isNamed(theirs)).toBe(true);
    } finally {
      foreign.remove();
    }
    first.close();
    first.segment.close();
    expect(isNamed(ours)).toBe(false);
    // Left by a crash: nobody has it open, but its bytes say whose it was.
    putForeign(ours, left);
    const third = make(ours);
    third.segment.close();
    third.close();
    expect(isNamed(ours)).toBe(false);
    const short = putForeign(theirs, new Uint8Array(20));
    expect(() => make(theirs)).toThrow(withCode('SEGMENT_TOO_SMALL'));
    short.remove();
    const blank = putForeign(theirs, new Uint8Array(40));
    expect(() => make(theirs)).toThrow(withCode('SEGMENT_NOT_READY'));
    blank.remove();
  },
);

test('a guard without its options is refused with a code', () => {
  const calls = [
    () => namedMutex('x', undefined as never),
    () => robustMutex(undefined as never),
    () => robustMutex({ at: 'lock' } as never),
    () => seqlock(undefined as never),
    () => versionPair(null as never),
    () => unguarded(null as never),
  ];
  for (const call of calls) expect(call, String(call)).toThrow(withCode('VALUE_TYPE'));
  const segment = track(createSegment({ size: Hub.size }));
  const made: [unknown, string][] = [
    ['seqlock', 'VALUE_TYPE'],
    [{ kind: 'latch' }, 'VALUE_RANGE'],
    [{ kind: 'constructor' }, 'VALUE_RANGE'],
    [{ kind: 'seqlock' }, 'VALUE_TYPE'],
    [{ kind: 'namedMutex', name: 'x' }, 'VALUE_TYPE'],
    [{ kind: 'unguarded', agree: 0 }, 'VALUE_RANGE'],
  ];
  for (const [guard, expected] of made)
    expect(() => openRecord(segment, Hub, { guard: guard as ReturnType<typeof unguarded> })).toThrow(
      withCode(expected),
    );
});

test('waitForRecord resolves once the segment exists; watch follows by looking', async () => {
  const name = uniqueName();
  const guard = seqlock({ sequence: 'sequence' as const });
  setTimeout(() => track(createRecord(name, Hub, { guard })).write(record), 10);
  const reader = track(await waitForRecord(name, Hub, { guard, timeoutMs: 20_000 }));
  const watch = reader.watch({ intervalMs: 1 });
  const first = await watch.next();
  expect(first.value?.record).toHaveProperty('level');
  const writer = track(openRecord(name, Hub, { guard, access: 'read-write' }));
  writer.assign({ level: 77 });
  let level: number | undefined;
  while (level !== 77) level = (await watch.next()).value?.record.level;
  reader.close();
  expect((await watch.next()).done).toBe(true);
});

test('nothing of these tests is left in shared memory', () => {
  for (let i = 0; i < serial; i++) expect(isNamed(`sharecord-test-record-${process.pid}-${i}`)).toBe(false);
});
