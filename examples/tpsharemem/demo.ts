// A receiver in a worker thread and a sender in another process, on memory of their own: the published text, and a shorter one
// after it, once in UTF-16 and once in GBK.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { byteLength } from 'sharecord';

const TEXTS = ['简单的共享内存示例', 'Form2 收到'];

const watchdog = setTimeout(() => {
  console.error('the demonstration did not end within 100 s');
  process.exit(1);
}, 100_000);

async function show(encoding: string): Promise<void> {
  const name = `tpsharemem-demo-${process.pid}-${encoding}`;
  const args = ['--map', name, '--mutex', `${name} mutex`, '--title', name, '--encoding', encoding];
  const receiver = new Worker(new URL('./receiver.ts', import.meta.url), {
    argv: args,
    stdin: true,
    stdout: true,
  });
  const lines = linesOf(receiver.stdout);
  await lines.next(); // it is ready
  const sender = fork(new URL('./sender.ts', import.meta.url), args, {
    stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
  });
  for (const text of TEXTS) {
    sender.stdin!.write(`${text}\n`);
    const { value } = await lines.next();
    console.log(
      `${encoding}: ${value} (${text.length} characters, ${byteLength(text, encoding === 'utf-16' ? 'utf-16le' : encoding)} bytes)`,
    );
  }
  sender.stdin!.end();
  receiver.stdin!.end();
  await Promise.all([once(sender, 'exit'), once(receiver, 'exit')]);
}

const linesOf = (output: Readable): AsyncIterator<string> =>
  createInterface({ input: output })[Symbol.asyncIterator]();

await show('utf-16');
await show('gbk');
clearTimeout(watchdog);
