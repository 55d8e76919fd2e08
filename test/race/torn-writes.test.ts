// Writers in Node against a native reader that never stops.
//
//   what the reader sees             library    control that writes the current cell in place
//   all elements equal, rising       allowed    allowed
//   elements that differ (torn)      forbidden  required, or this file could not see a tear
//   a smaller value than before      forbidden  -
//   READ_CONTENDED                   allowed    -
import { describe, expect, test } from 'vitest';
import { createStore } from '../../src/index.ts';
import { Bed, TIERS } from '../support/bed.ts';
import { onWindows } from '../support/system.ts';
import { layoutOf, type Spelling } from './records.ts';

/** States that the reader waits for: on a busy machine both may share one processor and meet seldom. */
const CHANGES = onWindows ? 100 : 300;
const TORN_ENOUGH = 10;

const ALL_SHAPES: readonly { spelling: Spelling; elements: number }[] = [
  { spelling: 'fields', elements: 8 },
  { spelling: 'array', elements: 32 },
  { spelling: 'array', elements: 512 },
];
// Under Wine a process takes seconds to start.
const SHAPES = onWindows ? ALL_SHAPES.slice(-1) : ALL_SHAPES;
const CALLS = onWindows ? ['write', 'update'] : ['write', 'assign', 'update'];

describe.each(TIERS)('a writer beside a native reader, $tier', (tier) => {
  describe.each(SHAPES)('$elements doubles as $spelling', ({ spelling, elements }) => {
    test.each(CALLS)('%s shows whole records that never go back', async (call) => {
      const bed = new Bed();
      const name = bed.name('torn-write');
      bed.keep(createStore({ name, layout: layoutOf(spelling, elements), capacity: 1 }));
      const writer = bed.node(tier, 'write', name, spelling, elements, call);
      await writer.ready;
      const reader = bed.native('read', name, 0, 0, CHANGES);
      const seen = await reader.result();
      const { writes } = await writer.end();
      expect(seen).toMatchObject({ torn: 0, backwards: 0 });
      expect(seen['changes']).toBeGreaterThanOrEqual(CHANGES);
      expect(writes).toBeGreaterThanOrEqual(seen['changes'] as number);
    });

    test('the control, a writer in place, tears', async () => {
      const bed = new Bed();
      const name = bed.name('torn-write-control');
      bed.keep(createStore({ name, layout: layoutOf(spelling, elements), capacity: 1 }));
      const writer = bed.node(tier, 'write', name, spelling, elements, 'in-place');
      await writer.ready;
      const reader = bed.native('read', name, 0, TORN_ENOUGH, 0);
      const { torn } = await reader.result();
      await writer.end();
      expect(torn, 'control did not tear').toBeGreaterThanOrEqual(TORN_ENOUGH);
    });
  });
});
