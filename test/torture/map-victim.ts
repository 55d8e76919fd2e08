// A process that dies, stops or blocks at one step of a change of a map, or prints the steps it passes: `map-victim.ts NAMES ACTS ACTION STEP
// PASS`, preloaded with fault-points.ts. It changes one map after the other; otherwise it gets one. Steps to stop at one after the other
// stand behind `;`.
import { openMap } from '../../src/index.ts';
import { ARMED_WORD } from '../../src/store/segment-header.ts';
import { blockHere, dieHere, stopHere } from '../support/ending.ts';
import { type Act, definition, perform } from './map-acts.ts';

const [names, acts, action, step, pass] = process.argv.slice(2) as [string, string, string, string, string];
let passed: string[] = [];
const places = new Set<string>();
const points = step.split(';');

function onStep(at: string, source?: string): void {
  passed.push(at);
  if (source !== undefined) places.add(`${source}: ${at}`);
  if (action === 'trace' || at !== points[0] || passed.filter((each) => each === at).length < Number(pass))
    return;
  points.shift();
  if (action === 'block') blockHere();
  else if (action === 'kill') dieHere();
  else stopHere();
}

const maps = names.split(',').map((name) => openMap(name, definition, { access: 'read-write' }));
process.stdout.write('ready\n');
const steps = (JSON.parse(acts) as Act[]).map((act, i) => {
  const map = maps[i]!;
  // Armed, as a watcher leaves it: so that the writer has somebody to ring for.
  new Int32Array(map.segment.buffer, 0, 64)[ARMED_WORD] = 1;
  passed = [];
  globalThis.sharecordStep = onStep;
  perform(map, act);
  globalThis.sharecordStep = () => {};
  map.close();
  return passed;
});
process.stdout.write(
  `${JSON.stringify({ steps: JSON.stringify(steps), places: JSON.stringify([...places]) })}\n`,
);
