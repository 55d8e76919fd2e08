// Following changes: arm, look, sleep until the doorbell or a timer, look again. Steps are those of docs/protocol.md, watch.
import { GuardError } from '../errors.ts';
import type { Doorbell, Listener } from '../platform/platform.ts';
import { withoutWaiting } from '../sync/cells.ts';
import { optionError, requireSignal } from './options.ts';
import type { Change, WatchOptions } from './types.ts';

/** Longest sleep where the bell works, in milliseconds: a writer that died between publishing and ringing is found then. */
const TIMED_SLEEP_MS = 1000;
const DEFAULT_INTERVAL_MS = 20;
const LONGEST_INTERVAL_MS = 60_000;
/** First sleep behind a look that met others; each one more doubles it. */
const CONTENDED_SLEEP_MS = 1;
/** How long watches that always find a change keep the thread, and for how many looks at least. */
const TURN_MS = 10;
const TURN_LOOKS = 16;
const WRAP = 2 ** 32;
/** Records that are looked at before other work of the thread has its turn. */
export const SLICE = 2 ** 16;
/** And records that somebody is at: each costs an error. */
export const CONTENDED_SLICE = 64;
/** Says of a look that it goes on with the next slice. */
export const UNFINISHED = Symbol('unfinished');

/** Browsers have no setImmediate. */
const nextTurn: (callback: () => void) => unknown =
  (globalThis as { setImmediate?: (callback: () => void) => unknown }).setImmediate ??
  ((callback) => setTimeout(callback, 0));

const POLLING =
  'watching by polling: this open cannot hear the doorbell (read-only access, or the inotify limit is reached)';

/** What a watch needs of its store. */
export interface WatchSource<R> {
  /** Raw sequence of a record: differs after each write. */
  sequence(index: number): number;
  generation(index: number): number;
  /** One snapshot: the record and the sequence it belongs to. @throws {GuardError} READ_CONTENDED */
  snapshot(index: number): { readonly sequence: number; readonly record: R };
}

/** Wakes the watches of one open store: one listener at the doorbell for all of them. */
export class WatchHub {
  readonly #doorbell: () => { bell: Doorbell; arm: () => void } | undefined;
  readonly #sleepers = new Set<() => void>();
  readonly #warn: (message: string) => void;
  #armed: (() => void) | undefined;
  #listener: Listener | undefined;
  #users = 0;
  #wakes = 0;
  /** Of this turn of the event loop. */
  #looks = 0;
  #turnBegan = 0;

  /** `doorbell` gives the bell and the way to arm it, or undefined where this open may not write the armed word. */
  constructor(
    doorbell: () => { bell: Doorbell; arm: () => void } | undefined,
    warn: (message: string) => void,
  ) {
    this.#doorbell = doorbell;
    this.#warn = warn;
  }

  /** Begins to listen (protocol: watch 0). */
  enter(): void {
    if (this.#users++ > 0) return;
    // STEP: watch 0
    const access = this.#doorbell();
    this.#listener = access?.bell.listen(
      () => this.wakeAll(),
      () => this.#goDeaf(),
    );
    this.#armed = this.#listener === undefined ? undefined : access?.arm;
    if (this.#listener === undefined) this.#warn(POLLING);
  }

  /** Polls from now on; who sleeps looks at once, as a ring may have been missed. */
  #goDeaf(): void {
    if (this.#armed === undefined) return;
    this.#armed = undefined;
    this.#warn(POLLING);
    this.wakeAll();
  }

  leave(): void {
    if (--this.#users > 0) return;
    this.#listener?.close();
    this.#listener = undefined;
    this.#armed = undefined;
  }

  /** True if writers can wake this thread; else it polls. */
  get hears(): boolean {
    return this.#armed !== undefined;
  }

  /** Asks writers for the next ring (protocol: watch 2). */
  arm(): void {
    // STEP: watch 2
    this.#armed?.();
  }

  /** How often the sleepers were woken: tells who was awake that it would have been. */
  get wakes(): number {
    return this.#wakes;
  }

  /** True if others should have their turn before the look that follows: promises that are ready run without end in one. */
  isOverdue(): boolean {
    if (this.#looks++ > 0) return this.#looks > TURN_LOOKS && performance.now() - this.#turnBegan > TURN_MS;
    this.#turnBegan = performance.now();
    nextTurn(() => (this.#looks = 0));
    return false;
  }

  wakeAll(): void {
    this.#wakes++;
    for (const wake of this.#sleepers) wake();
  }

  /** Sleeps until a ring, `wakeAll` or the time is over. */
  sleep(milliseconds: number, persistent: boolean): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#looks = 0;
        wake();
      }, milliseconds);
      if (!persistent) (timer as { unref?: () => void }).unref?.();
      this.#sleepers.add(wake);
    });
  }
}

/** Gives a copy of what `watch` was given, whose getters have run. @throws {ValueError} VALUE_TYPE */
export function takeWatchOptions(given: unknown = {}): WatchOptions {
  // An array may be meant as a key, which would be every key's watch.
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw optionError('watch', 'options', given, 'object', 'an object');
  return { ...given };
}

function checkWatchOptions(options: WatchOptions): Required<Omit<WatchOptions, 'signal'>> {
  const { signal, persistent = true, intervalMs = DEFAULT_INTERVAL_MS } = options;
  requireSignal(signal, 'watch');
  if (typeof persistent !== 'boolean')
    throw optionError('watch', 'persistent', persistent, 'boolean', 'a boolean');
  if (typeof intervalMs !== 'number' || !(intervalMs >= 1 && intervalMs <= LONGEST_INTERVAL_MS)) {
    throw optionError('watch', 'intervalMs', intervalMs, 'number', `1 to ${LONGEST_INTERVAL_MS}`);
  }
  return { persistent, intervalMs };
}

/** An error for `signal.reason`, as Node's own iterators give it. */
export function abortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  error.name = 'AbortError';
  return Object.assign(error, { code: 'ABORT_ERR' });
}

/**
 * An iterator of changes: waits, and ends with a signal or `end`; what there is to see, `look` of the class below it says.
 * The listening begins before that class takes its first look, which it does in `orEnd`.
 */
export abstract class Watching<T> implements AsyncIterableIterator<T> {
  readonly #hub: WatchHub;
  readonly #signal: AbortSignal | undefined;
  readonly #persistent: boolean;
  protected readonly intervalMs: number;
  readonly #onEnd: (watch: Watching<T>) => void;
  readonly #abort = (): void => {
    this.#failure = abortError(this.#signal!);
    this.end();
  };
  /** Thrown by the next `next`. */
  #failure: Error | undefined;
  #contended = false;
  #contendedSleepMs = CONTENDED_SLEEP_MS;
  #ended = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(hub: WatchHub, options: WatchOptions, onEnd: (watch: Watching<T>) => void) {
    const { persistent, intervalMs } = checkWatchOptions(options);
    this.#hub = hub;
    this.#signal = options.signal;
    this.#persistent = persistent;
    this.intervalMs = intervalMs;
    this.#onEnd = onEnd;
    hub.enter();
    this.#signal?.addEventListener('abort', this.#abort);
    if (this.#signal?.aborted === true) this.#abort();
  }

  /** Gives the next change, undefined if there is none; one that is unfinished goes on in the next call. */
  protected abstract look(): T | undefined | typeof UNFINISHED;

  /** Runs `read`, which waits for nobody; undefined where it is contended, and then the next look comes soon. */
  protected attempt<R>(read: () => R): R | undefined {
    try {
      return withoutWaiting(read);
    } catch (error) {
      if (!(error instanceof GuardError)) throw error;
      // After a writer's death only the next write brings something to read, and that rings.
      if (error.code === 'READ_CONTENDED') this.#contended = true;
      return undefined;
    }
  }

  /** Looks; what that throws ends the watch, as it would a generator. */
  protected orEnd<R>(look: () => R): R {
    try {
      return look();
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Makes the next look come soon. */
  protected lookSoon(): void {
    this.#contended = true;
  }

  /** When the next look may come at the earliest, as `performance.now()` counts. */
  protected get notBefore(): number {
    return 0;
  }

  get ended(): boolean {
    return this.#ended;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    // Calls queue up, as those of an async generator do.
    const result = this.#last.then(() => this.#advance());
    this.#last = result.catch(() => {});
    return result;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.end();
    return { done: true, value: undefined };
  }

  /** Ends the watch; a pending `next` is done. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#hub.leave();
    this.#hub.wakeAll();
    this.#onEnd(this);
  }

  async #advance(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      if (this.#ended) {
        const failure = this.#failure;
        this.#failure = undefined;
        if (failure !== undefined) throw failure;
        return { done: true, value: undefined };
      }
      const restMs = this.notBefore - performance.now();
      if (restMs > 0 || this.#hub.isOverdue()) {
        await this.#sleep(Math.max(0, restMs));
        continue;
      }
      // STEP: watch 1
      let change = this.orEnd(() => this.look());
      if (change === UNFINISHED) change = await this.#lookOn();
      const wakes = this.#hub.wakes;
      if (change === undefined && this.#hub.hears && !this.#ended) {
        // ORDER: armed is stored before the sequences are loaded, and a writer publishes before it loads armed: one of the two
        // sees the other (docs/protocol.md, watch).
        this.#hub.arm();
        // STEP: watch 3
        change = this.orEnd(() => this.look());
        if (change === UNFINISHED) change = await this.#lookOn();
      }
      if (change !== undefined) {
        this.#contended = false;
        this.#contendedSleepMs = CONTENDED_SLEEP_MS;
        return { done: false, value: change };
      }
      // A ring between two slices found nobody asleep.
      if (this.#ended || this.#hub.wakes !== wakes) continue;
      // STEP: watch 4
      await this.#sleep(this.#sleepMs());
    }
  }

  #sleep(milliseconds: number): Promise<void> {
    return this.#hub.sleep(milliseconds, this.#persistent);
  }

  #sleepMs(): number {
    const longest = this.#hub.hears ? TIMED_SLEEP_MS : this.intervalMs;
    if (!this.#contended) {
      this.#contendedSleepMs = CONTENDED_SLEEP_MS;
      return longest;
    }
    // Who is at the record rings when it is done, unless it dies: looking ever less often is enough.
    this.#contended = false;
    const sleepMs = Math.min(this.#contendedSleepMs, longest);
    this.#contendedSleepMs *= 2;
    return sleepMs;
  }

  /** Goes on with an unfinished look, slice by slice; undefined also when the watch has ended. */
  async #lookOn(): Promise<T | undefined> {
    for (;;) {
      await this.#sleep(0);
      if (this.#ended) return undefined;
      const change = this.orEnd(() => this.look());
      if (change !== UNFINISHED) return change;
    }
  }
}

/** The generation at `sequence`, which a snapshot had, of a `latest` one that may have moved on: its lower half. */
export const generationAt = (sequence: number, latest: number): number =>
  latest - (((latest % WRAP) - sequence) >>> 0);

/** The iterator behind `store.watch`: from record `first` on, `count` records. */
export class Watch<R> extends Watching<Change<R>> {
  readonly #source: WatchSource<R>;
  readonly #first: number;
  /** The sequence last delivered, per record. */
  readonly #delivered: Int32Array;
  #cursor = 0;
  /** Records of this round that are still to be looked at. */
  #left = 0;

  constructor(
    source: WatchSource<R>,
    hub: WatchHub,
    range: { readonly first: number; readonly count: number; readonly includePresent: boolean },
    options: WatchOptions,
    onEnd: (watch: Watching<Change<R>>) => void,
  ) {
    super(hub, options, onEnd);
    this.#source = source;
    this.#first = range.first;
    this.#delivered = new Int32Array(range.count);
    this.orEnd(() => {
      if (!range.includePresent) {
        for (let i = 0; i < range.count; i++) this.#delivered[i] = source.sequence(range.first + i);
      } else if (source.generation(range.first) > 0) {
        this.#delivered[0] = source.sequence(range.first) - 1;
      }
    });
  }

  /** Gives the next record whose sequence moved, going round so that a busy one does not hide the others. */
  protected look(): Change<R> | undefined | typeof UNFINISHED {
    const { length } = this.#delivered;
    if (this.#left === 0) this.#left = length;
    for (let step = 0, contended = 0; this.#left > 0; step++) {
      if (step === SLICE || contended === CONTENDED_SLICE) return UNFINISHED;
      this.#left--;
      const at = this.#cursor;
      this.#cursor = at + 1 === length ? 0 : at + 1;
      const index = this.#first + at;
      if (this.#source.sequence(index) !== this.#delivered[at]) {
        const change = this.attempt(() => this.#deliver(index, at));
        if (change !== undefined) {
          this.#left = 0;
          return change;
        }
        contended++;
      }
    }
    return undefined;
  }

  #deliver(index: number, at: number): Change<R> {
    const { sequence, record } = this.#source.snapshot(index);
    this.#delivered[at] = sequence;
    return { index, generation: generationAt(sequence, this.#source.generation(index)), record };
  }
}
