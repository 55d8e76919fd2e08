// Tells whether other programs used the machine during a round. Two virtual CPUs are often two threads of one core: who
// works beside a benchmark then halves its speed, and which side of a comparison that hits is chance.
import { cpus } from 'node:os';

const US_PER_MS = 1000;
/** Of one CPU, and of the time that a round took. The system counts in ticks of 10 ms. */
const BEARABLE_SHARE = 0.2;

/** CPU time of all programs since the start of the machine, in milliseconds. */
function busyMs(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
}

/** CPU time of all threads of this process, in milliseconds. */
function ownMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / US_PER_MS;
}

/** Watches over one round. */
export class QuietRound {
  readonly #start = performance.now();
  readonly #busy = busyMs();
  readonly #own = ownMs();

  /** True if others used little since this object was made. */
  wasQuiet(): boolean {
    const others = busyMs() - this.#busy - (ownMs() - this.#own);
    return others <= BEARABLE_SHARE * (performance.now() - this.#start);
  }
}
