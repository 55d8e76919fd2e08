// `sharecord doctor`: tries on this machine what the library needs, with a process of its own as the peer.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { release, type } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createStore, SharecordError, type StoreWriter, struct, u32, waitForStore } from '../index.ts';
import { print, printable } from './print.ts';

const Probe = struct('DoctorProbe', { value: u32 });
/** How long the peer may take for one answer. */
const PATIENCE_MS = 10_000;

type Check = readonly [title: string, run: () => Promise<string> | string];

/** Runs every check and prints a line for each; the exit code is 1 if one failed. */
export async function doctor(): Promise<void> {
  const warnings: string[] = [];
  process.on('warning', ({ message }) => warnings.push(message));
  print(`sharecord on Node ${process.versions.node}, ${type()} ${release()}, ${process.arch}`);
  const name = `sharecord-doctor-${process.pid}`;
  let failed = 0;
  for (const [title, run] of checks(name)) {
    try {
      print(`ok    ${title}: ${await run()}`);
    } catch (error) {
      failed++;
      const code = error instanceof SharecordError ? `${error.code}: ` : '';
      print(`FAIL  ${title}: ${code}${printable((error as Error).message)}`);
    }
  }
  for (const warning of warnings) print(`note  ${printable(warning)}`);
  print(failed === 0 ? 'everything the library needs is here' : `${failed} of these failed`);
  if (failed > 0) process.exitCode = 1;
}

function checks(name: string): Check[] {
  return [
    ['a store with a name', () => withStore(name, () => 'created, written and read')],
    ['another process', () => withStore(name, (store) => readByPeer(store, name))],
    ['wake-up', () => withStore(name, (store) => wakePeer(store, name))],
    ['a killed writer', () => replaceKilled(name)],
    ['a store without a name', () => withStore(undefined, () => 'created, written and read')],
  ];
}

async function withStore(
  name: string | undefined,
  use: (store: StoreWriter<typeof Probe>) => Promise<string> | string,
): Promise<string> {
  const store = createStore({ layout: Probe, capacity: 2, ...(name === undefined ? {} : { name }) });
  try {
    store.write(0, { value: 1 });
    const { value } = store.read(0);
    if (value !== 1) throw new Error(`cannot read what was written: expected 1, found ${value}`);
    return await use(store);
  } finally {
    store.close();
  }
}

/** Starts this program again as a peer of the named store, and gives what it says; killed when it says nothing. */
async function withPeer<T>(name: string, role: string, use: (peer: ChildProcess) => Promise<T>): Promise<T> {
  const [, program = ''] = process.argv;
  const peer = spawn(process.execPath, [...process.execArgv, program, 'doctor-peer', name, role], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    return await use(peer);
  } finally {
    if (peer.exitCode === null && peer.signalCode === null) {
      peer.kill('SIGKILL');
      await once(peer, 'close');
    }
  }
}

/** Waits for the peer's next words. */
async function hear(peer: ChildProcess): Promise<string> {
  const [words] = (await once(peer.stdout!, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) })) as [
    Buffer,
  ];
  return words.toString().trim();
}

async function readByPeer(store: StoreWriter<typeof Probe>, name: string): Promise<string> {
  store.write(0, { value: 42 });
  return withPeer(name, 'read', async (peer) => {
    const found = await hear(peer);
    if (found !== '42') throw new Error(`cannot share memory: expected the peer to read 42, found ${found}`);
    return 'opened it by name and read the same';
  });
}

async function wakePeer(store: StoreWriter<typeof Probe>, name: string): Promise<string> {
  return withPeer(name, 'watch', async (peer) => {
    await hear(peer);
    const started = performance.now();
    store.write(1, { value: 7 });
    await hear(peer);
    return `after ${(performance.now() - started).toFixed(1)} ms, the peer's answer included`;
  });
}

async function replaceKilled(name: string): Promise<string> {
  await withPeer(name, 'own', hear);
  return withStore(name, () => 'its store was replaced');
}

/** The other side of the checks. */
export async function doctorPeer(name: string, role: string): Promise<void> {
  if (role === 'own') {
    createStore({ name, layout: Probe, capacity: 2 });
    print('ready');
    return sleep(PATIENCE_MS);
  }
  const store = await waitForStore(name, Probe, { timeoutMs: PATIENCE_MS });
  try {
    if (role === 'read') return print(String(store.read(0).value));
    const changes = store.watch({ signal: AbortSignal.timeout(PATIENCE_MS) });
    print('ready');
    await changes.next();
    print('woken');
  } finally {
    store.close();
  }
}
