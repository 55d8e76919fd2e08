// One peer: each line typed here becomes everybody's text, and each text of another peer is shown. It ends with its input.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { GuardError, ValueError } from 'sharecord';
import { joinBoard, ORIGINAL } from './board.ts';
import { openNotices } from './notices.ts';

const { name, message } = parseArgs({
  options: {
    name: { type: 'string', default: ORIGINAL.name },
    message: { type: 'string', default: ORIGINAL.message },
  },
}).values;

let typed = 0;
let shown = 0;

/** Runs `work` again while a peer keeps the lock, which it tells the user. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof GuardError && error.code === 'LOCK_TIMEOUT')) throw error;
      console.error(error.message);
    }
  }
}

/** Spells what others wrote for a terminal: no control character of theirs reaches it. */
const printable = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );

/** Shows the text if it changed. It sends no notice: what is only shown has not changed. */
async function look(): Promise<void> {
  const text = await patiently(board.readChange);
  if (text === undefined) return;
  shown++;
  console.log(`board: ${printable(text)}`);
}

const board = joinBoard(name);
// Listen first, then look: a change in between is told.
const notices = openNotices(name, message);
const listening = (async () => {
  for await (const _ of notices.heard()) await look();
})();
try {
  console.log(board.created ? 'created the board' : 'joined the board');
  await look();
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      await patiently(() => board.write(line));
    } catch (error) {
      // No text that can be there: the board is as it was.
      if (!(error instanceof ValueError)) throw error;
      console.error(`not written, ${error.code}: ${error.message}`);
      continue;
    }
    typed++;
    const reason = notices.tell();
    if (reason !== undefined) console.error(`not told: ${reason}`);
  }
  console.log(`typed ${typed}, shown ${shown}`);
} finally {
  notices.close();
  await listening;
  board.close();
}
