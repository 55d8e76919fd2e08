// One side, `side.ts server` or `side.ts client`: each line of numbers typed here becomes its zone, and the other's zone is shown when
// that changed. It ends with its input.
import { createInterface } from 'node:readline';
import { GuardError, SharecordError } from 'sharecord';
import { openNotices } from './notices.ts';
import { readOptions } from './options.ts';
import { joinZones, LyingCount } from './zones.ts';

const options = readOptions();
const { role } = options;
const other = role === 'server' ? 'client' : 'server';
const zones = joinZones(options);
const notices = openNotices(options);
let written = 0;
let seen = 0;
let last = '';

/** Shows the other's zone if it changed: on Linux one's own touch is heard too. */
function look(): void {
  let text: string;
  try {
    text = zones.theirs.read().join(' ');
  } catch (error) {
    if (!(error instanceof LyingCount || error instanceof GuardError)) throw error;
    text = `refused: ${error.message}`;
  }
  if (text === last) return;
  last = text;
  seen++;
  console.log(`${other}: ${text}`);
}

const listening = (async () => {
  for await (const _ of notices.heard()) look();
})();
try {
  zones.handles.assign({ [role]: notices.handle });
  look();
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
    if (!notices.tell(zones.handles.read()[other])) console.error(`no ${other} is there`);
  }
  console.log(`written ${written}, seen ${seen}`);
} finally {
  zones.handles.assign({ [role]: 0 });
  notices.close();
  await listening;
  zones.close();
}
