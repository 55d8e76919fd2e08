// A server in another process and a client in a worker thread, on memory of their own: each sends numbers to the other, which
// answers with their squares.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';

const SIDE = new URL('./side.ts', import.meta.url);
const name = `zones-demo-${process.pid}`;
const args = [
  '--name',
  name,
  '--n1',
  '10',
  '--n2',
  '10',
  '--server',
  `${name} server`,
  '--client',
  `${name} client`,
];

const watchdog = setTimeout(() => {
  console.error('the demonstration did not end within 100 s');
  process.exit(1);
}, 100_000);

const linesOf = (output: Readable): AsyncIterator<string, string> =>
  createInterface({ input: output })[Symbol.asyncIterator]() as AsyncIterator<string, string>;

const server = fork(SIDE, ['server', ...args], { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] });
const client = new Worker(SIDE, { argv: ['client', ...args], stdin: true, stdout: true });
const ofServer = linesOf(server.stdout!);
const ofClient = linesOf(client.stdout);
for (const lines of [ofServer, ofClient]) console.log((await lines.next()).value);

client.stdin!.write('1 2 3 -4\n');
const received = (await ofServer.next()).value;
console.log(`the server sees ${received}`);
const squares = received
  .replace('client: ', '')
  .split(' ')
  .map((text) => Number(text) ** 2);
server.stdin!.write(`${squares.join(' ')}\n`);
console.log(`the client sees ${(await ofClient.next()).value}`);

server.stdin!.end();
client.stdin!.end();
await Promise.all([once(server, 'exit'), once(client, 'exit')]);
clearTimeout(watchdog);
