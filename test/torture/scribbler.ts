// A thread of hostile.test.ts that writes random words all over a segment.
import { parentPort, workerData } from 'node:worker_threads';
import { openSegment, type Handle } from '../../src/index.ts';
import { Chance } from './campaign.ts';

const segment = openSegment(workerData as Handle, { access: 'read-write' });
const words = new Int32Array(segment.buffer, 0, Math.floor(segment.size / 4));
const sound = words.slice();
const chance = new Chance(1);
const SMALL = 8;
parentPort!.postMessage('begun');
for (let turn = 0; ; turn++) {
  const at = chance.below(words.length);
  words[at] = chance.below(2) === 0 ? chance.below(SMALL) : chance.below(2 ** 32);
  // Sound again now and then, or nobody would come past the first check.
  if (turn % 64 === 0) words.set(sound);
}
