// The command line of both sides.
import { parseArgs } from 'node:util';

const OPTIONS = {
  map: { type: 'string', default: 'MapName' },
  mutex: { type: 'string', default: 'My MUTEX NAME COES HERE' },
  title: { type: 'string', default: 'Form2' },
  encoding: { type: 'string', default: 'utf-16' },
  'no-mutex': { type: 'boolean', default: false },
  clear: { type: 'boolean', default: false },
} as const;

export const readOptions = () => parseArgs({ options: OPTIONS }).values;
export type Options = ReturnType<typeof readOptions>;
