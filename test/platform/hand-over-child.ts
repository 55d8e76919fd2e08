// A process of modes.test.ts: opens what it was handed in its environment, counts in its first word, and says what it found;
// or makes an inheritable store that a process of its own inherits, and waits to be killed.
import { spawn } from 'node:child_process';
import {
  createStore,
  type ForeignHandle,
  type Handle,
  openSegment,
  SharecordError,
  struct,
  u32,
} from 'sharecord';

const { HANDED_OVER = '', ANY_OWNER } = process.env;
const [role, name] = process.argv.slice(2);

function count(source: Handle | ForeignHandle): string {
  try {
    const segment = openSegment(source, { access: 'read-write', anyOwner: ANY_OWNER === 'yes' });
    const found = Atomics.add(new Int32Array(segment.buffer, 0, 1), 0, 1);
    const { size } = segment;
    segment.close();
    return `found ${found} in ${size} bytes`;
  } catch (error) {
    if (error instanceof SharecordError) return error.code;
    throw error;
  }
}

if (role === 'count') {
  // Only when it is told to: its parent may have something to close before.
  process.stdin.once('data', () => {
    for (const source of JSON.parse(HANDED_OVER) as (Handle | ForeignHandle)[]) console.log(count(source));
    process.stdin.destroy();
  });
} else {
  const layout = struct('Row', { id: u32 });
  createStore({ name: name!, layout, capacity: 1, inheritable: true }).write(0, { id: 5 });
  // Detached, or Windows would end it with this process.
  const heir = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    stdio: 'ignore',
    detached: true,
  });
  console.log(`heir ${heir.pid}`);
  setInterval(() => {}, 1000);
}
