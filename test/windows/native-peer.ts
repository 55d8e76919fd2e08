// Starts test/windows/peer.c, which test/wine/run has compiled, and ends it with its test.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** Path of the compiled peer. Without a compiler for it (SHARECORD_WINDOWS_PEER is not set) its tests are left out. */
export const PEER = process.env['SHARECORD_WINDOWS_PEER'];

/** Runs a role to its end and gives what it printed. */
export function runPeer(...args: readonly (string | number)[]): string {
  return execFileSync(PEER as string, args.map(String), { encoding: 'utf8' })
    .replaceAll('\r', '')
    .trim();
}

/** A role that waits. */
export class WaitingPeer {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly #exited: Promise<unknown>;
  #onLine = (): void => {};

  constructor(...args: readonly (string | number)[]) {
    this.child = spawn(PEER as string, args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exited = once(this.child, 'close');
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.lines.push(line);
      this.#onLine();
    });
    onTestFinished(() => this.kill());
  }

  /** Waits for a line that starts like this, and gives it; the test's time limit ends the wait. */
  async line(start: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => line.startsWith(start));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#onLine = resolve));
    }
  }

  /** Ends its input, and waits for its end. */
  async end(): Promise<void> {
    this.child.stdin?.end();
    await this.#exited;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#exited;
  }
}
