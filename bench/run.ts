// Runs the benchmark: each row in a process of its own, one after the other, and prints one table.
//
//   npm run bench -- [--quick | --check] [--large] [--json FILE] [--only ROW …]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildNative, startNative } from './native.ts';
import type { Line, Row } from './row.ts';
import type { Sampling } from './sampling.ts';
import { tableOf } from './table.ts';

const ROWS: Readonly<Record<string, () => Promise<{ row: Row }>>> = {
  fields: () => import('./rows/fields.ts'),
  'read-into': () => import('./rows/read-into.ts'),
  read: () => import('./rows/read.ts'),
  write: () => import('./rows/write.ts'),
  publish: () => import('./rows/publish.ts'),
  changes: () => import('./rows/changes.ts'),
  text: () => import('./rows/text.ts'),
  packages: () => import('./rows/packages.ts'),
  sizes: () => import('./rows/sizes.ts'),
  wake: () => import('./rows/wake.ts'),
  stores: () => import('./rows/stores.ts'),
  map: () => import('./rows/map.ts'),
  growth: () => import('./rows/growth.ts'),
};
const FULL: Sampling = { rounds: 61, sampleMs: 8, warmUpMs: 400 };
const QUICK: Sampling = { rounds: 11, sampleMs: 5, warmUpMs: 400 };
/** Each contender runs and gives the right result; its figures mean nothing. */
const CHECK: Sampling = { rounds: 1, sampleMs: 1, warmUpMs: 0 };

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    // What follows is for the processes of the rows.
    row: { type: 'string' },
    variant: { type: 'string' },
    native: { type: 'string' },
  },
});
const sampling = options.check ? CHECK : options.quick ? QUICK : FULL;
const quick = options.quick || options.check;

async function rowNamed(name: string): Promise<Row> {
  const load = ROWS[name];
  if (load === undefined)
    throw new Error(`no row is called ${name}, expected one of ${Object.keys(ROWS).join(', ')}`);
  return (await load()).row;
}

/** In the process of a row: measures and sends the lines to the parent. */
async function runRow(name: string, variant: string): Promise<void> {
  const row = await rowNamed(name);
  const native = options.native === undefined ? undefined : startNative(options.native);
  const { large } = options;
  const lines = await row.run({ sampling, quick, large, native }, variant);
  await native?.[Symbol.asyncDispose]();
  process.send?.(lines);
}

/** Runs one variant of a row in a new process. */
async function measureRow(
  name: string,
  variant: string,
  native: string | undefined,
): Promise<readonly Line[]> {
  const passedOn = (['quick', 'check', 'large'] as const)
    .filter((flag) => options[flag])
    .map((flag) => `--${flag}`);
  const place = native === undefined ? [] : ['--native', native];
  const child = fork(new URL(import.meta.url), ['--row', name, '--variant', variant, ...passedOn, ...place]);
  let lines: readonly Line[] = [];
  child.on('message', (message) => (lines = message as Line[]));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`row ${name}, ${variant} ended with ${String(code)}`);
  return lines;
}

/** Measures all rows in turn and gives the lines so far after each. */
async function* measureRows(names: readonly string[]): AsyncGenerator<readonly Line[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sharecord-bench-'));
  const lines: Line[] = [];
  try {
    const native = buildNative(folder);
    for (const name of names) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      const { variants } = await rowNamed(name);
      for (const variant of variants) {
        if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${name}: ${variant}`);
        // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
        lines.push(...(await measureRow(name, variant, native)));
        yield lines;
      }
    }
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runAll(): Promise<void> {
  const names = options.only.length === 0 ? Object.keys(ROWS) : options.only;
  const loadBefore = loadavg();
  const machine = {
    cpu: cpus()[0]?.model,
    cpus: cpus().length,
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    ...sampling,
  };
  let lines: readonly Line[] = [];
  for await (lines of measureRows(names)) {
    // After each row: what was measured is not lost when the rest is cut short.
    const report = { machine, loadBefore, loadAfter: loadavg(), lines };
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 1)}\n`);
  }
  const load = `load ${loadBefore[0]?.toFixed(2)} before, ${loadavg()[0]?.toFixed(2)} after`;
  console.log(`${machine.cpu}, ${machine.cpus} CPUs, ${machine.platform}, Node ${machine.node}, ${load}`);
  console.log(tableOf(lines));
}

if (options.row === undefined) await runAll();
else await runRow(options.row, options.variant ?? '');
