// Processes stopped at steps of a write, of changes of maps, inside the gate, and before it; test/torture/stops.ts and map-stops.ts list
// the verdicts. `npm run torture
// -- --only stops` has all steps of a write and more of those inside the gate.
import { describe, expect, test } from 'vitest';
import { createStore } from '../../src/index.ts';
import { Bed } from '../support/bed.ts';
import { onWindows } from '../support/system.ts';
import { MAP_STOPS } from '../torture/map-stops.ts';
import { optionsFor } from '../torture/scenarios.ts';
import { GATE_POINTS, stopBeforeGate, stopInsideGate, stopInsideWrite } from '../torture/stops.ts';
import { Fields, fieldsKind } from './records.ts';

test.each([
  ['write', 'write 3, next field'],
  ['update', 'write 4'],
  ['write', 'write 5'],
  ['write under a seqlock', 'seqlock write 4'],
  ['write under a seqlock', 'seqlock write 6'],
  ['update under a mutex', 'write 4'],
] as const)(
  'a writer stopped in a %s at step "%s" is not stolen from, and others go on',
  async (scenario, step) => {
    await stopInsideWrite(new Bed(), { scenario, step, pass: 1 });
  },
);

test.each(MAP_STOPS)(
  'a writer of a map stopped in the $title, at $step, is not stolen from; what others can do goes on',
  async ({ check }) => {
    await check(new Bed());
  },
);

test.each(GATE_POINTS.filter(({ scenario }) => /^(join|unlink)/.test(scenario)))(
  'a process stopped inside the gate of a $scenario, at $step, keeps others out of it, and nobody makes a second store',
  async (point) => {
    await stopInsideGate(new Bed(), point);
  },
);

// On Windows a store lives as long as who found it.
describe.skipIf(onWindows)('names that outlive their users (skipped on Windows, which has none)', () => {
  test('a join that found a store whose last user then closed it makes one of its own', async () => {
    const bed = new Bed();
    const victim = await stopBeforeGate(bed, 'join', bed.name('gone'), (store) => store.close());
    await victim.result();
    expect(victim.reports).toContainEqual({ created: 'true', value: 0 });
  });

  test('an open for writing that found a store whose last user then closed it is SEGMENT_NOT_FOUND', async () => {
    const bed = new Bed();
    const victim = await stopBeforeGate(bed, 'open for writing', bed.name('gone'), (store) => store.close());
    await expect(victim.result()).rejects.toThrow('its last user has closed it');
  });

  test('a join that found a store whose name then got another one joins that', async () => {
    const bed = new Bed();
    const name = bed.name('unlinked');
    const victim = await stopBeforeGate(bed, 'join', name, (store) => {
      store.segment.unlink();
      const other = bed.keep(createStore(optionsFor('join', name)));
      other.write(0, fieldsKind.fill(Fields.zero(), 5));
    });
    await victim.result();
    expect(victim.reports).toContainEqual({ created: 'false', value: 5 });
  });
});
