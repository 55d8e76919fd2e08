// A server: asks for flags at every request, and is told of each change.
import { type MapReader, openMap } from 'sharecord';
import { definition } from './flag.ts';

const [name = 'flags', server = 'a'] = process.argv.slice(2);
const flags: MapReader<typeof definition.key, typeof definition.layout> = openMap(name, definition);

/** Reads as a plain Map would: code that takes a ReadonlyMap need not know where the flags are. */
function isOn(all: ReadonlyMap<string, { percent: number }>, flag: string, user: number): boolean {
  return user % 100 < (all.get(flag)?.percent ?? 0);
}
const share = (flag: string): number => {
  let on = 0;
  for (let user = 0; user < 100; user++) if (isOn(flags, flag, user)) on++;
  return on;
};

try {
  const changes = flags.watch();
  console.log(`${server}: ${[...flags.keys()].join(', ')}; dark mode for ${share('dark-mode')} of 100`);
  process.send?.('ready');
  for await (const { key, record } of changes) {
    console.log(`${server}: ${key} ${record === undefined ? 'is gone' : `at ${record.percent} percent`}`);
    if (key === 'dark-mode') console.log(`${server}: dark mode for ${share('dark-mode')} of 100`);
    if (key === 'shutdown') break;
  }
  console.log(`${server}: new search for ${share('new-search')} of 100`);
} finally {
  flags.close();
}
