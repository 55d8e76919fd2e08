// How records get in and out of one open store: the latch as generated code where the record and the engine allow it, else
// a guard that copies words and a codec on the copy. Both give the same results; a test holds them against each other.
import { GuardError, StoreClosedError, ValueError } from '../errors.ts';
import { codecOf, zeroDecodes } from '../layout/codec.ts';
import { emitRecord } from '../layout/compile.ts';
import { evaluate } from '../layout/evaluate.ts';
import type { FieldAccess } from '../layout/field-access.ts';
import { show } from '../layout/fault.ts';
import type { AnyLayout } from '../layout/types.ts';
import type { BackOff } from '../sync/back-off.ts';
import { type CellGuard, type CellMemory, contend } from '../sync/cells.ts';
import { Latch } from '../sync/latch.ts';
import { LOCK_BOUND_MS } from '../sync/lock-word.ts';
import { type GuardedAccess, type LatchBindings, latchSource } from '../sync/latch-source.ts';
import { MutexLatch } from '../sync/mutex-latch.ts';

const WORD = 4;

/** Everything a store does with its records. Indexes are checked by each function that takes one. */
export interface RecordAccess {
  read(index: number): object;
  readInto(index: number, target: object): object;
  write(index: number, record: object): void;
  /** The record and the sequence it was read at. */
  snapshot(index: number): { sequence: number; record: object };
  /** Runs `change` on a copy of the record's bytes, from byte 0, until no other writer came between; `change` may throw. */
  revise(index: number, change: (view: DataView, at: number) => void): void;
  /** Reads one field of every record into `target`, each as one whole. HOT: bench/run.ts, row "changes". */
  readColumn(field: FieldAccess, target: unknown[]): void;
  generation(index: number): number;
  sequence(index: number): number;
  /** Throws for an index that is not there. */
  check(index: unknown): void;
  close(): void;
}

// A callback that writes its own record would run again for ever.
const FEWEST_RUNS = 100;

/**
 * Bounds the runs of an update that other writes overtake, counted from 0; gives the deadline for the next run.
 * @throws {GuardError} LOCK_TIMEOUT
 */
export function boundRuns(runs: number, deadline: number, what: () => string): number {
  // The clock costs as much as the rest: it is asked when another writer came between.
  if (runs === 0) return Infinity;
  if (runs === 1) return performance.now() + LOCK_BOUND_MS;
  if (runs < FEWEST_RUNS || performance.now() <= deadline) return deadline;
  throw new GuardError(
    'LOCK_TIMEOUT',
    `cannot update ${what()}: it was written again during each of many runs of the callback in ${LOCK_BOUND_MS} ms`,
  );
}

/** Private bytes of one cell. */
export interface Copy {
  readonly view: DataView;
  readonly words: Int32Array;
}

export function makeCopy(words: number): Copy {
  const buffer = new ArrayBuffer(words * WORD);
  return { view: new DataView(buffer), words: new Int32Array(buffer) };
}

/** Makes the access to the records in `memory`. */
export function accessRecords(
  layout: AnyLayout,
  capacity: number,
  memory: CellMemory,
  guard: CellGuard = new Latch(memory),
): RecordAccess {
  const codec = codecOf(layout);
  const { view: scratch, words: scratchWords } = makeCopy(memory.cellWords);
  // Getters and callbacks of the caller may use this store while a copy is in use: each call has its own.
  const copies: Copy[] = [];
  let closed = false;

  const refuse = (index: unknown): never => {
    if (closed) throw new StoreClosedError(`cannot use store ${memory.name}: it is closed`);
    throw new ValueError(
      'INDEX_RANGE',
      `cannot use ${memory.name}[${show(index)}]: expected an integer from 0 to ${capacity - 1}`,
    );
  };
  const check = (index: unknown): void => {
    if (closed || typeof index !== 'number' || index >>> 0 !== index || index >= capacity) refuse(index);
  };

  // A record never written has bytes that a closed enum without a 0 cannot decode.
  const unreadableZero = !zeroDecodes(layout);
  const take = (index: number, words: Int32Array, view: DataView, first?: number, end?: number): number => {
    const sequence = guard.snapshot(index, words, first, end);
    if (unreadableZero && guard.neverWritten(index, sequence)) codec.encode(view, 0, layout.zero());
    return sequence;
  };

  const plain: RecordAccess = {
    read(index) {
      check(index);
      take(index, scratchWords, scratch);
      return codec.decode(scratch, 0);
    },
    readInto(index, target) {
      check(index);
      take(index, scratchWords, scratch);
      return codec.decodeInto(scratch, 0, target);
    },
    write(index, record) {
      check(index);
      const copy = copies.pop() ?? makeCopy(memory.cellWords);
      try {
        codec.encode(copy.view, 0, record);
        check(index);
        guard.commit(index, copy.words);
      } finally {
        copies.push(copy);
      }
    },
    snapshot(index) {
      check(index);
      const sequence = take(index, scratchWords, scratch);
      return { sequence, record: codec.decode(scratch, 0) };
    },
    revise(index, change) {
      const copy = copies.pop() ?? makeCopy(memory.cellWords);
      try {
        let deadline = Infinity;
        for (let runs = 0; ; runs++) {
          check(index);
          deadline = boundRuns(runs, deadline, () => `${memory.name}[${index}]`);
          const sequence = take(index, copy.words, copy.view);
          change(copy.view, 0);
          check(index);
          if (guard.commit(index, copy.words, sequence)) return;
        }
      } finally {
        copies.push(copy);
      }
    },
    readColumn({ read, reads: [from, to] }, target) {
      const [first, end] = [Math.floor(from / WORD), Math.ceil(to / WORD)];
      for (let i = 0; i < capacity; i++) {
        // Setters of the target may close the store.
        check(i);
        take(i, scratchWords, scratch, first, end);
        target[i] = read(scratch, 0);
      }
    },
    generation(index) {
      check(index);
      return guard.generation(index);
    },
    sequence: (index) => guard.sequence(index),
    check,
    close() {
      closed = true;
    },
  };

  const wrongTarget = (target: unknown): void => {
    if (typeof target !== 'object' || target === null) codec.decodeInto(scratch, 0, target as object);
  };
  const generated =
    unreadableZero || !(guard instanceof Latch)
      ? undefined
      : generate(layout, capacity, memory, { refuse, wrongTarget });
  if (generated === undefined) return plain;
  return {
    ...plain,
    read: generated.read,
    readInto: generated.readInto,
    write: guard instanceof MutexLatch ? plain.write : (generated.write ?? plain.write),
    close() {
      closed = true;
      generated.close();
    },
  };
}

/** Undefined where the machine's order is weak, the record is too large for straight-line code, or code generation is refused. */
function generate(
  layout: AnyLayout,
  capacity: number,
  memory: CellMemory,
  refusals: Pick<LatchBindings, 'refuse' | 'wrongTarget'>,
): GuardedAccess | undefined {
  if (!memory.strongOrder) return undefined;
  const record = emitRecord(layout);
  if (record === undefined) return undefined;
  const { words, lock } = memory;
  const bindings: LatchBindings = {
    words,
    view: new DataView(words.buffer),
    capacity,
    me: lock?.me ?? 0,
    acquire: (word) => lock!.acquire(word),
    announce: memory.announce,
    ...refusals,
    contend: (patience, index) => contend(patience as BackOff | undefined, `${memory.name}[${index}]`),
  };
  return evaluate<GuardedAccess>({ ...record.bindings, ...bindings }, latchSource(memory, record));
}
