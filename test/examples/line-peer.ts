// A peer of an example that takes lines and prints lines: a program of this machine, an example in a process of its own, or the
// same file in a worker thread. It is put away when its test is over.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { NODE, ROOT } from './program.ts';

const CONDITIONS = ['--conditions=@sharecord/source'];

export class LinePeer {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  /** Settles with the exit code when the peer has ended and all it printed is here. */
  readonly ended: Promise<number | null>;
  readonly #input: Writable;
  readonly #encoding: BufferEncoding;
  readonly #end: () => unknown;
  readonly #waiting = new Set<() => void>();

  constructor(
    { stdin, stdout, stderr }: { stdin: Writable | null; stdout: Readable; stderr: Readable },
    ended: Promise<number | null>,
    kill: () => unknown,
    encoding: BufferEncoding = 'utf8',
  ) {
    this.#input = stdin!;
    this.#end = kill;
    this.#encoding = encoding;
    // A peer that was killed does not read what is still to be written.
    this.#input.on('error', () => {});
    const read = async (from: Readable, into: string[]): Promise<void> => {
      for await (const line of createInterface({ input: from.setEncoding(encoding) })) {
        into.push(line);
        this.#wake();
      }
    };
    const printed = Promise.all([read(stdout, this.lines), read(stderr, this.errors)]);
    this.ended = ended.then(async (code) => {
      await printed;
      this.#wake();
      return code;
    });
    onTestFinished(() => this.kill());
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Types a line. */
  type(line: string): void {
    this.#input.write(`${line}\n`, this.#encoding);
  }

  /** Waits until what it printed holds; the test's time limit ends the wait. */
  async until(holds: (lines: readonly string[]) => boolean): Promise<void> {
    let isOver = false;
    void this.ended.then(() => (isOver = true));
    while (!holds(this.lines)) {
      if (isOver) throw new Error(`ended with ${JSON.stringify(this.lines)}, ${JSON.stringify(this.errors)}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** Waits for a line, and gives it. */
  async prints(line: string | RegExp): Promise<string> {
    const isIt = (each: string): boolean => (typeof line === 'string' ? each === line : line.test(each));
    await this.until((lines) => lines.some(isIt));
    return this.lines.find(isIt) as string;
  }

  /** Ends its input and waits for its end. */
  end(): Promise<number | null> {
    this.#input.end();
    return this.ended;
  }

  async kill(): Promise<void> {
    await this.#end();
    await this.ended;
  }
}

/** Starts a program; `latin1` takes and gives its lines as the bytes that they are. */
export function startProgram(
  command: string,
  args: readonly string[],
  encoding: BufferEncoding = 'utf8',
  env: NodeJS.ProcessEnv = {},
): LinePeer & { readonly pid: number } {
  const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env } });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const peer = new LinePeer(child, ended, () => child.kill('SIGKILL'), encoding);
  return Object.assign(peer, { pid: child.pid! });
}

/** Starts an example, `examples/<file>`, in a process of its own. */
export const startExample = (file: string, args: readonly string[]): LinePeer =>
  startProgram(NODE, [...CONDITIONS, join('examples', file), ...args]);

/** Starts an example in a worker thread of this process. */
export function startThread(file: string, args: readonly string[]): LinePeer {
  const worker = new Worker(pathToFileURL(join(ROOT, 'examples', file)), {
    argv: [...args],
    execArgv: CONDITIONS,
    stdin: true,
    stdout: true,
    stderr: true,
  });
  const ended = once(worker, 'exit').then(([code]) => code as number);
  return new LinePeer(worker, ended, () => worker.terminate());
}
