// Writes samples: the rows first, then the head that makes them valid.
import { availableParallelism, hostname } from 'node:os';
import { Sample, sealRow, sealSample, sharedNow } from './layout.ts';
import type { Process } from './sampler.ts';
import type { WriterStores } from './stores.ts';

export class SampleWriter {
  readonly #stores: WriterStores;
  #head = Sample.zero();
  #writes = 0;

  constructor(stores: WriterStores) {
    this.#stores = stores;
  }

  /** The head that was written last. */
  get head(): Sample {
    return this.#head;
  }

  /** Records written so far, rows and heads. */
  get writes(): number {
    return this.#writes;
  }

  /** Writes one sample; more processes than the store has room for are counted, not written. */
  write(processes: readonly Process[], source: Sample['source']): void {
    const { rows } = this.#stores;
    const number = this.#head.number + 1;
    const fitting = processes.slice(0, rows.capacity);
    for (const [index, entry] of fitting.entries()) {
      rows.write(index, sealRow({ ...entry, sample: number }));
    }
    this.#writes += fitting.length;
    this.#publish({
      ...this.#head,
      number,
      rows: fitting.length,
      found: processes.length,
      cpus: availableParallelism(),
      source,
      host: hostname(),
      takenAt: new Date(),
    });
  }

  /** Says that no sample follows. */
  end(): void {
    this.#publish({ ...this.#head, last: true });
  }

  #publish(head: Sample): void {
    this.#head = sealSample({ ...head, publishedAt: sharedNow() });
    this.#stores.samples.write(0, this.#head);
    this.#writes++;
  }
}
