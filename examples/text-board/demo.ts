// Three peers on one board of their own, two processes and a worker thread: each types in turn, and the others must show it.
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';

const PEER = new URL('./peer.ts', import.meta.url);
const args = ['--name', `text-board-demo-${process.pid}`, '--message', `text-board-demo-${process.pid}`];

/** A running peer and the lines that it printed. */
class Peer {
  readonly title: string;
  readonly #input: Writable;
  readonly #lines: string[] = [];
  #onLine = (): void => {};

  constructor(title: string, input: Writable, output: Readable) {
    this.title = title;
    this.#input = input;
    createInterface({ input: output }).on('line', (line) => {
      this.#lines.push(line);
      this.#onLine();
    });
  }

  static process(title: string): Peer {
    const { stdin, stdout } = fork(PEER, args, { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] });
    return new Peer(title, stdin!, stdout!);
  }

  static thread(title: string): Peer {
    const { stdin, stdout } = new Worker(PEER, { argv: args, stdin: true, stdout: true });
    return new Peer(title, stdin!, stdout);
  }

  type(text: string): void {
    this.#input.write(`${text}\n`);
  }

  end(): void {
    this.#input.end();
  }

  /** Waits for a line that begins like this. */
  async prints(start: string): Promise<string> {
    for (;;) {
      const line = this.#lines.find((line) => line.startsWith(start));
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => (this.#onLine = resolve));
    }
  }
}

const watchdog = setTimeout(() => {
  console.error('the demonstration did not end within 100 s');
  process.exit(1);
}, 100_000);

const peers = [Peer.process('process 1'), Peer.thread('thread'), Peer.process('process 2')];
await Promise.all(peers.map((peer) => peer.prints('')));
for (const writer of peers) {
  const text = `typed by ${writer.title}: 简单的共享内存示例`;
  writer.type(text);
  const others = peers.filter((peer) => peer !== writer);
  await Promise.all(others.map((peer) => peer.prints(`board: ${text}`)));
  console.log(`${text} (shown by ${others.map(({ title }) => title).join(' and ')})`);
}
for (const peer of peers) peer.end();
for (const peer of peers) console.log(`${peer.title}: ${await peer.prints('typed ')}`);
clearTimeout(watchdog);
