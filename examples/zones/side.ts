// One side, `side.ts server` or `side.ts client`: each line of numbers typed here becomes its zone, and the other's zone is shown when
// that changed. It ends with its input.
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { GuardError, SharecordError } from 'sharecord';
import { openNotices } from './notices.ts';
import { readOptions } from './options.ts';
import { joinZones, Refused } from './zones.ts';

const options = readOptions();
const { role } = options;
const other = role === 'server' ? 'client' : 'server';
const zones = joinZones(options);
const notices = openNotices(options);
let written = 0;
let seen = 0;
let last = '';
const over = new AbortController();

/** Gives what the other's zone has, or why that is refused. While somebody keeps its mutex there is neither. */
function readTheirs(): string | undefined {
  try {
    return zones.theirs.read().join(' ');
  } catch (error) {
    if (error instanceof Refused) return `refused: ${error.message}`;
    if (!(error instanceof GuardError)) throw error;
    console.error(`not read yet, ${error.code}: ${error.message}`);
    return undefined;
  }
}

/** Shows the other's zone if it changed: on Linux one's own touch is heard too. It tries until it could read: nobody tells twice. */
async function look(): Promise<void> {
  let text = readTheirs();
  while (text === undefined && !over.signal.aborted) {
    await setImmediate(); // each try waits up to 1000 ms; in between the input may end
    text = readTheirs();
  }
  if (text === undefined || text === last) return;
  last = text;
  seen++;
  console.log(`${other}: ${text}`);
}

const listening = (async () => {
  await look();
  for await (const _ of notices.heard()) await look();
})();
try {
  zones.handles.assign({ [role]: notices.handle });
  console.log(`${role} is ready`);
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      zones.mine.write(line.split(' ').filter(Boolean).map(Number));
    } catch (error) {
      // Too many, or not 32-bit integers: the zone is as it was.
      if (!(error instanceof SharecordError)) throw error;
      console.error(`not written, ${error.code}: ${error.message}`);
      continue;
    }
    written++;
    const reason = notices.tell(zones.handles.read()[other]);
    if (reason !== undefined) console.error(reason);
  }
  console.log(`written ${written}, seen ${seen}`);
} finally {
  over.abort();
  // Another one of this role may have come since.
  if (zones.handles.read()[role] === notices.handle) zones.handles.assign({ [role]: 0 });
  notices.close();
  await listening;
  zones.close();
}
