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
  /** Makes a record of the library's; an object literal; a hand-written record. */
  zero(): object;
  literal(i: number): object;
  blank(): object;
}

/** The kinds of 64-byte records. A process measures one of them, so that all code in it has seen one kind only. */
export const KINDS = ['8 x f64', 'mixed'] as const;

/** With `literals`, everything written to the store is an object literal of the caller's. */
export function subjectOf(kind: string, literals = false): Subject {
  const options = literals ? { shape: (values: object) => values } : {};
  if (kind === 'mixed') {
    const store = filledStore(Mixed, mixed, options);
    return subject(store, handMixed(slotMemory(store)), mixed, nine);
  }
  const store = filledStore(Numbers, numbers, options);
  return subject(store, handWritten(slotMemory(store)), numbers, eight);
}

function subject(
  store: StoreWriter<AnyLayout>,
  hand: HandWritten<object>,
  literal: (i: number) => object,
  blank: () => object,
): Subject {
  const zero = (): object => store.layout.zero();
  return { store: store as AnyRecords, hand, zero, literal, blank, [Symbol.dispose]: () => store.close() };
}
