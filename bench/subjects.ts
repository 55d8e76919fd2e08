// Stores with the hand-written code for the same memory: what the rows about whole records compare.
import type { StoreWriter } from '../src/index.ts';
import type { AnyLayout } from '../src/layout/types.ts';
import { handMixed, nine } from './floor-mixed.ts';
import { eight, handWritten, slotMemory } from './floor.ts';
import { filledStore, Mixed, mixed, Numbers, numbers } from './records.ts';

/** Hand-written access to one kind of record. */
export interface HandWritten<R extends object> {
  read(index: number): R;
  readView(index: number): R;
  readInto(index: number, target: R): R;
  readViewInto(index: number, target: R): R;
  write(index: number, record: R): void;
  writePlainUnlock(index: number, record: R): void;
  writeAlone(index: number, record: R): void;
}

/** The part of a store that is measured, for records whose type does not matter. */
export interface AnyRecords {
  readonly capacity: number;
  read(index: number): object;
  readInto(index: number, target: object): object;
  write(index: number, record: object): void;
}

/** One kind of record in a store, and its hand-written counterpart. */
export interface Subject extends Disposable {
  readonly store: AnyRecords;
  readonly hand: HandWritten<object>;
  /** Makes a record of ours; of theirs. */
  zero(): object;
  blank(): object;
}

/** The kinds of 64-byte records. A process measures one of them, so that all code in it has seen one kind only. */
export const KINDS = ['8 x f64', 'mixed'] as const;

export function subjectOf(kind: string, capacity?: number): Subject {
  return kind === 'mixed' ? mixedSubject(capacity) : numbersSubject(capacity);
}

function numbersSubject(capacity?: number): Subject {
  const store = filledStore(Numbers, numbers, capacity);
  return subject(store, handWritten(slotMemory(store)), eight);
}

function mixedSubject(capacity?: number): Subject {
  const store = filledStore(Mixed, mixed, capacity);
  return subject(store, handMixed(slotMemory(store)), nine);
}

function subject(store: StoreWriter<AnyLayout>, hand: HandWritten<object>, blank: () => object): Subject {
  const zero = (): object => store.layout.zero();
  return { store: store as AnyRecords, hand, blank, zero, [Symbol.dispose]: () => store.close() };
}
