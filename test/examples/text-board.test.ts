// The text board end to end: native peers and ours, in processes and threads, on one board.
import { unlinkSync, watch } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ORIGINAL } from '../../examples/text-board/board.ts';
import { openNotices } from '../../examples/text-board/notices.ts';
import { openSegment } from '../../src/index.ts';
import { isNamed, onWindows, pathOf, wholeSize } from '../support/system.ts';
import { type LinePeer, startExample, startProgram, startThread } from './line-peer.ts';
import { uniqueName } from './names.ts';
import { nativePeer } from './native-peer.ts';

const NATIVE = nativePeer('text-board', 'board');
const PEER = 'text-board/peer.ts';
const TEXT = '简单的共享内存示例, ‘quoted’ 😀';

interface Names {
  readonly name: string;
  readonly message: string;
}
function uniqueNames(): Names {
  const name = uniqueName((base) => [`${base}.lock`, `${base}.note`]);
  return { name, message: `${name} message` };
}

const KINDS = {
  process: ({ name, message }: Names) => startExample(PEER, ['--name', name, '--message', message]),
  thread: ({ name, message }: Names) => startThread(PEER, ['--name', name, '--message', message]),
  native: ({ name, message }: Names) => startProgram(NATIVE as string, [name, message]),
};
type Kind = keyof typeof KINDS;

async function start(kind: Kind, names: Names): Promise<LinePeer> {
  const peer = KINDS[kind](names);
  await peer.prints(/^(created|joined) the board$/);
  return peer;
}

/** Texts that a peer showed; a native one also shows the empty text that it finds. */
const shows = (peer: LinePeer): readonly string[] => peer.lines.filter((line) => /^board: ./.test(line));

/** Lets each peer type in turn, and checks that the others show just that and nobody shows it twice. */
async function converse(peers: readonly LinePeer[]): Promise<void> {
  const expected = peers.map(() => [] as string[]);
  for (const [turn, writer] of peers.entries()) {
    const text = `${turn}: ${TEXT}`;
    writer.type(text);
    for (const [i, peer] of peers.entries()) {
      if (peer === writer) continue;
      expected[i]?.push(`board: ${text}`);
      await peer.prints(`board: ${text}`);
    }
  }
  expect(peers.map(shows)).toEqual(expected);
}

async function endAll(peers: readonly LinePeer[]): Promise<void> {
  const codes = await Promise.all(peers.map((peer) => peer.end()));
  expect({ codes, errors: peers.flatMap((peer) => peer.errors) }).toEqual({
    codes: peers.map(() => 0),
    errors: [],
  });
}

// Without a compiler for Windows there is no native peer, and its rows are left out.
const withNative = (kinds: readonly Kind[]): boolean => NATIVE !== undefined || !kinds.includes('native');

describe.each(
  (
    [
      ['process', 'process'],
      ['thread', 'thread', 'process'],
      ['native', 'native'],
      ['native', 'process'],
      ['process', 'native', 'thread'],
      ['native', 'thread', 'process', 'native', 'process'],
    ] as Kind[][]
  ).filter(withNative),
)('a board of %s, %s, …', (...kinds) => {
  test('shows every peer what another typed, and nobody his own', async () => {
    const names = uniqueNames();
    const peers: LinePeer[] = [];
    for (const kind of kinds) peers.push(await start(kind, names));
    expect(peers.map((peer) => peer.lines[0])).toEqual(
      peers.map((_, i) => (i === 0 ? 'created the board' : 'joined the board')),
    );
    // A notice for a text that was only shown would be one too many. On Windows the native peers print one line per notice.
    let touches = 0;
    const watcher = onWindows ? undefined : watch(pathOf(names.name), () => touches++);
    await converse(peers);
    if (watcher !== undefined) expect(touches).toBeLessThanOrEqual(peers.length);
    watcher?.close();
    await endAll(peers);
    for (const [i, peer] of peers.entries()) {
      if (kinds[i] !== 'native') expect(peer.lines.at(-1)).toBe(`typed 1, shown ${peers.length - 1}`);
    }
  });
});

describe.each((['process', 'thread', 'native'] as Kind[]).filter((kind) => withNative([kind])))(
  'a late %s',
  (kind) => {
    test('shows the text that is there, sends nothing, and keeps it when the first peer leaves', async () => {
      const names = uniqueNames();
      const first = await start('process', names);
      first.type(TEXT);
      const second = await start('process', names);
      await second.prints(`board: ${TEXT}`);
      const late = await start(kind, names);
      await late.prints(`board: ${TEXT}`);
      await endAll([first]);
      const last = await start('process', names);
      await last.prints(`board: ${TEXT}`);
      await endAll([second, last]);
      expect(isNamed(names.name)).toBe(true);
      await endAll([late]);
      // Nobody took what another had only shown for a change.
      for (const peer of [second, late, last]) expect(shows(peer)).toEqual([`board: ${TEXT}`]);
    });
  },
);

test('the memory is 8192 bytes of UTF-16 with a terminator, and a shorter text leaves no tail', async () => {
  const names = uniqueNames();
  const peer = await start('process', names);
  const memory = openSegment(names.name);
  try {
    expect(memory.size).toBe(wholeSize(8192));
    const content = (): Buffer => Buffer.from(memory.buffer as ArrayBuffer);
    peer.type('x'.repeat(5000));
    peer.type('ab');
    while (content().toString('utf16le', 0, 6) !== 'ab\0') await new Promise((done) => setTimeout(done, 5));
    await peer.end();
    expect(
      content()
        .subarray(4)
        .every((byte) => byte === 0),
    ).toBe(true);
  } finally {
    memory.close();
  }
});

test('a text of 5000 characters is cut to 4095', async () => {
  const names = uniqueNames();
  const [writer, reader] = [await start('process', names), await start('thread', names)];
  writer.type('y'.repeat(5000));
  await reader.prints(`board: ${'y'.repeat(4095)}`);
  await endAll([writer, reader]);
  expect(shows(writer)).toEqual([]);
});

test('a text that no memory can hold is refused, and control characters of others do not reach the terminal', async () => {
  const names = uniqueNames();
  const [writer, reader] = [await start('process', names), await start('process', names)];
  writer.type('a\0b');
  await Promise.race([writer.ended, until(() => writer.errors.length > 0)]);
  expect(writer.errors).toEqual([expect.stringMatching(/^not written, VALUE_/)]);
  writer.type('\u001b[2Jred');
  await reader.prints('board: \\u{1b}[2Jred');
  expect(await writer.end()).toBe(0);
  await endAll([reader]);
});

test.skipIf(onWindows)(
  'a board that lost its name is told, and no peer ends of it (on Linux, where names can go)',
  async () => {
    const names = uniqueNames();
    const peer = await start('process', names);
    unlinkSync(pathOf(names.name));
    peer.type('x');
    await Promise.race([peer.ended, until(() => peer.errors.length > 0)]);
    expect(peer.errors).toEqual([`not told: the memory is called ${pathOf(names.name)} no more`]);
    expect(await peer.end()).toBe(0);
  },
);

/** Waits for a sign; the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 5));
}

test.skipIf(!onWindows)(
  "a peer does not hear its own notice, but hears another's (on Windows alone; a touch on Linux reaches everybody)",
  async () => {
    const { name, message } = uniqueNames();
    const [own, other] = [openNotices(name, message), openNotices(name, message)];
    let [heard, heardByOther] = [0, 0];
    const listening = [
      (async () => {
        for await (const _ of own.heard()) heard++;
      })(),
      (async () => {
        for await (const _ of other.heard()) heardByOther++;
      })(),
    ];
    expect(own.tell()).toBeUndefined();
    await until(() => heardByOther === 1);
    // What comes behind one's own in one's own queue.
    expect(other.tell()).toBeUndefined();
    await until(() => heard > 0);
    await new Promise((done) => setTimeout(done, 200));
    expect([heard, heardByOther]).toEqual([1, 1]);
    own.close();
    other.close();
    await Promise.all(listening);
  },
);

// One test of this file alone uses these names; under Wine files run one after the other.
test.skipIf(!onWindows || NATIVE === undefined)(
  "under the original's own names, native peers and ours meet (on Windows alone, where the names come from)",
  async () => {
    expect(ORIGINAL).toEqual({
      name: 'D9287E19-6F9E-45fa-897C-D392F73A0F2F',
      message: 'CC667211-7CE9-40c5-809A-1DA48E4014C4',
    });
    const native = await start('native', ORIGINAL);
    const ours = startExample(PEER, []);
    await ours.prints('joined the board');
    await converse([native, ours]);
    await endAll([native, ours]);
  },
);
