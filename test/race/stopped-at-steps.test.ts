// Processes stopped at steps of a write, of changes of maps, inside the gate, and before it; test/torture/stops.ts and map-stops.ts list
// the verdicts. `npm run torture
// -- --only stops` has all steps of a write and more of those inside the gate.
import { describe, expect, test } from 'vitest';
import { createStore, joinSegment } from '../../src/index.ts';
import { Bed, until } from '../support/bed.ts';
import { isStopped, letGoOn } from '../support/ending.ts';
import { onWindows } from '../support/system.ts';
import { MAP_STOPS } from '../torture/map-stops.ts';
import { withCode } from '../support/with-code.ts';
import { optionsFor, startVictim } from '../torture/scenarios.ts';
import { GATE_POINTS, stopBeforeGate, stopInsideGate, stopInsideWrite, stopThief } from '../torture/stops.ts';
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

test('of two thieves of one dead owner the one that was stopped does not rob the other, which lives', async () => {
  await stopThief(new Bed());
});

test.each(GATE_POINTS.filter(({ scenario }) => /^(join|unlink|replace)/.test(scenario)))(
  'a process stopped inside the gate of a $scenario, at $step, keeps others out of it, and nobody makes a second store',
  async (point) => {
    await stopInsideGate(new Bed(), point);
  },
);

// On Windows nobody removes a name.
test.skipIf(onWindows)(
  'a process stopped in the last close of a raw segment keeps others out of it until its name is gone',
  async () => {
    const bed = new Bed();
    const name = bed.name('stopped-raw');
    const point = { scenario: 'last close', step: 'unlink 2', pass: 1 } as const;
    const victim = startVictim(bed, 'last close of a raw segment', name, 'stop', point);
    await until('the stop', () => isStopped(victim) || !victim.running);
    expect(() => joinSegment({ name, size: 64 }).close()).toThrow(withCode('SEGMENT_NOT_READY'));
    letGoOn(victim);
    await victim.result();
    const next = joinSegment({ name, size: 64 });
    expect(next.created).toBe(true);
    next.close();
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
