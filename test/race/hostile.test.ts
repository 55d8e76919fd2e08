// Segments that somebody else may have written or is writing; test/torture/hostile.ts says how they are found, and
// `npm run torture -- --only hostile` looks for longer.
import { once } from 'node:events';
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { createMap, createStore, openMap, openStore, SharecordError, utf8 } from '../../src/index.ts';
import { Bed, NODE, Peer } from '../support/bed.ts';
import { luck } from '../support/luck.ts';
import { attackFor } from '../torture/hostile.ts';
import { Wide } from '../torture/hostile-inputs.ts';

/** A few seconds of a machine that has a processor to spare. */
const ENOUGH_INPUTS = 150;
const LEAST_INPUTS = 10;
const LEAST_KEPT = 5;
/** The longest attack. */
const LONGEST_MS = 60_000;
const SCRIBBLE_MS = 2000;

test('mutants of segments are refused with a code, or read and written inside their bounds', async () => {
  const { figures, violations } = await attackFor(
    new Bed(),
    luck().seedOfPeer(),
    LONGEST_MS,
    '',
    ({ inputs, kept }) => inputs >= ENOUGH_INPUTS && kept >= LEAST_KEPT,
  );
  expect(violations).toEqual([]);
  // On a slow machine the time ends it.
  expect(figures['inputs']).toBeGreaterThan(LEAST_INPUTS);
  expect(figures['kept for new code'], 'mutants that reach new code are kept').toBeGreaterThanOrEqual(
    LEAST_KEPT,
  );
});

test('the control, a library that believes the size in the header, is found', async () => {
  const { violations } = await attackFor(
    new Bed(),
    1,
    LONGEST_MS,
    'the size is believed',
    ({ wrong }) => wrong > 0,
  );
  expect(violations.length).toBeGreaterThan(0);
});

/** Runs `look` again and again while a thread writes random words into all of the segment; gives the codes it met. */
async function whileScribbling(handle: object, look: () => void): Promise<Set<string>> {
  const scribbler = new Worker(new URL('../torture/scribbler.ts', import.meta.url), {
    workerData: handle,
    execArgv: ['--conditions=@sharecord/source'],
  });
  await once(scribbler, 'message');
  const codes = new Set<string>();
  const end = performance.now() + SCRIBBLE_MS;
  while (performance.now() < end) {
    try {
      look();
      codes.add('done');
    } catch (error) {
      if (!(error instanceof SharecordError)) throw error;
      codes.add(error.code);
    }
  }
  await scribbler.terminate();
  return codes;
}

test('a store that changes under its reader gives records or errors with a code', async () => {
  const bed = new Bed();
  const store = bed.keep(createStore({ layout: Wide, capacity: 4 }));
  const reader = bed.keep(openStore(store.handle, Wide));
  let turn = 0;
  const codes = await whileScribbling(store.handle, () => {
    const index = turn++ % 4;
    if (turn % 3 === 0) reader.read(index);
    else if (turn % 3 === 1) reader.generation(index);
    else openStore(store.handle).close();
  });
  expect([...codes]).toEqual(expect.arrayContaining(['done', 'SEGMENT_FOREIGN']));
});

test('a map that changes under its reader gives entries or errors with a code', async () => {
  const bed = new Bed();
  const map = bed.keep(createMap({ key: utf8(8), layout: Wide, capacity: 8 }));
  for (const key of ['a', 'b', 'c']) map.set(key, { ...Wide.zero(), name: key });
  const reader = bed.keep(openMap(map.handle, { key: utf8(8), layout: Wide }));
  let turn = 0;
  const codes = await whileScribbling(map.handle, () => {
    turn++;
    if (turn % 4 === 0) reader.get('b');
    else if (turn % 4 === 1) void [...reader.keys()];
    else if (turn % 4 === 2) reader.has('x');
    else void reader.size;
  });
  expect(codes).toContain('done');
});

// The kernel alone could prevent it (mmap(2), SIGBUS), so the documents do not promise it; opening and listing are safe.
test('a reader of a segment that its owner truncates is ended by the kernel, not by wrong bytes', async () => {
  const bed = new Bed();
  const name = bed.name('truncated');
  const store = createStore({ name, layout: Wide, capacity: 1000 });
  const script = fileURLToPath(new URL('../torture/truncated-child.ts', import.meta.url));
  const reader = bed.adopt(new Peer(NODE, ['--conditions=@sharecord/source', script, name], 'reader'));
  await reader.ready;
  reader.child.stdin?.end();
  expect(await reader.exited).toEqual({ code: null, signal: 'SIGBUS' });
  // Who is still here gives the file its size back, so that it can be closed.
  fs.truncateSync(`/dev/shm/${name}`, store.segment.size);
  store.close();
  fs.rmSync(`/dev/shm/${name}`, { force: true });
});
