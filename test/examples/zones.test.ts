// Server and client zones end to end: each side ours (in a process or a thread) or native.
import { utimesSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { i32, namedMutex, openRecord, openSegment, struct } from '../../src/index.ts';
import { findWindow, post, WM_USER } from '../../src/win32.ts';
import { onWindows, pathOf, wholeSize } from '../support/system.ts';
import { type LinePeer, startExample, startProgram, startThread } from './line-peer.ts';
import { uniqueName } from './names.ts';
import { nativePeer } from './native-peer.ts';

const NATIVE = nativePeer('zones', 'zones');
const KINDS = ['process', 'thread', 'native'] as const;
type Kind = (typeof KINDS)[number];
type Role = 'server' | 'client';

/** What both sides agreed beforehand. */
interface Agreement {
  readonly name: string;
  readonly n1: number;
  readonly n2: number;
  readonly extra1: 0 | 1;
  readonly extra2: 0 | 1;
  readonly server: string;
  readonly client: string;
}
const PUBLISHED = { n1: 100, n2: 100, extra1: 1, extra2: 0 } as const;

function agree(rest: Partial<Agreement> = {}, prefix = ''): Agreement {
  const name =
    prefix + uniqueName((base) => [prefix + base, ...[1, 2].map((n) => `${prefix}${base}.zone${n}`)]);
  return { ...PUBLISHED, name, server: `${name} server`, client: `${name} client`, ...rest };
}

async function start(kind: Kind, role: Role, agreement: Agreement): Promise<LinePeer> {
  const { name, n1, n2, extra1, extra2, server, client } = agreement;
  const counts = [extra1, extra2].map((extra) => (extra === 1 ? 'n+1' : 'n')) as [string, string];
  const options = { name, n1, n2, count1: counts[0], count2: counts[1], server, client };
  const args = Object.entries(options).map(([option, value]) => `--${option}=${value}`);
  const peer =
    kind === 'native'
      ? startProgram(NATIVE as string, [role, name, n1, n2, extra1, extra2, server, client].map(String))
      : (kind === 'thread' ? startThread : startExample)('zones/side.ts', [role, ...args]);
  await peer.prints(`${role} is ready`);
  return peer;
}

async function endAll(...peers: readonly LinePeer[]): Promise<void> {
  const codes = await Promise.all(peers.map((peer) => peer.end()));
  expect({ codes, errors: peers.flatMap((peer) => peer.errors) }).toEqual({
    codes: peers.map(() => 0),
    errors: [],
  });
}

/** Lets both sides write in turn and checks what each saw of the other. */
async function converse(server: LinePeer, client: LinePeer): Promise<void> {
  const lists = [
    '1 2 3',
    '-2147483648 2147483647',
    '7',
    Array.from({ length: 100 }, (_, i) => i * i).join(' '),
  ];
  const seen: Record<Role, string[]> = { server: [], client: [] };
  for (const list of lists) {
    client.type(list);
    seen.server.push(`client: ${list}`);
    await server.prints(`client: ${list}`);
    server.type(`${list} 0`.split(' ').slice(-100).join(' '));
    const answer = `server: ${`${list} 0`.split(' ').slice(-100).join(' ')}`;
    seen.client.push(answer);
    await client.prints(answer);
  }
  const shown = (peer: LinePeer): string[] => peer.lines.filter((line) => /^(server|client): /.test(line));
  expect({ server: shown(server), client: shown(client) }).toEqual(seen);
}

// Without a compiler for Windows there is no native peer, and its rows are left out.
const pairs = KINDS.flatMap((server) => KINDS.map((client) => [server, client] as const)).filter(
  (pair) => NATIVE !== undefined || !pair.includes('native'),
);

describe.each(pairs)('a server (%s) and a client (%s)', (serverKind, clientKind) => {
  test('see what the other writes into its zone', async () => {
    const agreement = agree();
    const server = await start(serverKind, 'server', agreement);
    const client = await start(clientKind, 'client', agreement);
    await converse(server, client);
    await endAll(server, client);
  });

  test('agree on other sizes, other conventions of counting and a name with a leading space', async () => {
    const agreement = agree({ n1: 300, n2: 120, extra1: 0, extra2: 1 }, ' ');
    const client = await start(clientKind, 'client', agreement);
    const server = await start(serverKind, 'server', agreement);
    await converse(server, client);
    await endAll(server, client);
  });
});

describe.skipIf(NATIVE === undefined)('a native side whose count lies', () => {
  const other = { server: 'client', client: 'server' } as const;
  test.each([
    ['process', 'server', 1],
    ['thread', 'server', 0],
    ['process', 'client', 0],
    ['thread', 'client', 1],
  ] as const)(
    'is refused, not followed, by a %s that is the %s; a count counts %d more',
    async (kind, role, extra) => {
      const agreement = agree({ extra1: extra, extra2: extra });
      const ours = await start(kind, role, agreement);
      const liar = await start('native', other[role], agreement);
      const seen = other[role];
      for (const count of [-1, 101 + extra, 2 ** 31 - 1, -(2 ** 31)]) {
        liar.type(`raw ${count}`);
        await ours.prints(`${seen}: refused: a count of ${count}, expected ${extra} to ${100 + extra}`);
      }
      liar.type(`raw ${100 + extra}`);
      await ours.until((lines) => lines.at(-1)?.split(' ').length === 101);
      liar.type('5 6');
      await ours.prints(`${seen}: 5 6`);
      await endAll(ours, liar);
    },
  );
});

test('a zone whose writer was killed while it wrote is refused until it is written again', async () => {
  const agreement = agree();
  const server = await start('process', 'server', agreement);
  const client = await start('process', 'client', agreement);
  client.type('1 2 3');
  await server.prints('client: 1 2 3');
  const holder = startExample('../test/examples/lock-holder.ts', [agreement.name, `${agreement.name}.zone1`]);
  await holder.prints('locked');
  await holder.kill();
  // A notice without a write.
  if (onWindows) post(findWindow(agreement.server)!, WM_USER + 998, 0, 0);
  else utimesSync(pathOf(agreement.name), new Date(), new Date());
  await server.prints(/^client: refused: .* its last owner died while it held the mutex$/);
  // On Linux one's own touch makes it look again, on Windows another notice does.
  for (let again = 0; again < 3; again++) {
    server.type('9');
    await client.until((lines) => lines.includes('server: 9'));
    if (onWindows) post(findWindow(agreement.server)!, WM_USER + 998, 0, 0);
  }
  client.type('4');
  await server.prints('client: 4');
  expect(server.lines.filter((line) => line.startsWith('client: ')).length).toBe(3);
  await endAll(server, client);
});

test('a zone whose mutex is kept is read when it is given back', async () => {
  const agreement = agree();
  const server = await start('process', 'server', agreement);
  const client = await start('process', 'client', agreement);
  client.type('1 2 3');
  await server.prints('client: 1 2 3');
  const words = struct('Words', { count: i32, value: i32 });
  const zone = openRecord(agreement.name, words, {
    guard: namedMutex(`${agreement.name}.zone1`, { timeoutMs: 1000 }),
    access: 'read-write',
  });
  try {
    await zone.withLock(async (locked) => {
      locked.write({ count: 2, value: 77 });
      if (onWindows) post(findWindow(agreement.server)!, WM_USER + 998, 0, 0);
      else utimesSync(pathOf(agreement.name), new Date(), new Date());
      await Promise.race([server.ended, until(() => server.errors.length > 0)]);
    });
    await server.prints('client: 77');
    for (const error of server.errors) expect(error).toMatch(/^not read yet, LOCK_TIMEOUT: /);
  } finally {
    zone.close();
  }
  expect([await server.end(), await client.end()]).toEqual([0, 0]);
});

test('a client that was killed is missed, and the handle of a second server outlives the first', async () => {
  const agreement = agree();
  const first = await start('process', 'server', agreement);
  const client = await start('process', 'client', agreement);
  first.type('1');
  await client.prints('server: 1');
  await client.kill();
  first.type('2');
  await until(() => first.errors.length > 0);
  expect(first.errors).toEqual(['no client is there']);
  const second = await start('process', 'server', agreement);
  const memory = openSegment(agreement.name);
  try {
    const handle = new Int32Array(memory.buffer as ArrayBuffer, 202 * 4, 1);
    const [ofSecond] = handle;
    expect(await first.end()).toBe(0);
    expect(handle[0]).toBe(ofSecond);
    expect(await second.end()).toBe(0);
    expect(handle[0]).toBe(0);
  } finally {
    memory.close();
  }
});

test.each([
  ['clinet'],
  [],
  ['server', 'client'],
  ['server', '--nmae=x'],
  ['server', '--n1=x'],
  ['server', '--count1=2'],
])('a command line that says nothing is refused: %s %s', async (...args) => {
  const side = startExample('zones/side.ts', args);
  expect(await side.ended).toBe(1);
  expect(side.errors.join('\n')).toMatch(/expected|Unknown option/);
  expect(side.lines).toEqual([]);
});

/** Waits for a sign; the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 5));
}

test('zone 1 lies at 0, zone 2 behind it, the handles behind that; each side clears its handle when it ends', async () => {
  const agreement = agree({ n1: 10, n2: 20 });
  const server = await start('process', 'server', agreement);
  const client = await start('process', 'client', agreement);
  const memory = openSegment(agreement.name);
  try {
    client.type('11 12');
    server.type('21');
    await server.prints('client: 11 12');
    await client.prints('server: 21');
    const words = new Int32Array(memory.buffer as ArrayBuffer);
    expect(memory.size).toBe(wholeSize(4096));
    expect([...words.subarray(0, 11)]).toEqual([3, 11, 12, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect([...words.subarray(11, 14)]).toEqual([1, 21, 0]);
    const [first, second] = words.subarray(32, 34);
    expect(first).not.toBe(0);
    expect(second).not.toBe(0);
    expect(first).not.toBe(second);
    expect(words.subarray(34).every((word) => word === 0)).toBe(true);
    await client.end();
    expect(words[32]).toBe(first);
    expect(words[33]).toBe(0);
    server.type('22');
    await server.until(() => server.errors.length > 0);
    expect(server.errors).toEqual(['no client is there']);
    expect(await server.end()).toBe(0);
  } finally {
    memory.close();
  }
});

test('numbers that no zone can hold are refused, and the zone stays as it was', async () => {
  const agreement = agree({ n1: 3 });
  const server = await start('process', 'server', agreement);
  const client = await start('thread', 'client', agreement);
  client.type('1 2 3');
  await server.prints('client: 1 2 3');
  for (const line of ['1 2 3 4', '2147483648', '1.5', 'x']) client.type(line);
  await client.until(() => client.errors.length === 4);
  for (const error of client.errors) expect(error).toMatch(/^not written, VALUE_(RANGE|TYPE): /);
  client.type('4 5');
  await server.prints('client: 4 5');
  expect(await client.end()).toBe(0);
  expect(client.lines.at(-1)).toBe('written 2, seen 0');
  await endAll(server);
});

test('zones that do not fit into the memory are refused', async () => {
  const { name } = agree();
  const side = startExample('zones/side.ts', ['server', '--name', name, '--n1', '1000', '--n2', '1000']);
  expect(await side.ended).toBe(1);
  expect(side.errors.join('\n')).toContain('SEGMENT_TOO_SMALL');
});

// A touched file tells nothing of windows: what follows is about Windows alone.
describe.skipIf(!onWindows || NATIVE === undefined)('on Windows', () => {
  test('a handle of a window that is gone is no obstacle: the other is found by its title', async () => {
    const agreement = agree();
    const server = await start('process', 'server', agreement);
    const old = await start('native', 'client', agreement);
    await old.kill();
    server.type('1');
    await server.until(() => server.errors.length > 0);
    expect(server.errors).toEqual(['no client is there']);
    const client = await start('native', 'client', agreement);
    const memory = openSegment(agreement.name, { access: 'read-write' });
    new Int32Array(memory.buffer as ArrayBuffer)[203] = 0x7ffffff0;
    memory.close();
    server.type('2');
    await client.prints('server: 2');
    await client.end();
    await server.end();
  });

  // One test of this file alone uses these names; under Wine files run one after the other.
  test.each([
    ['native', 'process'],
    ['process', 'native'],
  ] as const)("under the original's own names: server %s, client %s", async (serverKind, clientKind) => {
    const agreement = { ...PUBLISHED, name: 'zzj', server: 'WFServer', client: 'WFClient' };
    const ours = async (role: Role): Promise<LinePeer> => {
      const peer = startExample('zones/side.ts', [role]);
      await peer.prints(`${role} is ready`);
      return peer;
    };
    const server =
      serverKind === 'native' ? await start('native', 'server', agreement) : await ours('server');
    const client =
      clientKind === 'native' ? await start('native', 'client', agreement) : await ours('client');
    await converse(server, client);
    await endAll(server, client);
  });
});
