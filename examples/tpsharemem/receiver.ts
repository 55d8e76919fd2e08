// The receiver: shows the text that is there, and each one that it is told of. It ends with its input.
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { GuardError } from 'sharecord';
import { openNotices } from './notices.ts';
import { readOptions } from './options.ts';
import { joinMemory } from './record.ts';

const options = readOptions();
const memory = joinMemory(options);
// Listen first, then look: a change in between is told.
const notices = openNotices(options);
let received = 0;
const over = new AbortController();

/** Takes the text; with --clear it leaves none, as the original does, within one hold of the mutex. */
function take(): string {
  if (!options.clear) return memory.read().Data;
  let text = '';
  memory.update((draft) => {
    text = draft.Data;
    draft.Data = '';
  });
  return text;
}

/** Spells what others wrote for a terminal: no control character of theirs reaches it. */
const printable = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );

/** Shows the text. While another keeps the mutex it tries again: nobody tells twice of a text. */
async function show(): Promise<void> {
  while (!over.signal.aborted) {
    try {
      const text = take();
      if (text === '') return;
      received++;
      console.log(`Data: ${printable(text)}`);
      return;
    } catch (error) {
      if (!(error instanceof GuardError)) throw error;
      console.error(`not read yet, ${error.code}: ${error.message}`);
      await setImmediate(); // each try waits up to 1000 ms; in between the input may end
    }
  }
}

const listening = (async () => {
  await show();
  for await (const _ of notices.heard()) await show();
})();
try {
  console.log('ready to receive');
  await once(process.stdin.resume(), 'end');
  console.log(`received ${received}`);
} finally {
  over.abort();
  notices.close();
  await listening;
  memory.close();
}
