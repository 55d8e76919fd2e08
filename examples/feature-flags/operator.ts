// The operator: makes the map, starts two servers, and turns flags on and off while they run.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMap } from 'sharecord';
import { definition } from './flag.ts';

const [name = 'flags'] = process.argv.slice(2);
const flags = createMap({ name, ...definition, capacity: 1000 });
try {
  const set = (flag: string, percent: number): void =>
    void flags.set(flag, { enabled: percent > 0, percent, changed: new Date(), by: 'operator' });
  set('dark-mode', 10);
  set('new-search', 0);

  const servers = ['a', 'b'].map((server) => fork(new URL('./server.ts', import.meta.url), [name, server]));
  const ended = servers.map((server) => once(server, 'exit'));
  await Promise.all(servers.map((server) => once(server, 'message')));

  // Each server is told of each change; nobody asks, nobody restarts.
  flags.update('dark-mode', (draft) => void (draft.percent = 50));
  await sleep(50);
  set('new-search', 100);
  await sleep(50);
  flags.delete('dark-mode');
  await sleep(50);
  set('shutdown', 100);

  const codes = await Promise.all(ended);
  process.exitCode = codes.some(([code]) => code !== 0) ? 1 : 0;
} finally {
  flags.close();
}
