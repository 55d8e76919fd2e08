// A process that was started to take the baton: ours or a native program.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const RUNNER = fileURLToPath(new URL('runner.ts', import.meta.url));

export class Peer {
  readonly title: string;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(title: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.title = title;
    this.#process = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts runner.ts. */
  static ours(title: string, env: NodeJS.ProcessEnv = {}): Peer {
    return new Peer(title, process.execPath, [...process.execArgv, RUNNER], env);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Gives it a line, if there is one, and prints what it answers. */
  async counts(line?: string): Promise<void> {
    if (line !== undefined) this.#process.stdin!.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.title} ended`);
    console.log(`${this.title}: ${value}`);
  }

  async end(): Promise<void> {
    const exit = once(this.#process, 'exit');
    this.#process.stdin!.end();
    const [code] = (await exit) as [number | null];
    if (code !== 0) throw new Error(`${this.title} ended with ${code}`);
  }
}
