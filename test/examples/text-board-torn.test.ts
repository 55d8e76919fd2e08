// What the original leaves open: a reader gets half of a text that is being written.
//
//   writer                        reader takes the lock    reader takes no lock
//   ours                          whole                    -
//   ours without the lock         torn (the control)       torn (the control)
//   native with the lock          whole                    -
//   native, as the original       torn: this remains       torn
import { describe, expect, test } from 'vitest';
import { Board, joinBoard } from '../../examples/text-board/board.ts';
import { openRecord, unguarded } from '../../src/index.ts';
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

test('the text of a peer that was killed in the middle of writing is finished by the next one', async () => {
  const name = boardName();
  const board = joinBoard(name);
  const raw = openRecord(name, Board, { guard: unguarded() });
  try {
    await board.write('x'.repeat(4095));
    const peer = startExample('../test/examples/board-writer.ts', ['die', name]);
    await peer.ended;
    expect(raw.read().text).toBe('B'.repeat(2000) + 'x'.repeat(2095));
    expect(await board.readChange()).toBe('B'.repeat(4095));
    expect(raw.read().text).toBe('B'.repeat(4095));
    expect(await board.readChange()).toBeUndefined();
  } finally {
    raw.close();
    board.close();
  }
});
