// Takes the baton and counts: as a child that has it in its environment, and as a process that runs already and gets it on
// its input. Each further line of input counts once more; the end of the input closes what it has.
import { createInterface } from 'node:readline';
import type { ForeignHandle, Handle } from 'sharecord';
import { take } from './baton.ts';

interface Given {
  readonly source: Handle | ForeignHandle;
  readonly offset?: number;
}

const { HANDED_OVER } = process.env;
let baton: ReturnType<typeof take> | undefined;
const hit = (): void => console.log(`hits ${baton?.hit(`runner ${process.pid}`)}`);

if (HANDED_OVER !== undefined) {
  // What a child inherits is its own. Adopted it is closed with the rest; else the memory would stay as long as this process.
  const { osHandle } = JSON.parse(HANDED_OVER) as ForeignHandle;
  baton = take({ osHandle, adopt: true });
  hit();
}
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'again') {
    const { source, offset } = JSON.parse(line) as Given;
    baton?.close();
    baton = take(source, offset);
  }
  hit();
}
baton?.close();
