// The process monitor: samples every process of this machine into shared memory, several times a second. Meanwhile a second
// process shows them, one worker checks every snapshot that it can take, and another worker sums a column.
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { parseArgs } from 'node:util';
import { READERS } from './layout.ts';
import { startReaders } from './readers.ts';
import { type Outcome, report } from './report.ts';
import { SampleWriter } from './sample-writer.ts';
import { makeSampler, type Sampler } from './sampler.ts';
import { createStores, type WriterStores } from './stores.ts';

const USAGE = `Usage: monitor.ts [--seconds <number>] [--source proc|os]

In a terminal it is live until you press q or Ctrl-C; elsewhere it runs a few seconds and prints a report.

  --seconds <number>  end when all have read for so many seconds
  --source proc|os    sample /proc or what Node's os module tells; default: /proc where there is one
  --help              show this text`;

const INTERVAL_MS = 200;
const SECONDS_WITHOUT_TERMINAL = 3;
/** How long readers may take to end after the last sample. */
const PATIENCE_MS = 5000;

interface Options {
  readonly help: boolean;
  /** There is a terminal to draw on. */
  readonly live: boolean;
  readonly seconds: number;
  readonly sampler: Sampler;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      source: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const live = isatty(0) && isatty(1) && process.env['TERM'] !== 'dumb';
  const seconds = Number(values.seconds ?? (live ? Infinity : SECONDS_WITHOUT_TERMINAL));
  if (!(seconds > 0)) throw new RangeError(`--seconds is '${values.seconds}', expected a number above 0`);
  return { help: values.help, live, seconds, sampler: makeSampler(values.source) };
}

/** Runs until the time is over, a signal asks for the end, or a reader ends. */
async function run({ live, seconds, sampler }: Options): Promise<Outcome> {
  const stop = new AbortController();
  const requestStop = (): void => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, requestStop);

  const startedAt = performance.now();
  const stores = createStores(1024 + 2 * sampler.take().length);
  try {
    const writer = new SampleWriter(stores);
    const readers = startReaders(stores.handles, live);
    // The table ends when the user quits. Whether somebody failed is told at the end.
    readers.firstEnd.then(requestStop, requestStop);
    try {
      let readingSince = Infinity;
      while (!stop.signal.aborted && performance.now() - readingSince < seconds * 1000) {
        writer.write(sampler.take(), sampler.source);
        await sleep(INTERVAL_MS, undefined, { signal: stop.signal }).catch(() => {});
        if (readingSince === Infinity && everybodyReads(stores)) readingSince = performance.now();
      }
    } finally {
      writer.end();
      await readers.allEnded(PATIENCE_MS);
    }
    const ranSeconds = (performance.now() - startedAt) / 1000;
    return report({ seconds: ranSeconds, writes: writer.writes, sample: writer.head }, stores);
  } finally {
    stores.close();
  }
}

function everybodyReads({ tallies }: WriterStores): boolean {
  return Object.values(READERS).every((reader) => tallies.generation(reader) > 0);
}

function fail(text: unknown): never {
  console.error(text);
  // Not just an exit code: readers that could not be told end with this process.
  process.exit(1);
}

let options: Options;
try {
  options = readOptions();
} catch (error) {
  fail(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
}
if (options.help) {
  console.log(USAGE);
} else {
  try {
    const { text, torn } = await run(options);
    console.log(text);
    if (torn > 0n) fail(`${torn} snapshots did not match their checksum`);
  } catch (error) {
    fail(error);
  }
}
