// What the original leaves open: a reader gets half of a text that is being written.
//
//   writer                        reader takes the lock    reader takes no lock
//   ours                          whole                    -
//   ours without the lock         torn (the control)       torn (the control)
//   native with the lock          whole                    -
//   native, as the original       torn: this remains       torn
import { describe, expect, test } from 'vitest';
import { Board, joinBoard, Note } from '../../examples/text-board/board.ts';
import { openRecord, openStore, unguarded } from '../../src/index.ts';
import { type LinePeer, startExample, startProgram } from './line-peer.ts';
import { uniqueName } from './names.ts';
import { nativePeer } from './native-peer.ts';

const NATIVE = nativePeer('text-board', 'board');
const CHANGES = 300;
const TORN_ENOUGH = 5;

const WRITERS = {
  ours: (name: string) => startExample('../test/examples/board-writer.ts', ['together', name]),
  'ours without the lock': (name: string) =>
    startExample('../test/examples/board-writer.ts', ['alone', name]),
  'native with the lock': (name: string) =>
    startProgram(NATIVE as string, [name, 'no message', '--lock', '--hammer']),
  'native, as the original': (name: string) =>
    startProgram(NATIVE as string, [name, 'no message', '--hammer']),
};
type Writer = keyof typeof WRITERS;
// Without a compiler for Windows there is no native peer, and its rows are left out.
const available = (writers: readonly Writer[]): readonly Writer[] =>
  writers.filter((writer) => NATIVE !== undefined || writer.startsWith('ours'));

const boardName = (): string => uniqueName((name) => [`${name}.lock`, `${name}.note`]);
const isWhole = (text: string): boolean => text === '' || /^(A{4095}|B{4095})$/.test(text);

async function hammer(writer: Writer, name: string): Promise<LinePeer> {
  const peer = WRITERS[writer](name);
  await peer.prints('hammering');
  return peer;
}

describe('a peer of the text board that reads with the lock', () => {
  test.each(available(['ours', 'native with the lock']))(
    'gets whole texts of a writer: %s',
    async (writer) => {
      const name = boardName();
      const board = joinBoard(name);
      try {
        const peer = await hammer(writer, name);
        let changes = 0;
        const torn: string[] = [];
        while (changes < CHANGES) {
          const text = await board.readChange();
          if (text === undefined) {
            await new Promise((resolve) => setImmediate(resolve));
            continue;
          }
          changes++;
          if (!isWhole(text)) torn.push(text);
        }
        expect(torn).toEqual([]);
        expect(await peer.end()).toBe(0);
      } finally {
        board.close();
      }
    },
  );

  test.each(available(['ours without the lock', 'native, as the original']))(
    'gets torn texts of a writer that takes none (the control, and what remains): %s',
    async (writer) => {
      const name = boardName();
      const board = joinBoard(name);
      try {
        const peer = await hammer(writer, name);
        for (let torn = 0; torn < TORN_ENOUGH;) {
          const text = await board.readChange();
          if (text !== undefined && !isWhole(text)) torn++;
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(await peer.end()).toBe(0);
      } finally {
        board.close();
      }
    },
  );
});

test('a reader without the lock gets torn texts of peers that take it', async () => {
  const name = boardName();
  const board = joinBoard(name);
  const reader = openRecord(name, Board, { guard: unguarded() });
  try {
    const peer = await hammer('ours', name);
    for (let reads = 0, torn = 0; torn < TORN_ENOUGH; reads++) {
      if (!isWhole(reader.read().text)) torn++;
      if (reads % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await peer.end()).toBe(0);
  } finally {
    reader.close();
    board.close();
  }
});

describe('a peer that was killed', () => {
  type Peer = 'die' | 'begin' | 'look';
  /** A board with a text on it, the memory as others see it, and a way to be killed on it. */
  async function withDeaths(
    work: (
      board: ReturnType<typeof joinBoard>,
      textThere: (write?: string) => string,
      dies: (how: Peer) => Promise<unknown>,
      name: string,
    ) => Promise<void>,
  ): Promise<void> {
    const name = boardName();
    const board = joinBoard(name);
    const raw = openRecord(name, Board, { guard: unguarded(), access: 'read-write' });
    try {
      await board.write('x'.repeat(4095));
      const textThere = (write?: string): string => {
        if (write !== undefined) raw.write({ text: write });
        return raw.read().text;
      };
      const dies = (how: Peer) => startExample('../test/examples/board-writer.ts', [how, name]).ended;
      await work(board, textThere, dies, name);
      const notes = openStore(`${name}.note`, Note);
      expect(notes.read(0).isPending).toBe(false);
      notes.close();
    } finally {
      raw.close();
      board.close();
    }
  }

  test('in the middle of writing has its text finished by the next one', () =>
    withDeaths(async (board, textThere, dies) => {
      await dies('die');
      expect(textThere()).toBe('B'.repeat(2000) + 'x'.repeat(2095));
      expect(await board.readChange()).toBe('B'.repeat(4095));
      expect(textThere()).toBe('B'.repeat(4095));
      expect(await board.readChange()).toBeUndefined();
    }));

  test('before it wrote anything leaves the text that was there', () =>
    withDeaths(async (board, textThere, dies) => {
      await dies('begin');
      expect(await board.readChange()).toBeUndefined();
      expect(textThere()).toBe('x'.repeat(4095));
    }));

  test.each(['die', 'begin'] as const)(
    'while it wrote (%s) brings nothing back over what somebody without lock wrote since',
    (how) =>
      withDeaths(async (board, textThere, dies) => {
        await dies(how);
        textThere('newer');
        expect(await board.readChange()).toBe('newer');
        await dies('look');
        expect(await board.readChange()).toBeUndefined();
        expect(textThere()).toBe('newer');
      }),
  );

  test.skipIf(NATIVE === undefined).each(['die', 'begin'] as const)(
    'while it wrote (%s) brings nothing back over what a native peer with the lock wrote since',
    (how) =>
      withDeaths(async (board, textThere, dies, name) => {
        await dies(how);
        const native = startProgram(NATIVE as string, [name, 'no message', '--lock']);
        await native.prints('joined the board');
        native.type('newer');
        while (textThere() !== 'newer') await new Promise((resolve) => setTimeout(resolve, 5));
        await native.end();
        await dies('look');
        expect(await board.readChange()).toBe('newer');
        expect(textThere()).toBe('newer');
      }),
  );

  test.skipIf(NATIVE === undefined)(
    'while it wrote has its text finished also when a native peer with the lock was told of its death',
    () =>
      withDeaths(async (board, textThere, dies, name) => {
        await dies('die');
        const native = startProgram(NATIVE as string, [name, 'no message', '--lock']);
        // What remains: the native peer knows nothing of the note.
        await native.prints(`board: ${'B'.repeat(2000)}${'x'.repeat(2095)}`);
        await native.end();
        expect(await board.readChange()).toBe('B'.repeat(4095));
        expect(textThere()).toBe('B'.repeat(4095));
      }),
  );
});
