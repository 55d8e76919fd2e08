// What guards a record whose format belongs to somebody else, and the guards that are words inside the record: a sequence
// that is odd while somebody writes, a pair of versions, or nothing at all.
import { GuardError } from '../errors.ts';
import { BackOff } from './back-off.ts';
import { contend } from './cells.ts';
import { LOCK_BOUND_MS } from './lock-word.ts';

/** Lets a record be read whole and written alone, by the rules of its owner. */
export interface RecordGuard {
  /**
   * Runs `copy`, which copies the record, until it saw one whole state; gives a token of that state.
   * @throws {GuardError} READ_CONTENDED
   */
  snapshot(copy: () => Uint8Array): number;
  /** Does the same without waiting: undefined if a few tries gave no whole state, or somebody holds the mutex. */
  trySnapshot(copy: () => Uint8Array): number | undefined;
  /**
   * Runs `store` while no other writer does. With `token`, only if nobody wrote since; false then.
   * @throws {GuardError} LOCK_TIMEOUT
   */
  exclusive(store: () => void, token?: number): boolean;
}

const timeOut = (what: string): GuardError =>
  new GuardError(
    'LOCK_TIMEOUT',
    `cannot write ${what}: another writer has been inside for ${LOCK_BOUND_MS} ms`,
  );

const TRIES_PER_TURN = 100;

/** Tries until a snapshot is there or a reader's patience ends; `fact` says what is in the way, if it knows. */
function patiently(
  trySnapshot: () => number | undefined,
  what: string,
  fact: () => string | undefined,
): number {
  let patience: BackOff | undefined;
  for (;;) {
    const token = trySnapshot();
    if (token !== undefined) return token;
    patience = contend(patience, what, fact());
  }
}

/** A 32-bit word that is odd while somebody writes (the seqlock of many simulators and of the Linux kernel). */
export class SequenceGuard implements RecordGuard {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #what: string;

  /** MAPPED: `words[at]` lies inside the record, which the caller checked against the segment. */
  constructor(words: Int32Array, at: number, what: string) {
    this.#words = words;
    this.#at = at;
    this.#what = what;
  }

  trySnapshot(copy: () => Uint8Array): number | undefined {
    for (let tries = 0; tries < TRIES_PER_TURN; tries++) {
      const sequence = Atomics.load(this.#words, this.#at);
      if ((sequence & 1) === 1) return undefined;
      copy();
      // ORDER: an Atomics call behind the copy (docs/memory-order.md, re-check).
      if (Atomics.load(this.#words, this.#at) === sequence) return sequence;
    }
    return undefined;
  }

  snapshot(copy: () => Uint8Array): number {
    return patiently(
      () => this.trySnapshot(copy),
      this.#what,
      () =>
        (Atomics.load(this.#words, this.#at) & 1) === 1
          ? 'its sequence is odd: a writer is inside or died there'
          : undefined,
    );
  }

  exclusive(store: () => void, token?: number): boolean {
    const backOff = new BackOff(LOCK_BOUND_MS);
    for (;;) {
      const sequence = Atomics.load(this.#words, this.#at);
      if (token !== undefined && sequence !== token) return false;
      const isFree = (sequence & 1) === 0;
      if (isFree && Atomics.compareExchange(this.#words, this.#at, sequence, (sequence + 1) | 0) === sequence)
        break;
      if (!backOff.pause()) throw timeOut(this.#what);
    }
    try {
      store();
    } finally {
      // ORDER: even again behind every store; a read-modify-write releases them.
      Atomics.add(this.#words, this.#at, 1);
    }
    return true;
  }
}

/** Two 32-bit versions: `begin` moves before a write, `end` after it; equal means whole. */
export class VersionPairGuard implements RecordGuard {
  readonly #words: Int32Array;
  readonly #begin: number;
  readonly #end: number;
  readonly #what: string;

  constructor(words: Int32Array, begin: number, end: number, what: string) {
    this.#words = words;
    this.#begin = begin;
    this.#end = end;
    this.#what = what;
  }

  trySnapshot(copy: () => Uint8Array): number | undefined {
    for (let tries = 0; tries < TRIES_PER_TURN; tries++) {
      const end = Atomics.load(this.#words, this.#end);
      if (Atomics.load(this.#words, this.#begin) !== end) return undefined;
      copy();
      // ORDER: the end version is loaded before the copy, the begin version after it.
      if (Atomics.load(this.#words, this.#begin) === end) return end;
    }
    return undefined;
  }

  snapshot(copy: () => Uint8Array): number {
    return patiently(
      () => this.trySnapshot(copy),
      this.#what,
      () =>
        Atomics.load(this.#words, this.#begin) !== Atomics.load(this.#words, this.#end)
          ? 'its versions differ: a writer is inside or died there'
          : undefined,
    );
  }

  exclusive(store: () => void, token?: number): boolean {
    const backOff = new BackOff(LOCK_BOUND_MS);
    let end: number;
    for (;;) {
      end = Atomics.load(this.#words, this.#end);
      if (token !== undefined && end !== token) return false;
      if (Atomics.compareExchange(this.#words, this.#begin, end, (end + 1) | 0) === end) break;
      if (!backOff.pause()) throw timeOut(this.#what);
    }
    try {
      store();
    } finally {
      Atomics.add(this.#words, this.#end, 1);
    }
    return true;
  }
}

/** No protocol: a copy is accepted when it equals the copies before it. */
export class AgreementGuard implements RecordGuard {
  readonly #agree: number;
  readonly #what: string;

  /** `agree`: how many copies in a row must be equal, 1 or more. */
  constructor(agree: number, what: string) {
    this.#agree = agree;
    this.#what = what;
  }

  trySnapshot(copy: () => Uint8Array): number | undefined {
    let last: Uint8Array | undefined;
    let equal = 0;
    for (let tries = 0; tries < this.#agree + TRIES_PER_TURN; tries++) {
      const bytes = copy();
      const same = last !== undefined && bytes.every((byte, i) => byte === last?.[i]);
      equal = same ? equal + 1 : 1;
      if (equal >= this.#agree) return 0;
      if (!same) last = bytes.slice();
    }
    return undefined;
  }

  snapshot(copy: () => Uint8Array): number {
    return patiently(
      () => this.trySnapshot(copy),
      this.#what,
      () => undefined,
    );
  }

  exclusive(store: () => void): boolean {
    store();
    return true;
  }
}
