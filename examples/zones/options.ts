// The command line of both sides. What is agreed beforehand (sizes, what the counts count) must be given to both.
import { parseArgs } from 'node:util';

/** How many values a zone has room for, and whether its count counts itself. */
export interface Agreed {
  readonly n: number;
  readonly countsItself: boolean;
}

export function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string', default: 'zzj' }, // the original's listings have ' zzj', its text has 'zzj'
      n1: { type: 'string', default: '100' },
      n2: { type: 'string', default: '100' },
      count1: { type: 'string', default: 'n+1' },
      count2: { type: 'string', default: 'n' },
      server: { type: 'string', default: 'WFServer' },
      client: { type: 'string', default: 'WFClient' },
    },
  });
  const agreed = (n: string, count: string): Agreed => ({ n: Number(n), countsItself: count === 'n+1' });
  return {
    role: positionals[0] === 'client' ? ('client' as const) : ('server' as const),
    name: values.name,
    zones: [agreed(values.n1, values.count1), agreed(values.n2, values.count2)] as const,
    titles: { server: values.server, client: values.client },
  };
}
export type Options = ReturnType<typeof readOptions>;
