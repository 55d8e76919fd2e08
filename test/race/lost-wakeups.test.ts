// Random bursts of writes by three processes, watched by threads of others; test/torture/wakeups.ts lists what a watch may give.
import { describe, expect, test } from 'vitest';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { openSegment, openStore } from '../../src/index.ts';
import { ARMED_WORD } from '../../src/store/segment-header.ts';
import { Bed, NODE, TIERS, until } from '../support/bed.ts';
import { stopPeer } from '../support/ending.ts';
import { onWindows } from '../support/system.ts';
import { luck } from '../support/luck.ts';
import { withMistake } from '../torture/mistake.ts';
import { allDelivered, type Audience, burst, dismiss, watchFrom } from '../torture/wakeups.ts';
import { Fields, fieldsKind, rawSlot } from './records.ts';

const ROUNDS = onWindows ? 40 : 150;
const ROUNDS_OF_CONTROL = 5;
const DEATHS = 3;
/** Many, so that a look at all of them takes a while: what is written behind its back must not be lost. */
const CAPACITY = 2000;

const CROWD: Audience = { threadsOf: onWindows ? [1] : [0, 2], both: true, native: true };
/** One thread with one watch, whom nobody else's rings wake. */
const ALONE: Audience = { threadsOf: [0], both: false, native: false };

describe.each(TIERS)('watches, $tier', (tier) => {
  test.each([
    ['a crowd', 'store', CROWD],
    ['one alone', 'store', ALONE],
    ['a crowd', 'map', CROWD],
    ['one alone', 'map', ALONE],
  ] as const)(`${ROUNDS} random bursts lose no wake-up: %s before a %s`, async (_who, kind, audience) => {
    const bed = new Bed();
    const stage = await watchFrom(bed, tier, audience, CAPACITY, kind);
    await burst(bed, luck(), tier, stage, (rounds) => rounds >= ROUNDS);
    const { delivered, byTimer } = await dismiss(stage);
    expect(byTimer, 'states that only the timer brought').toBe(0);
    expect(delivered).toBeGreaterThan(ROUNDS);
  });

  test('the control, a writer that dies before it rings, is found by the timer', async () => {
    const bed = new Bed();
    const stage = await watchFrom(bed, tier, CROWD, 1);
    const { words } = rawSlot(bed.keep(openSegment(stage.name)).buffer, 0);
    stage.watched.change(0, luck());
    await allDelivered(stage, 0);
    // Who has armed the bell may look once more before it sleeps, and would find the change: not each time.
    for (let deaths = 1; deaths <= DEATHS; deaths++) {
      await until('watchers that have armed the bell', () => Atomics.load(words, ARMED_WORD) === 1);
      await bed.native('interrupt', stage.name, 0, 'disarmed', 'kill').exited;
      await allDelivered(stage, deaths);
    }
    const watchers = { ...stage, native: undefined };
    expect((await dismiss(watchers)).byTimer, 'the timer was not seen').toBeGreaterThan(0);
    await stage.native!.end();
  });

  test('the control, writers of a map that do not ring, is found', async () => {
    const bed = new Bed();
    const stage = await watchFrom(bed, tier, CROWD, CAPACITY, 'map');
    const mistaken = withMistake('take the ring and do not ring');
    await burst(bed, luck(), mistaken, stage, (rounds) => rounds >= ROUNDS_OF_CONTROL);
    expect((await dismiss(stage)).byTimer, 'no wake-up was lost').toBeGreaterThan(0);
  });
});

test.each(['SIGSTOP', 'SIGKILL'] as const)(
  'a watcher that got %s costs a writer one ring, and no more',
  async (signal) => {
    const bed = new Bed();
    const stage = await watchFrom(bed, TIERS[0]!, ALONE, 1);
    const store = bed.keep(openStore(stage.name, Fields, { access: 'read-write' }));
    const { words } = rawSlot(store.segment.buffer, 0);
    const armed = (): number => Atomics.load(words, ARMED_WORD);
    await until('a sleeping watcher', () => armed() === 1);
    const [watcher] = stage.watchers;
    if (signal === 'SIGSTOP') await stopPeer(watcher!);
    else {
      watcher!.kill(signal);
      await watcher!.exited;
    }
    // What a write rings for is the armed word, and only a watcher that runs sets it.
    for (let value = 1; value <= 1000; value++) {
      store.write(0, fieldsKind.fill(Fields.zero(), value));
      expect(armed()).toBe(0);
    }
  },
);

// PLATFORM: a user namespace has a limit of its own (namespaces(7)), so that nobody else is hurt.
const script = fileURLToPath(new URL('../torture/polling-child.ts', import.meta.url));
const LIMITS = ['max_inotify_instances', 'max_inotify_watches'];
const without = (limit: string, command: readonly string[]) =>
  spawnSync(
    'unshare',
    ['--user', '--map-root-user', 'sh', '-c', `echo 0 > /proc/sys/user/${limit} && "$@"`, 'sh', ...command],
    { encoding: 'utf8', timeout: 60_000 },
  );

test.skipIf(onWindows || without(LIMITS[0]!, ['true']).status !== 0).each(LIMITS)(
  'without a bell, by %s, watches poll and say so once (skipped where user namespaces are not allowed, and on Windows, whose bell has no such limit)',
  (limit) => {
    const child = without(limit, [NODE, '--conditions=@sharecord/source', script]);
    expect(child.stdout).toBe('{"values":[1,2,3],"others":[1,2,3],"warnings":1}\n');
    expect(child.stderr).toContain('watching by polling');
    expect(child.status).toBe(0);
    // The control: with a bell nobody polls.
    const control = spawnSync(NODE, ['--conditions=@sharecord/source', script], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(control.stdout).toBe('{"values":[1,2,3],"others":[1,2,3],"warnings":0}\n');
  },
);
