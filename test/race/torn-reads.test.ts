// Readers in Node against a native writer that never stops. A record's elements all have one value in every committed state.
//
//   what the reader sees             library    controls: no second look at the sequence; a plain one
//   all elements equal, rising       allowed    allowed
//   elements that differ (torn)      forbidden  required, or this file could not see a tear
//   a smaller value than before      forbidden  -
//   READ_CONTENDED, undefined        allowed    -
import { describe, expect, test } from 'vitest';
import { createStore } from '../../src/index.ts';
import { latchSource } from '../../src/sync/latch-source.ts';
import { Bed, nodeMajor, TIERS } from '../support/bed.ts';
import { onWindows } from '../support/system.ts';
import { layoutOf, type Spelling } from './records.ts';

/** States that a reader waits for: on a busy machine both may share one processor and meet seldom. */
const CHANGES = onWindows ? 100 : 300;
const TORN_ENOUGH = 10;

// The pause is about as long as a read, so that reads and writes cross at every phase.
const ALL_SHAPES: readonly { spelling: Spelling; elements: number; pauseNs: number }[] = [
  { spelling: 'fields', elements: 8, pauseNs: 150 },
  { spelling: 'array', elements: 8, pauseNs: 150 },
  { spelling: 'array', elements: 32, pauseNs: 500 },
  { spelling: 'array', elements: 512, pauseNs: 8000 },
];
// Under Wine a process takes seconds to start: the shape that tears most, and the calls that share no code.
const SHAPES = onWindows ? ALL_SHAPES.slice(-1) : ALL_SHAPES;
const CALLS = onWindows ? ['readInto', 'readColumn'] : ['read', 'readInto', 'tryRead', 'readColumn'];

// A plain second look may happen to work in the shape that one engine makes of it, so the text itself is checked as well.
test('the generated reader accepts a record only after an Atomics call behind its last load', () => {
  const geometry = { firstWord: 640, strideWords: 48, cellWords: 16, armedWord: 48 };
  const record = { loads: 'LOADS', object: 'ACCEPT', into: 'ACCEPT', stage: undefined, stores: undefined };
  const reads = latchSource(geometry, record).split('LOADS').slice(1);
  expect(reads.length).toBe(2);
  for (const read of reads) {
    const accept = read.slice(0, read.indexOf('ACCEPT')).replaceAll(/^\s*\/\/.*$/gm, '');
    expect(accept).toMatch(/^\s*if \(Atomics\.load\(words, slot\) === sequence\) \{ (return |try \{ )?$/);
  }
});

describe.each(TIERS)('a reader beside a native writer, $tier', (tier) => {
  describe.each(SHAPES)('$elements doubles as $spelling', ({ spelling, elements, pauseNs }) => {
    test.each(CALLS)('%s gives whole records that never go back', async (call) => {
      const bed = new Bed();
      const name = bed.name('torn');
      const capacity = call === 'readColumn' ? 4 : 1;
      bed.keep(createStore({ name, layout: layoutOf(spelling, elements), capacity }));
      const writer = bed.native('write', name, 0, capacity, pauseNs);
      await writer.ready;
      const reader = bed.node(tier, 'read', name, spelling, elements, call, CHANGES);
      const seen = await reader.result();
      await writer.end();
      expect(seen).toMatchObject({ torn: 0, backwards: 0 });
      expect(seen['changes']).toBeGreaterThanOrEqual(CHANGES);
    });
  });

  test.each(SHAPES)(
    'the control, $elements doubles read without a second look, tears',
    async ({ spelling, elements }) => {
      const bed = new Bed();
      const name = bed.name('torn-control');
      bed.keep(createStore({ name, layout: layoutOf(spelling, elements), capacity: 1 }));
      const writer = bed.native('write', name, 0, 1, 0);
      await writer.ready;
      const reader = bed.node(tier, 'read-broken', name, 'unchecked', TORN_ENOUGH);
      const { torn } = await reader.result();
      await writer.end();
      expect(torn, 'control did not tear').toBeGreaterThanOrEqual(TORN_ENOUGH);
    },
  );

  // Maglev merges the two loads, TurboFan keeps them apart: only without TurboFan does this tear in any case. Node 22 has no
  // Maglev by default (docs/memory-order.md).
  const merges = tier.flags.includes('--no-turbofan') && nodeMajor() >= 24;
  test.runIf(merges)('the control whose second look is a plain load tears', async () => {
    const bed = new Bed();
    const name = bed.name('torn-control');
    bed.keep(createStore({ name, layout: layoutOf('fields', 8), capacity: 1 }));
    const writer = bed.native('write', name, 0, 1, 0);
    await writer.ready;
    const reader = bed.node(tier, 'read-broken', name, 'plain-recheck', TORN_ENOUGH);
    const { torn } = await reader.result();
    await writer.end();
    expect(torn, 'control did not tear').toBeGreaterThanOrEqual(TORN_ENOUGH);
  });
});
