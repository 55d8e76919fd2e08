import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  type AnyLayout,
  codegen,
  createMap,
  createSegment,
  createStore,
  type StoreWriter,
  utf8,
} from 'sharecord';
import { describe, expect, test } from 'vitest';
import { Bed, NODE, until } from '../support/bed.ts';
import { Event, Quote } from './layouts.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const LAYOUTS = fileURLToPath(new URL('layouts.ts', import.meta.url));
const ARGUMENTS = ['--conditions=@sharecord/source', MAIN];
const acme = { symbol: 'ACME', bid: 10.5, tick: 2n };

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end. */
async function sharecord(...args: readonly string[]): Promise<Ended> {
  const child = spawn(NODE, [...ARGUMENTS, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** A store with a name, closed after the test. */
function openBoard<L extends AnyLayout>(layout: L, capacity = 4): { name: string; store: StoreWriter<L> } {
  const bed = new Bed();
  const name = bed.name('cli');
  return { name, store: bed.keep(createStore({ name, layout, capacity })) };
}

describe('list', () => {
  test('names a store, its layout and its size', async () => {
    const { name, store } = openBoard(Quote);
    const { code, stdout } = await sharecord('list');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toContain([name, 'store', 'Quote', 4, store.segment.size].join('\t'));
  });

  test('prints JSON values', async () => {
    const { name } = openBoard(Quote);
    const { stdout } = await sharecord('list', '--json');
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; capacity: number });
    expect(rows.find((row) => row.name === name)?.capacity).toBe(4);
  });
});

describe('dump', () => {
  test('prints the records that were written, without a definition', async () => {
    const { name, store } = openBoard(Quote);
    store.write(2, acme);
    store.write(2, acme);
    const { code, stdout } = await sharecord('dump', name);
    expect(stdout).toBe("2\t2\t{ symbol: 'ACME', bid: 10.5, tick: 2n }\n");
    expect(code).toBe(0);
  });

  test('prints every record with --all and one with --index', async () => {
    const { name } = openBoard(Quote);
    expect((await sharecord('dump', name, '--all')).stdout.trim().split('\n')).toHaveLength(4);
    expect((await sharecord('dump', name, '--index', '3')).stdout).toMatch(/^3\t0\t/);
  });

  test('prints JSON with bigints as text, bytes as hexadecimal, dates as ISO 8601', async () => {
    const { name, store } = openBoard(Event);
    store.write(0, { at: new Date(0), key: Uint8Array.of(255, 1) });
    const { stdout } = await sharecord('dump', name, '--json');
    const record = { at: '1970-01-01T00:00:00.000Z', key: 'ff01' };
    expect(JSON.parse(stdout)).toEqual({ index: 0, generation: 1, record });
    const quotes = openBoard(Quote);
    quotes.store.write(0, acme);
    const line = (await sharecord('dump', quotes.name, '--json')).stdout;
    expect(JSON.parse(line)).toEqual({ index: 0, generation: 1, record: { ...acme, tick: '2' } });
  });

  test('lets no control character of a text reach the terminal', async () => {
    const { name, store } = openBoard(Quote);
    store.write(0, { ...acme, symbol: '\u001b[2J\u009b1m\u202e' });
    const { stdout } = await sharecord('dump', name);
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    expect(stdout.trimEnd().replaceAll('\t', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  test('prints the entries of a map', async () => {
    const bed = new Bed();
    const map = bed.keep(createMap({ name: bed.name('cli'), key: utf8(8), layout: Quote, capacity: 4 }));
    map.set('first', acme);
    const name = map.segment.name as string;
    expect((await sharecord('dump', name)).stdout).toBe("'first'\t{ symbol: 'ACME', bid: 10.5, tick: 2n }\n");
    expect(JSON.parse((await sharecord('dump', name, '--json')).stdout)).toEqual({
      key: 'first',
      record: { ...acme, tick: '2' },
    });
    expect((await sharecord('list')).stdout).toContain(`${name}\tmap\t`);
    expect((await sharecord('dump', name, '--index', '0')).stderr).toMatch(/a map has keys/);
  });

  test('says with the code what is wrong, and ends with 1', async () => {
    const bed = new Bed();
    const missing = await sharecord('dump', bed.name('missing'));
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toMatch(/^sharecord: SEGMENT_NOT_FOUND: cannot open .*\n$/);

    const { name } = openBoard(Quote);
    expect((await sharecord('dump', name, '--index', '4')).stderr).toMatch(/INDEX_RANGE/);

    const foreign = bed.keep(createSegment({ name: bed.name('raw'), size: 4096 }));
    expect((await sharecord('dump', foreign.name as string)).stderr).toMatch(/SEGMENT_FOREIGN/);
  });

  test('ends quietly when its reader has seen enough', () => {
    const { name } = openBoard(Quote, 20_000);
    const command = `"$0" "$@" dump ${name} --all | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const output = execFileSync('bash', ['-c', command, NODE, ...ARGUMENTS], { encoding: 'utf8' });
    expect(output).toMatch(/^0\t0\t.*\n0\n$/);
  });
});

describe('watch', () => {
  test('prints changes as they come and ends after --count', async () => {
    const { name, store } = openBoard(Quote);
    store.write(1, acme);
    const child = spawn(NODE, [...ARGUMENTS, 'watch', name, '--index', '1', '--count', '2', '--json']);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => JSON.parse((await lines.next()).value as string);
    const record = { ...acme, tick: '2' };
    expect(await next()).toEqual({ index: 1, generation: 1, record });
    store.write(1, acme);
    expect(await next()).toEqual({ index: 1, generation: 2, record });
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  test('prints what comes to a map and what goes', async () => {
    const bed = new Bed();
    const map = bed.keep(createMap({ name: bed.name('cli'), key: utf8(8), layout: Quote, capacity: 4 }));
    const child = spawn(NODE, [...ARGUMENTS, 'watch', map.segment.name as string, '--json']);
    const ended = once(child, 'close');
    const changes: { key: string; record?: object }[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => changes.push(JSON.parse(line)));
    // The watch starts some time: until its first line, each write may be the first that it sees.
    await until('a line', () => changes.length > 0 || !map.set('first', acme));
    expect(changes[0]).toMatchObject({ key: 'first', record: { symbol: 'ACME' } });
    map.delete('first');
    await until('the end of the key', () => changes.at(-1)?.record === undefined);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  test('ends with 0 when it is interrupted', async () => {
    const { name, store } = openBoard(Quote);
    store.write(0, acme);
    const child = spawn(NODE, [...ARGUMENTS, 'watch', name, '--index', '0']);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([0, null]);
  });
});

describe('describe', () => {
  test('prints the offset tables of all layouts of a module, or of one, for any ABI', async () => {
    const { stdout } = await sharecord('describe', LAYOUTS);
    expect(stdout).toBe(`${Event.describe()}\n${Quote.describe()}`);
    const one = await sharecord('describe', LAYOUTS, '--layout', 'Event', '--abi', 'linux32');
    expect(one.stdout).toBe(Event.on('linux32').describe());
  });

  test('says what a module has instead of the layout', async () => {
    const { code, stderr } = await sharecord('describe', LAYOUTS, '--layout', 'Trade');
    expect(code).toBe(1);
    expect(stderr).toContain('expected Trade, found Event, Quote');
  });
});

describe('codegen', () => {
  test('prints what codegen() gives', async () => {
    const { code, stdout } = await sharecord('codegen', LAYOUTS, '--lang', 'c', '--layout', 'Quote');
    expect(code).toBe(0);
    expect(stdout.trim()).toBe(codegen(Quote, 'c').trim());
  });

  test('asks which layout when a module has several', async () => {
    const { code, stderr } = await sharecord('codegen', LAYOUTS, '--lang', 'c');
    expect(code).toBe(1);
    expect(stderr).toContain('Event, Quote');
  });

  test.each([
    [['codegen', LAYOUTS]],
    [['codegen', LAYOUTS, '--lang', 'cobol']],
    [['dump']],
    [['dump', 'x', '--index', '-1']],
    [['polish']],
  ])('refuses %j with the usage and 2', async (args) => {
    const { code, stderr } = await sharecord(...args);
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: sharecord');
  });
});

describe('doctor', () => {
  test('tries stores, another process, wake-up and the death of a writer, and leaves nothing', async () => {
    const { code, stdout } = await sharecord('doctor');
    expect(stdout.match(/^ok {4}/gm)).toHaveLength(5);
    expect(code).toBe(0);
    expect((await sharecord('list')).stdout).not.toContain('sharecord-doctor');
  });
});
