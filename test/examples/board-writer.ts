// A process of text-board-torn.test.ts that writes to a board, by the rules or against them.
//   together NAME   two long texts in turn, as peers of the example do
//   alone NAME      the same without any lock: the control
//   die NAME        takes the lock, writes half of a text and is killed with the lock in its hands
//   begin NAME      takes the lock, notes a text, and is killed before it writes it
//   look NAME       takes the lock and is killed with the lock in its hands
import { setTimeout as sleep } from 'node:timers/promises';
import { joinRecord, namedMutex, openStore, unguarded } from 'sharecord';
import { Board, joinBoard, Note } from '../../examples/text-board/board.ts';

const [role, name] = process.argv.slice(2) as [string, string];
const TEXTS = ['A', 'B'].map((letter) => letter.repeat(4095)) as [string, string];

const input = new AbortController();
process.stdin.resume().once('end', () => input.abort());

if (role === 'die' || role === 'begin' || role === 'look') {
  const notes = openStore(`${name}.note`, Note, { access: 'read-write' });
  const board = joinRecord(name, Board, {
    guard: namedMutex(`${name}.lock`, { timeoutMs: 1000, onAbandoned() {} }),
  });
  await board.withLock((locked) => {
    const { text } = locked.read();
    const before = new Uint8Array(board.segment.buffer, 0, Board.size);
    if (role !== 'look') notes.write(0, { isPending: true, before, text: TEXTS[1] });
    // The first half: the other one is what was there before.
    if (role === 'die') locked.write({ text: TEXTS[1].slice(0, 2000) + text.slice(2000) });
    process.kill(process.pid, 'SIGKILL');
  });
} else {
  const board = role === 'together' ? joinBoard(name) : joinRecord(name, Board, { guard: unguarded() });
  const write = (text: string): unknown =>
    'readChange' in board ? board.write(text) : board.write({ text });
  console.log('hammering');
  for (let round = 0; !input.signal.aborted; round++) {
    await write(TEXTS[round % 2] as string);
    await sleep(1);
  }
  board.close();
}
