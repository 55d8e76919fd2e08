// How long a watcher sleeps on after a sample was published.
import { createHistogram } from 'node:perf_hooks';
import { type Sample, sharedNow } from './layout.ts';

const MICROSECONDS = 1000;

/** Collects the time from the writer's publish to this thread's wake-up. */
export class WakeUps {
  readonly #histogram = createHistogram();
  readonly #since = sharedNow();

  /** Takes the sample that woke this thread; call it first thing. */
  record(sample: Sample): void {
    const latencyMs = sharedNow() - sample.publishedAt;
    // The first thing a watch gives is what was there already: nobody slept.
    if (sample.publishedAt < this.#since) return;
    this.#histogram.record(Math.max(1, Math.round(latencyMs * MICROSECONDS)));
  }

  /** The fields of a tally. */
  summary(): { wakeUps: number; wakeP50Ms: number; wakeP99Ms: number } {
    const { count } = this.#histogram;
    const percentile = (percent: number): number =>
      count === 0 ? 0 : this.#histogram.percentile(percent) / MICROSECONDS;
    return { wakeUps: count, wakeP50Ms: percentile(50), wakeP99Ms: percentile(99) };
  }
}
