// Runs an example as a user would, in a process of its own, and puts it away when the test is over.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { ProcSampler } from '../../examples/process-monitor/proc-sampler.ts';
import type { Process } from '../../examples/process-monitor/sampler.ts';

const POLL_MS = 20;

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const HAS_PROC = existsSync('/proc/self/stat');
/** The Node binary that examples run on: another version with SHARECORD_NODE. */
export const NODE = process.env['SHARECORD_NODE'] ?? process.execPath;
const BIN = join(ROOT, 'node_modules', '.bin');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running program and what it has printed. */
export class Program {
  readonly child: ChildProcess;
  /** Settles when the program has ended and everybody who shared its output has closed it. */
  readonly ended: Promise<Ended>;
  readonly #found: Process[] = [];
  stdout = '';
  stderr = '';

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const PATH = [BIN, process.env['PATH']].join(delimiter);
    this.child = spawn(command, args, { cwd: ROOT, env: { ...process.env, PATH, ...env } });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      return { code, signal, stdout: this.stdout, stderr: this.stderr };
    });
    // A failed test leaves what it waits for: then it is ended here, with those that were found to belong to it.
    onTestFinished(() => {
      for (const { pid, startTime } of this.#found) {
        const isThere = ({ pid: other, startTime: since }: Process): boolean =>
          other === pid && +since === +startTime;
        if (new ProcSampler().take().some(isThere)) killIfThere(pid);
      }
      if (this.#runs) for (const { pid } of [...descendants(this.pid), this]) killIfThere(pid);
      this.child.stdin!.destroy();
    });
  }

  get #runs(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Waits until the program has printed that. */
  async prints(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.child.exitCode !== null)
        throw new Error(`ended without "${text}": ${this.stdout}${this.stderr}`);
      await pause();
    }
  }

  /** Waits until it has a child, or a child's child, that runs this file with Node, and gives its pid. */
  async descendant(file: string): Promise<number> {
    for (;;) {
      const found = descendants(this.pid, file)[0];
      if (found !== undefined) {
        this.#found.push(found);
        return found.pid;
      }
      if (this.child.exitCode !== null)
        throw new Error(`ended without ${file}: ${this.stdout}${this.stderr}`);
      await pause();
    }
  }
}

/** Starts an example with Node. */
export function startNode(
  file: string,
  args: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): Program {
  return new Program(NODE, [
    '--conditions=@sharecord/source',
    ...nodeOptions,
    join('examples', file),
    ...args,
  ]);
}

export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/** Waits until the process is gone, or a zombie that only its parent could remove. */
export async function gone(pid: number): Promise<void> {
  const lives = (): boolean =>
    new ProcSampler().take().some((entry) => entry.pid === pid && entry.state !== 'Z'.charCodeAt(0));
  while (lives()) await pause();
}

/** Processes that `root` or its children started; with `file`, those that run it with Node. */
function descendants(root: number, file?: string): Process[] {
  const processes = HAS_PROC ? new ProcSampler().take() : [];
  const family = new Set([root]);
  // Children may be listed before their parents: go on until nobody joins.
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  family.delete(root);
  const isWanted = (command: string): boolean =>
    file === undefined || (command.startsWith(basename(NODE)) && command.includes(`/${file}`));
  return processes.filter(({ pid, command }) => family.has(pid) && isWanted(command));
}

export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Tells whether a command of that name can be run. */
export function hasCommand(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A new folder that is removed after the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sharecord-examples-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
