// The same 64 bytes from stores that others made: lmdb-js in this process, Redis over a Unix socket if it is installed.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from 'lmdb';
import { do_not_optimize } from 'mitata';
import { filledStore, Numbers, numbers } from '../records.ts';
import { lineOf, requireEqual, type Row } from '../row.ts';
import { compare, median, type Sampler, timed } from '../sampling.ts';

const RECORDS = 1000;
const LMDB_LIMIT = 5;
const REDIS_LIMIT = 300;
const ROUND_TRIPS = 300;
const SERVER_TRIES = 100;

/** Starts a server in `folder`; undefined where there is none. */
async function startRedis(folder: string) {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined;
  const path = join(folder, 'redis.sock');
  const server = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', path, '--save', '', '--appendonly', 'no'],
    { stdio: 'ignore' },
  );
  // oxlint-disable-next-line no-await-in-loop -- waits for the socket to appear
  for (let tries = 0; !existsSync(path) && tries < SERVER_TRIES; tries++) await sleep(50);
  const socket = connect(path);
  await once(socket, 'connect');
  return {
    socket,
    async [Symbol.asyncDispose]() {
      socket.destroy();
      server.kill();
      await once(server, 'exit');
    },
  };
}

/** Times GET commands, one after the other, in nanoseconds; each answer is one packet on a Unix socket. */
function redisSampler(socket: Socket): Sampler {
  const get = Buffer.from('*2\r\n$3\r\nGET\r\n$1\r\nk\r\n');
  return async () => {
    const times: number[] = [];
    for (let i = 0; i < ROUND_TRIPS; i++) {
      const start = performance.now();
      const answered = once(socket, 'data');
      socket.write(get);
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      await answered;
      times.push((performance.now() - start) * 1e6);
    }
    return median(times);
  };
}

export const row: Row = {
  variants: ['64 bytes'],
  async run({ sampling }) {
    const folder = mkdtempSync(join(tmpdir(), 'sharecord-bench-stores-'));
    try {
      using store = filledStore(Numbers, numbers, { capacity: RECORDS });
      const raw = open<Buffer, number>({ path: join(folder, 'raw'), encoding: 'binary', noSync: true });
      const objects = open<object, number>({
        path: join(folder, 'objects'),
        encoding: 'msgpack',
        noSync: true,
      });
      const bytes = new Uint8Array(Numbers.size);
      for (let i = 0; i < RECORDS; i++) {
        Numbers.encode(numbers(i), bytes);
        raw.putSync(i, Buffer.from(bytes));
        objects.putSync(i, numbers(i));
      }
      requireEqual('lmdb', Numbers.decode(raw.getBinaryFast(5) as Buffer), store.read(5));
      requireEqual('lmdb', objects.get(5), store.read(5));
      await using redis = await startRedis(folder);
      if (redis === undefined) console.error('no figures of Redis: redis-server is not installed');
      else {
        const stored = once(redis.socket, 'data');
        redis.socket.write(
          Buffer.concat([Buffer.from('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$64\r\n'), bytes, Buffer.from('\r\n')]),
        );
        await stored;
      }
      const rounds = await compare(
        {
          ours: timed((count) => {
            for (let i = 0; i < count; i++) do_not_optimize(store.read(i % RECORDS));
          }, sampling),
          getBinaryFast: timed((count) => {
            for (let i = 0; i < count; i++) do_not_optimize(raw.getBinaryFast(i % RECORDS));
          }, sampling),
          get: timed((count) => {
            for (let i = 0; i < count; i++) do_not_optimize(raw.get(i % RECORDS));
          }, sampling),
          'get, msgpack': timed((count) => {
            for (let i = 0; i < count; i++) do_not_optimize(objects.get(i % RECORDS));
          }, sampling),
          ...(redis === undefined ? {} : { GET: redisSampler(redis.socket) }),
        },
        sampling,
      );
      await raw.close();
      await objects.close();
      const line = (operation: string, name: string, limit: number) =>
        lineOf(operation, rounds, 'ours', { script: { names: [name], kind: 'faster', limit } });
      return [
        line('read, against lmdb getBinaryFast (bytes)', 'getBinaryFast', LMDB_LIMIT),
        line('read, against lmdb get (bytes)', 'get', LMDB_LIMIT),
        line('read, against lmdb get (msgpack object)', 'get, msgpack', LMDB_LIMIT),
        ...(redis === undefined ? [] : [line('read, against Redis GET (bytes)', 'GET', REDIS_LIMIT)]),
      ];
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
