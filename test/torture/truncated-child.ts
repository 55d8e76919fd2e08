// A process of hostile.test.ts: has a store open, truncates its file when its input ends, and reads.
import { once } from 'node:events';
import * as fs from 'node:fs';
import { openStore } from '../../src/index.ts';
import { Wide } from './hostile-inputs.ts';

const [name = ''] = process.argv.slice(2);
const reader = openStore(name, Wide);
reader.read(999);
process.stdout.write('ready\n');
process.stdin.resume();
await once(process.stdin, 'end');
fs.truncateSync(`/dev/shm/${name}`, 0);
reader.read(999);
