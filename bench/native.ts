// The C side: native/bench.c, built once per run and asked over its standard input, in turn with the samples taken here.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Sampler } from './sampling.ts';

const SOURCE = new URL('../native/bench.c', import.meta.url).pathname;

/** Builds the C program into `folder`; undefined, with the reason on the error stream, where that is not possible. */
export function buildNative(folder: string): string | undefined {
  const program = `${folder}/bench`;
  const { status, error, stderr } = spawnSync('cc', ['-O2', SOURCE, '-o', program], { encoding: 'utf8' });
  if (status === 0) return program;
  console.error(`no figures of C: ${error?.message ?? stderr}`);
  return undefined;
}

/** A running C program. */
export interface NativeLimit extends AsyncDisposable {
  readonly pid: number;
  /** Makes a sampler of one of its commands. */
  sampler(command: 'read' | 'write' | 'write-alone' | 'futex'): Sampler;
}

export function startNative(program: string): NativeLimit {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid as number,
    sampler: (command) => async () => {
      child.stdin.write(`${command}\n`);
      const { value } = await answers.next();
      const figure = Number(value);
      if (!(figure > 0)) throw new Error(`the C program answered ${String(value)} to ${command}`);
      return figure;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}
