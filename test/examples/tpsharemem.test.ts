// TPShareMem end to end: sender and receiver, each ours (in a process or a thread) or the Pascal one.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { tell } from '../../examples/tpsharemem/notices.ts';
import { ansiShareMem, TPShareMem } from '../../examples/tpsharemem/record.ts';
import { type AnyLayout, codegen, joinRecord, joinSegment, namedMutex } from '../../src/index.ts';
import { onWindows } from '../support/system.ts';
import { type LinePeer, startExample, startProgram, startThread } from './line-peer.ts';
import { uniqueName } from './names.ts';
import { nativePeer } from './native-peer.ts';
import { ROOT } from './program.ts';

const NATIVE = nativePeer('tpsharemem', 'tpsharemem');
const TEXT = '简单的共享内存示例';

interface Names {
  readonly map: string;
  readonly mutex: string;
  readonly title: string;
}
const ORIGINAL: Names = { map: 'MapName', mutex: 'My MUTEX NAME COES HERE', title: 'Form2' };

function uniqueNames(): Names {
  const map = uniqueName((name) => [`${name} mutex`]);
  return { map, mutex: `${map} mutex`, title: `${map} Form2` };
}

const KINDS = ['process', 'thread', 'native'] as const;
type Kind = (typeof KINDS)[number];
type Role = 'sender' | 'receiver';

/** Starts a side; `options` go to ours, `habits` to the native one. */
async function start(
  kind: Kind,
  role: Role,
  { map, mutex, title }: Names,
  { options = [], habits = ['--polite'] }: { options?: readonly string[]; habits?: readonly string[] } = {},
): Promise<LinePeer> {
  const args = ['--map', map, '--mutex', mutex, '--title', title, ...options];
  const peer =
    kind === 'native'
      ? startProgram(
          NATIVE as string,
          [role, map, mutex, title, ...habits],
          habits.includes('--ansi') ? 'latin1' : 'utf8',
        )
      : (kind === 'thread' ? startThread : startExample)(`tpsharemem/${role}.ts`, args);
  await peer.prints(role === 'sender' ? 'ready to send' : 'ready to receive');
  return peer;
}

const received = (peer: LinePeer): readonly string[] =>
  peer.lines.filter((line) => line.startsWith('Data: ')).map((line) => line.slice('Data: '.length));

/** Sends texts, each when the one before was shown, and checks that just they were shown. */
async function converse(sender: LinePeer, receiver: LinePeer, texts: readonly string[]): Promise<void> {
  for (const [i, text] of texts.entries()) {
    sender.type(text);
    await receiver.until(() => received(receiver).length > i);
  }
  expect(received(receiver)).toEqual(texts);
}

async function endAll(...peers: readonly LinePeer[]): Promise<void> {
  const codes = await Promise.all(peers.map((peer) => peer.end()));
  expect({ codes, errors: peers.flatMap((peer) => peer.errors) }).toEqual({
    codes: peers.map(() => 0),
    errors: [],
  });
}

// Without a compiler for Windows there is no native peer, and its rows are left out.
const pairs = KINDS.flatMap((sender) => KINDS.map((receiver) => [sender, receiver] as const)).filter(
  (pair) => NATIVE !== undefined || !pair.includes('native'),
);

describe.each(pairs)('from a %s to a %s', (from, to) => {
  test('texts in UTF-16 arrive, a shorter one after a longer one without its tail', async () => {
    const names = uniqueNames();
    // The native receiver needs memory that is there; the native sender leaves tails, so its receiver clears.
    const sender = await start(from, 'sender', names);
    const receiver = await start(to, 'receiver', names, {
      options: from === 'native' ? ['--clear'] : [],
    });
    await converse(sender, receiver, [TEXT, '共享', 'x'.repeat(256), 'Ünïcödé 😀']);
    await endAll(sender, receiver);
  });
});

// Under Wine a process takes seconds to start: there the pairs with threads send UTF-16 alone.
const ansiPairs = pairs.filter((pair) => !onWindows || !pair.includes('thread'));

describe.each(ansiPairs)('by code page from a %s to a %s', (from, to) => {
  test.each([
    ['gbk', [TEXT, 'Form2 收到', '共享']],
    ['windows-1252', ['‘Café’ – 5 €', 'naïve', 'A'.repeat(256)]],
  ] as const)('texts in %s arrive', async (encoding, texts) => {
    const names = uniqueNames();
    const sides = {
      options: ['--encoding', encoding, ...(from === 'native' ? ['--clear'] : [])],
      habits: ['--polite', '--ansi'],
    };
    const sender = await start(from, 'sender', names, sides);
    const receiver = await start(to, 'receiver', names, sides);
    const layout = ansiShareMem(encoding);
    const bytesOf = (text: string): string => {
      const memory = Buffer.alloc(layout.size);
      layout.encode({ Data: text }, memory);
      return memory.toString('latin1').replace(/\0+$/, '');
    };
    for (const [i, text] of texts.entries()) {
      // The native side takes and gives the bytes of the code page.
      sender.type(from === 'native' ? bytesOf(text) : text);
      await receiver.until(() => received(receiver).length > i);
      expect(received(receiver).at(-1)).toBe(to === 'native' ? bytesOf(text) : text);
    }
    await endAll(sender, receiver);
  });
});

describe('the mutex', () => {
  const joinMutex = (names: Names, onAbandoned?: () => void) =>
    joinRecord(names.map, TPShareMem, {
      guard: namedMutex(names.mutex, {
        timeoutMs: 1000,
        ...(onAbandoned === undefined ? {} : { onAbandoned }),
      }),
    });

  test('that somebody keeps is told, and nothing is written', async () => {
    const names = uniqueNames();
    const memory = joinMutex(names);
    try {
      const sender = await start('process', 'sender', names);
      const receiver = await start('process', 'receiver', names);
      memory.write({ Data: 'before' });
      await memory.withLock(async (locked) => {
        sender.type('refused');
        await Promise.race([sender.ended, until(() => sender.errors.length > 0)]);
        expect(sender.errors).toEqual([
          expect.stringMatching(/^not sent, LOCK_TIMEOUT: .*held the mutex for 1000 ms$/),
        ]);
        expect(locked.read().Data).toBe('before');
      });
      sender.type('sent');
      await receiver.prints('Data: sent');
      await sender.end();
      await receiver.end();
      expect(sender.lines.at(-1)).toBe('sent 1, refused 1');
    } finally {
      memory.close();
    }
  });

  test('that somebody keeps delays a text that was told of, and loses none', async () => {
    const names = uniqueNames();
    const memory = joinMutex(names);
    try {
      const receiver = await start('process', 'receiver', names);
      await memory.withLock(async (locked) => {
        locked.write({ Data: 'under a long hold \u001b[31m' });
        tell({ ...names, encoding: 'utf-16', 'no-mutex': false, clear: false });
        await Promise.race([receiver.ended, until(() => receiver.errors.length > 0)]);
        expect(receiver.errors[0]).toMatch(/^not read yet, LOCK_TIMEOUT: /);
      });
      await receiver.prints('Data: under a long hold \\u{1b}[31m');
      expect(await receiver.end()).toBe(0);
    } finally {
      memory.close();
    }
  });

  test.skipIf(NATIVE === undefined)(
    'whose owner was killed is told apart from one that was free, by ours and by the native side',
    async () => {
      const names = uniqueNames();
      const memory = joinMutex(names);
      try {
        // Without --polite it keeps the mutex for as long as it runs, as the original does.
        const die = async (): Promise<void> => {
          const owner = await start('native', 'sender', names, { habits: [] });
          expect(owner.lines).toEqual(['mutex taken', 'ready to send']);
          await owner.kill();
        };
        const sender = await start('process', 'sender', names);
        await die();
        sender.type('after a death');
        await until(() => memory.segment.size > 0 && sender.errors.length > 0);
        // Where notices go to windows, a second line says that nobody has one.
        expect(sender.errors[0]).toBe('the last owner of the mutex died: its text may be half written');
        expect(await sender.end()).toBe(0);
        expect(memory.read().Data).toBe('after a death');
        await die();
        const native = await start('native', 'sender', names, { habits: ['--polite'] });
        native.type('x');
        await native.prints('mutex abandoned');
        expect(await native.end()).toBe(0);
        expect(memory.read().Data).toBe('xfter a death');
      } finally {
        memory.close();
      }
    },
  );

  test.skipIf(NATIVE === undefined)(
    'that an original keeps for its whole life times ours out; without the mutex they talk',
    async () => {
      const names = uniqueNames();
      const sender = await start('process', 'sender', names);
      const frank = await start('process', 'sender', names, { options: ['--no-mutex'] });
      const receiver = await start('native', 'receiver', names, { habits: [] });
      expect(receiver.lines[0]).toBe('mutex taken');
      sender.type('not sent');
      await until(() => sender.errors.length > 0);
      expect(sender.errors[0]).toMatch(/LOCK_TIMEOUT/);
      frank.type(TEXT);
      await receiver.prints(`Data: ${TEXT}`);
      expect(await sender.end()).toBe(0);
      await endAll(frank, receiver);
    },
  );
});

/** Waits for a sign; the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

describe('what the original gets wrong', () => {
  test.skipIf(NATIVE === undefined)(
    'Length(str) bytes are half of a UTF-16 text (the control of the byte-length rule)',
    async () => {
      const names = uniqueNames();
      const sender = await start('native', 'sender', names, { habits: ['--polite', '--half'] });
      const receiver = await start('process', 'receiver', names);
      sender.type(TEXT);
      // 9 bytes: four characters, and the low byte of the fifth.
      await receiver.prints(`Data: 简单的共${String.fromCharCode('享'.charCodeAt(0) & 0xff)}`);
      await endAll(sender, receiver);
    },
  );

  test.skipIf(NATIVE === undefined)(
    'a native sender leaves the tail of a longer text, unless the receiver clears',
    async () => {
      const names = uniqueNames();
      const sender = await start('native', 'sender', names);
      const receiver = await start('process', 'receiver', names);
      sender.type('a longer text');
      await receiver.prints('Data: a longer text');
      sender.type('short');
      await receiver.prints('Data: shortger text');
      await endAll(sender, receiver);
    },
  );

  test('a text that does not fit, or that the code page lacks, is refused whole', async () => {
    const names = uniqueNames();
    const sender = await start('process', 'sender', names, { options: ['--encoding', 'gbk'] });
    const receiver = await start('thread', 'receiver', names, { options: ['--encoding', 'gbk'] });
    sender.type('共享');
    await receiver.prints('Data: 共享');
    sender.type('简'.repeat(129));
    sender.type('한국어');
    await until(() => sender.errors.length === 2);
    expect(sender.errors[0]).toMatch(/^not sent, VALUE_TOO_LONG: /);
    expect(sender.errors[1]).toMatch(/^not sent, VALUE_UNMAPPABLE: /);
    sender.type('内存');
    await receiver.prints('Data: 内存');
    await sender.end();
    expect(sender.lines.at(-1)).toBe('sent 2, refused 2');
    await endAll(receiver);
    expect(received(receiver)).toEqual(['共享', '内存']);
  });

  test.skipIf(!onWindows)(
    'a window that nobody has is told (on Windows alone: a touched file has no receiver to find)',
    async () => {
      const sender = await start('process', 'sender', uniqueNames());
      sender.type('x');
      await until(() => sender.errors.length > 0);
      expect(sender.errors[0]).toMatch(/^not told: nobody has a window titled /);
      expect(await sender.end()).toBe(0);
    },
  );

  test.skipIf(onWindows)(
    'another record on the other side is refused (on Windows sizes are whole pages, which tell nothing)',
    async () => {
      const names = uniqueNames();
      for (const [size, encoding] of [
        [512, 'gbk'],
        [256, 'utf-16'],
      ] as const) {
        const memory = joinSegment({ name: names.map, size });
        const receiver = startExample('tpsharemem/receiver.ts', [
          '--map',
          names.map,
          '--mutex',
          names.mutex,
          '--encoding',
          encoding,
        ]);
        expect(await receiver.ended).toBe(1);
        expect(receiver.errors.join('\n')).toMatch(/not the same record|SEGMENT_TOO_SMALL/);
        memory.close();
      }
    },
  );
});

test.each([
  ['tpsharememlayout', TPShareMem],
  ['tpsharememansilayout', ansiShareMem('gbk')],
] as [string, AnyLayout][])(
  'the record of the Pascal side, %s.pas, is what codegen gives',
  (unit, layout) => {
    const source = readFileSync(join(ROOT, 'examples/tpsharemem/native', `${unit}.pas`), 'utf8');
    expect(codegen(layout.on('linux64'), 'pascal')).toBe(source);
  },
);

// One test of this file alone uses these names; under Wine files run one after the other.
describe.skipIf(!onWindows || NATIVE === undefined)(
  "under the original's own names (on Windows alone, where they come from)",
  () => {
    test.each([
      ['native', 'process'],
      ['process', 'native'],
    ] as const)('from a %s to a %s', async (from, to) => {
      const sender = from === 'native' ? await start(from, 'sender', ORIGINAL) : await ready('sender');
      const receiver = to === 'native' ? await start(to, 'receiver', ORIGINAL) : await ready('receiver');
      await converse(sender, receiver, [TEXT]);
      await endAll(sender, receiver);
    });

    /** Starts ours without any option. */
    async function ready(role: Role): Promise<LinePeer> {
      const peer = startExample(`tpsharemem/${role}.ts`, []);
      await peer.prints(/^ready/);
      return peer;
    }
  },
);
