// Following a record of another program, which nobody rings for: looks at times, never waits, and ends with what goes wrong.
import type { WatchOptions } from './types.ts';
import { Watching, WatchHub } from './watch.ts';

/** What a watch needs of its record. */
export interface RecordSource {
  /**
   * Copies the record as one whole, without a wait; undefined where others are at it. The copy lasts until the next one.
   * @throws {GuardError} WRITER_DIED
   */
  tryCopy(): Uint8Array | undefined;
  /** Decodes that copy. */
  decode(): object;
}

interface Item {
  readonly record: object;
}

/** The iterator behind `record.watch`. */
export class RecordWatch extends Watching<Item> {
  readonly #source: RecordSource;
  #delivered: Uint8Array | undefined;
  #nextLook = 0;

  constructor(source: RecordSource, options: WatchOptions, onEnd: (watch: RecordWatch) => void) {
    // No bell, and nothing to say about that: no other way is there.
    const hub = new WatchHub(
      () => undefined,
      () => {},
    );
    super(hub, options, (ended) => onEnd(ended as RecordWatch));
    this.#source = source;
  }

  /** Nobody rings, so that a record which always changes is looked at no more often than one that does not. */
  protected override get notBefore(): number {
    return this.#nextLook;
  }

  /** Gives the record if it differs from the one delivered last. */
  protected look(): Item | undefined {
    const copy = this.#source.tryCopy();
    if (copy === undefined) {
      this.lookSoon();
      return undefined;
    }
    const last = this.#delivered;
    if (last !== undefined && copy.every((byte, i) => byte === last[i])) return undefined;
    this.#delivered = copy.slice();
    this.#nextLook = performance.now() + this.intervalMs;
    return { record: this.#source.decode() };
  }
}
