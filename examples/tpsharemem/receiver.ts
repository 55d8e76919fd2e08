// The receiver: shows the text that is there, and each one that it is told of. It ends with its input.
import { once } from 'node:events';
import { GuardError } from 'sharecord';
import { openNotices } from './notices.ts';
import { readOptions } from './options.ts';
import { joinMemory } from './record.ts';

const options = readOptions();
const memory = joinMemory(options);
// Listen first, then look: a change in between is told.
const notices = openNotices(options);
let received = 0;

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

function show(): void {
  try {
    const text = take();
    if (text === '') return;
    received++;
    console.log(`Data: ${text}`);
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    console.error(`not read, ${error.code}: ${error.message}`);
  }
}

const listening = (async () => {
  for await (const _ of notices.heard()) show();
})();
try {
  show();
  console.log('ready to receive');
  await once(process.stdin.resume(), 'end');
  console.log(`received ${received}`);
} finally {
  notices.close();
  await listening;
  memory.close();
}
