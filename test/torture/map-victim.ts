// A process that dies or stops at one step of a change of a map, or prints the steps it passes: `map-victim.ts NAME ACT ACTION STEP
// PASS`, preloaded with fault-points.ts.
import { openMap } from '../../src/index.ts';
import { dieHere, stopHere } from '../support/ending.ts';
import { type Act, definition, perform } from './map-acts.ts';

const [name, act, action, step, pass] = process.argv.slice(2) as [string, string, string, string, string];
const passed: string[] = [];

const map = openMap(name, definition, { access: 'read-write' });
// Armed, as a watcher leaves it: so that the writer has somebody to ring for.
new Int32Array(map.segment.buffer, 0, 64)[192 / 4] = 1;
process.stdout.write('ready\n');
globalThis.sharecordStep = (at) => {
  passed.push(at);
  if (action === 'trace' || at !== step || passed.filter((each) => each === at).length !== Number(pass))
    return;
  if (action === 'kill') dieHere();
  else stopHere();
};
perform(map, JSON.parse(act) as Act);
globalThis.sharecordStep = () => {};
map.close();
process.stdout.write(`${JSON.stringify({ steps: JSON.stringify(passed) })}\n`);
