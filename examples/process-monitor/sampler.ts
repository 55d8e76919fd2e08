// Where the processes come from: /proc where there is one, else what Node's `os` gives.
import { existsSync } from 'node:fs';
import type { InferInput } from 'sharecord';
import type { ProcessRow } from './layout.ts';
import { OsSampler } from './os-sampler.ts';
import { ProcSampler } from './proc-sampler.ts';

/** A row before the writer numbers and seals it. */
export type Process = Omit<InferInput<typeof ProcessRow>, 'sample' | 'checksum'>;

export interface Sampler {
  readonly source: 'proc' | 'os';
  /** Looks at all processes once. */
  take(): Process[];
}

/** Makes the sampler of that source; by default the best that this machine has. */
export function makeSampler(source: string = existsSync('/proc/self/stat') ? 'proc' : 'os'): Sampler {
  if (source === 'proc') return new ProcSampler();
  if (source === 'os') return new OsSampler();
  throw new Error(`--source is '${source}', expected 'proc' or 'os'`);
}
