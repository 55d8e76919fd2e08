// The object behind StoreReader and StoreWriter: one open of a managed segment by one thread.
import { ValueError } from '../errors.ts';
import { codecOf } from '../layout/codec.ts';
import { fieldAccess } from '../layout/field-access.ts';
import type { AnyLayout } from '../layout/types.ts';
import type { Handle } from '../platform/platform.ts';
import { draftChange, requireChange } from './draft.ts';
import { hide } from './hide.ts';
import type { RecordAccess } from './record-access.ts';
import type { MappedSegment, Segment } from './mapped-segment.ts';
import type { Change, WatchOptions } from './types.ts';
import { takeWatchOptions, Watch, type Watching, type WatchHub } from './watch.ts';

type TypedArray = Float64Array | Float32Array | Int32Array | Uint32Array | BigInt64Array;

/** What a store is made of. */
export interface StoreParts {
  readonly layout: AnyLayout;
  readonly capacity: number;
  readonly segment: MappedSegment;
  readonly access: RecordAccess;
  readonly hub: WatchHub;
  /** True once the name means another segment. */
  readonly replaced: () => boolean;
}

/** Reads; and writes, where `Store` below adds it. */
export class Reader {
  readonly layout: AnyLayout;
  readonly capacity: number;
  readonly segment: Segment;
  // Own functions and not methods: a method shared by all stores would call each store's generated code through one call
  // site, which engines cannot inline. HOT: bench/run.ts, rows "read" and "readInto".
  declare readonly read: (index: number) => object;
  declare readonly readInto: (index: number, target: object) => object;
  readonly #parts: StoreParts;
  readonly #watches = new Set<Watching<Change<object>>>();

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.layout = parts.layout;
    this.capacity = parts.capacity;
    this.segment = parts.segment;
    hide(this, 'read', parts.access.read);
    hide(this, 'readInto', parts.access.readInto);
    parts.segment.closeFirst({
      close: () => {
        parts.access.close();
        for (const watch of this.#watches) watch.end();
      },
    });
  }

  get created(): boolean {
    return this.segment.created;
  }
  get handle(): Handle {
    return this.segment.handle;
  }
  get closed(): boolean {
    return this.segment.closed;
  }
  get orphaned(): boolean {
    this.#parts.access.check(0);
    return this.#parts.replaced();
  }

  tryRead(index: number): object | undefined {
    try {
      return this.read(index);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'READ_CONTENDED') return undefined;
      throw error;
    }
  }

  generation(index: number): number {
    return this.#parts.access.generation(index);
  }

  readColumn(field: string, out?: TypedArray | unknown[]): unknown {
    const { access, capacity } = this.#parts;
    access.check(0);
    const column = fieldAccess(this.layout, field);
    const { values } = column;
    const target = out ?? (values === undefined ? [] : new values(capacity));
    const fits =
      values === undefined ? Array.isArray(target) : target instanceof values && target.length >= capacity;
    if (!fits) {
      const expected =
        values === undefined ? 'an array' : `a ${values.name} of at least ${capacity} elements`;
      throw new ValueError(
        'VALUE_TYPE',
        `cannot read column ${this.layout.name}.${field}: out is not ${expected}`,
      );
    }
    access.readColumn(column, target as unknown[]);
    return target;
  }

  *[Symbol.iterator](): IterableIterator<object> {
    for (let i = 0; i < this.capacity; i++) yield this.read(i);
  }

  *entries(): IterableIterator<[number, object]> {
    for (let i = 0; i < this.capacity; i++) yield [i, this.read(i)];
  }

  watch(
    indexOrOptions?: number | WatchOptions,
    options?: WatchOptions,
  ): AsyncIterableIterator<Change<object>> {
    const { access, hub, capacity } = this.#parts;
    const one = typeof indexOrOptions !== 'object' && indexOrOptions !== undefined;
    access.check(one ? indexOrOptions : 0);
    const chosen = takeWatchOptions(one ? options : indexOrOptions);
    // A getter of the options may have closed the store.
    access.check(one ? indexOrOptions : 0);
    const range = one
      ? { first: indexOrOptions, count: 1, includePresent: true }
      : { first: 0, count: capacity, includePresent: false };
    const watch = new Watch<object>(access, hub, range, chosen, (ended) => this.#watches.delete(ended));
    if (!watch.ended) this.#watches.add(watch);
    return watch;
  }

  close(): void {
    this.segment.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Reads and writes. */
export class Writer extends Reader {
  declare readonly write: (index: number, record: object) => void;
  readonly #access: RecordAccess;

  constructor(parts: StoreParts) {
    super(parts);
    this.#access = parts.access;
    hide(this, 'write', parts.access.write);
  }

  assign(index: number, patch: unknown): void {
    const codec = codecOf(this.layout);
    this.#access.revise(index, (view) => codec.patch(view, 0, patch));
  }

  add(index: number, field: string, delta: unknown): void {
    this.#access.check(index);
    const { add } = fieldAccess(this.layout, field);
    if (add === undefined) {
      throw new ValueError(
        'VALUE_TYPE',
        `cannot add to ${this.layout.name}.${field}: it is not an integer field`,
      );
    }
    this.#access.revise(index, (view) => add(view, 0, delta));
  }

  update(index: number, change: (draft: object) => unknown): void {
    requireChange(change, this.layout);
    this.#access.revise(
      index,
      draftChange(this.layout, () => `${this.layout.name}[${index}]`, change),
    );
  }
}
