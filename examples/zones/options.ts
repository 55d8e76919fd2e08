// The command line of both sides. What is agreed beforehand (sizes, what the counts count) must be given to both.
import { parseArgs } from 'node:util';

/** How many values a zone has room for, and whether its count counts itself. */
export interface Agreed {
  readonly n: number;
  readonly countsItself: boolean;
}

type Role = 'server' | 'client';
const isRole = (text: string | undefined): text is Role => text === 'server' || text === 'client';

const OPTIONS = {
  name: { type: 'string', default: 'zzj' }, // the original's listings have ' zzj', its text has 'zzj'
  n1: { type: 'string', default: '100' },
  n2: { type: 'string', default: '100' },
  count1: { type: 'string', default: 'n+1' },
  count2: { type: 'string', default: 'n' },
  server: { type: 'string', default: 'WFServer' },
  client: { type: 'string', default: 'WFClient' },
} as const;

/** Reads the command line; throws an error that says what is wrong with it. */
export function readOptions() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: OPTIONS });
  const [role] = positionals;
  if (positionals.length !== 1 || !isRole(role)) {
    throw new Error(`expected server or client, found ${positionals.join(' ') || 'neither'}`);
  }
  const agreed = (zone: 1 | 2): Agreed => {
    const [n, count] = [values[`n${zone}`], values[`count${zone}`]];
    if (!/^[1-9]\d*$/.test(n)) throw new Error(`--n${zone} is ${n}, expected a number of values`);
    if (count !== 'n' && count !== 'n+1') throw new Error(`--count${zone} is ${count}, expected n or n+1`);
    return { n: Number(n), countsItself: count === 'n+1' };
  };
  return {
    role,
    name: values.name,
    zones: [agreed(1), agreed(2)] as const,
    titles: { server: values.server, client: values.client },
  };
}
export type Options = ReturnType<typeof readOptions>;
