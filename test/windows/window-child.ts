// A process of messages.test.ts with a window of the title it is given: `reads` gives one message back and closes, `closes` does
// that at once, `forgets` does nothing, `returns` gives up an iterator that waits. Nothing here ends the process.
import { openMessageWindow } from 'sharecord/win32';

const [title, how] = process.argv.slice(2) as [string, string];
const window = openMessageWindow({ title });
process.stdout.write(`handle ${window.handle}\n`);
if (how === 'closes') window.close();
if (how === 'returns') {
  const iterator = window[Symbol.asyncIterator]();
  void iterator.next();
  await iterator.return!();
}
if (how === 'reads') {
  for await (const { message, wParam } of window) {
    process.stdout.write(`message ${message} ${wParam}\n`);
    window.close();
  }
  process.stdout.write(`over, closed: ${window.closed}\n`);
}
