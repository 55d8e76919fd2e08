// Several writers of one record add 1 to its value, each many times, all at once: two Node processes, one of them with two
// worker threads besides, and a native process.
//
//   final value                      update     control that reads, then writes
//   the number of additions          required   forbidden, or this file could not see a lost one
//   less (an addition lost)          forbidden  required
//   more, or elements that differ    forbidden  -
//   an error in any writer           forbidden  forbidden
import { describe, expect, test } from 'vitest';
import { createStore } from '../../src/index.ts';
import { Bed, type Peer, TIERS } from '../support/bed.ts';
import { onWindows } from '../support/system.ts';
import { Fields, fieldsKind } from './records.ts';

const ADDITIONS = onWindows ? 2000 : 10_000;
const START = 1;
/** So that the native writer does not end before the others have begun. */
const PAUSE_NS = 50_000;

async function addAtOnce(
  bed: Bed,
  start: (name: string) => Peer[],
): Promise<{ added: number; value: number; generation: number }> {
  const name = bed.name('adders');
  const store = bed.keep(createStore({ name, layout: Fields, capacity: 2 }));
  const writers = start(name);
  await Promise.all(writers.map((writer) => writer.ready));
  store.write(START, fieldsKind.fill(Fields.zero(), 1));
  const reports = await Promise.all(writers.map((writer) => writer.result()));
  const added = reports.reduce((sum, report) => sum + (report['added'] as number), 0);
  return { added, value: fieldsKind.valueOf(store.read(0)), generation: store.generation(0) };
}

describe.each(TIERS)('several writers of one record, $tier', (tier) => {
  test('update loses nothing between processes, threads and native code', async () => {
    const bed = new Bed();
    const { added, value, generation } = await addAtOnce(bed, (name) => [
      bed.node(tier, 'add', name, ADDITIONS, 'update', START, 0),
      bed.node(tier, 'add', name, ADDITIONS, 'update', START, 2),
      bed.native('add', name, 0, ADDITIONS, START, PAUSE_NS),
    ]);
    expect(added).toBe(5 * ADDITIONS);
    expect({ value, generation }).toEqual({ value: added, generation: added });
  });

  test('the control, a read and then a write, loses some', async () => {
    const bed = new Bed();
    const { added, value, generation } = await addAtOnce(bed, (name) => [
      bed.node(tier, 'add', name, 10 * ADDITIONS, 'plain', START, 0),
      bed.node(tier, 'add', name, 10 * ADDITIONS, 'plain', START, 2),
    ]);
    expect(value, 'control lost nothing').toBeLessThan(added);
    expect(generation).toBe(added);
  });
});
