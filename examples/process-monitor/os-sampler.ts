// Samples without /proc: Node tells of this process and of the CPUs, not of other processes. One row each.
import { cpus } from 'node:os';
import { Rate } from './rate.ts';
import type { Process, Sampler } from './sampler.ts';

export class OsSampler implements Sampler {
  readonly source = 'os';
  readonly #self = new Rate();
  readonly #cpus: Rate[] = [];
  readonly #startTime = new Date(performance.timeOrigin);

  take(): Process[] {
    return [this.#takeSelf(), ...cpus().map((cpu, number) => this.#takeCpu(cpu, number))];
  }

  #takeSelf(): Process {
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    return {
      pid: process.pid,
      parent: process.ppid,
      threads: 1,
      command: [process.title, ...process.argv.slice(1)].join(' '),
      state: 'Running',
      cpuPercent: 100 * this.#self.next(performance.now(), cpuSeconds),
      cpuSeconds,
      residentBytes: BigInt(process.memoryUsage.rss()),
      startTime: this.#startTime,
    };
  }

  /** CPUs have no pid: they get negative ones. */
  #takeCpu(cpu: ReturnType<typeof cpus>[number], number: number): Process {
    const { user, nice, sys, irq } = cpu.times;
    const cpuSeconds = (user + nice + sys + irq) / 1000;
    const rate = (this.#cpus[number] ??= new Rate());
    const cpuPercent = 100 * rate.next(performance.now(), cpuSeconds);
    return {
      pid: -1 - number,
      parent: 0,
      threads: 0,
      command: `cpu ${number}: ${cpu.model}`,
      state: cpuPercent > 0 ? 'Running' : 'Idle',
      cpuPercent,
      cpuSeconds,
      residentBytes: 0n,
      startTime: this.#startTime,
    };
  }
}
