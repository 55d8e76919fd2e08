// Samples /proc: one read of /proc/<pid>/stat per process, and its command line once.
import { readdirSync, readFileSync } from 'node:fs';
import { struct, ulong } from 'sharecord';
import { Rate } from './rate.ts';
import type { Process, Sampler } from './sampler.ts';

/** One entry of the vector that the kernel hands to a program: see getauxval(3). */
const AuxEntry = struct('AuxEntry', { type: ulong, value: ulong });
const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;

/** Error codes that a process gives which ended after it was listed, or while it is read. */
const GONE = new Set<unknown>(['ENOENT', 'ESRCH']);

/** What /proc/<pid>/stat says, in the kernel's units: clock ticks and pages. */
export interface Stat {
  readonly name: string;
  readonly state: string;
  readonly parent: number;
  readonly cpuTicks: number;
  readonly threads: number;
  readonly startTicks: number;
  readonly residentPages: number;
}

/** Reads a stat line. The name may itself contain spaces, parentheses and line breaks, so it ends at the *last* `)`. */
export function parseStat(text: string): Stat {
  const nameEnd = text.lastIndexOf(')');
  const rest = text.slice(nameEnd + 2).split(' ');
  // Numbered as in proc_pid_stat(5), where the field behind the name is the third.
  const field = (number: number): number => Number(rest[number - 3]);
  return {
    name: text.slice(text.indexOf('(') + 1, nameEnd),
    state: rest[0]!,
    parent: field(4),
    cpuTicks: field(14) + field(15),
    threads: field(20),
    startTicks: field(22),
    residentPages: field(24),
  };
}

/** Makes a command of /proc/<pid>/cmdline: arguments with a NUL after each, empty for a thread of the kernel. */
export function parseCommandLine(text: string, name: string): string {
  const command = text.replaceAll('\0', ' ').trim();
  return command === '' ? `[${name}]` : command.replace(/^\/(?:[^\s/]*\/)*/, '');
}

/** What stays the same from sample to sample. */
interface Known {
  readonly startTicks: number;
  readonly name: string;
  readonly command: string;
  readonly cpu: Rate;
}

export class ProcSampler implements Sampler {
  readonly source = 'proc';
  readonly #pageBytes: number;
  readonly #ticksPerSecond: number;
  readonly #bootMs: number;
  #known = new Map<number, Known>();

  constructor() {
    const { pageBytes, ticksPerSecond } = readUnits();
    this.#pageBytes = pageBytes;
    this.#ticksPerSecond = ticksPerSecond;
    this.#bootMs = 1000 * Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? 0);
  }

  take(): Process[] {
    const processes: Process[] = [];
    const known = new Map<number, Known>();
    for (const entry of readdirSync('/proc')) {
      const pid = Number(entry);
      if (!Number.isInteger(pid)) continue;
      const stat = readIfThere(`/proc/${pid}/stat`);
      if (stat !== undefined) processes.push(this.#describe(pid, parseStat(stat), known));
    }
    // Only the processes of this sample are remembered.
    this.#known = known;
    return processes;
  }

  #describe(pid: number, stat: Stat, known: Map<number, Known>): Process {
    let seen = this.#known.get(pid);
    // The pid may have a new owner by now, or its owner may run a new program.
    if (seen?.startTicks !== stat.startTicks || seen.name !== stat.name) {
      const command = parseCommandLine(readIfThere(`/proc/${pid}/cmdline`) ?? '', stat.name);
      seen = { startTicks: stat.startTicks, name: stat.name, command, cpu: new Rate() };
    }
    known.set(pid, seen);
    const cpuSeconds = stat.cpuTicks / this.#ticksPerSecond;
    return {
      pid,
      parent: stat.parent,
      threads: stat.threads,
      command: seen.command,
      state: stat.state.charCodeAt(0),
      cpuPercent: 100 * seen.cpu.next(performance.now(), cpuSeconds),
      cpuSeconds,
      residentBytes: BigInt(stat.residentPages * this.#pageBytes),
      startTime: new Date(this.#bootMs + (stat.startTicks * 1000) / this.#ticksPerSecond),
    };
  }
}

/** Undefined if the process has ended meanwhile. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && GONE.has(error.code)) return undefined;
    throw error;
  }
}

/** Asks the kernel for its units. The vector is an array of C structs: a layout reads it as it lies there. */
function readUnits(): { pageBytes: number; ticksPerSecond: number } {
  const vector = readFileSync('/proc/self/auxv');
  const values = new Map<bigint, number>();
  for (let offset = 0; offset + AuxEntry.size <= vector.length; offset += AuxEntry.size) {
    const { type, value } = AuxEntry.decode(vector, offset);
    values.set(type, Number(value));
  }
  return { pageBytes: values.get(AT_PAGESZ) ?? 4096, ticksPerSecond: values.get(AT_CLKTCK) ?? 100 };
}
