// A map under storms: several processes add and delete keys, others search and iterate.
//
//   what a reader may see                                     verdict
//   a kept key is not found, by search or iteration           forbidden
//   a kept key comes twice in one iteration                   forbidden
//   a record of another key, or of two writes                 forbidden
//   a key that several set at once is there twice             forbidden
//   a moving key is there or not                              allowed
//   a search or a set without a step of the protocol          must see one of the forbidden
import { describe, expect, test } from 'vitest';
import { createMap, createStore, type MapWriter } from '../../src/index.ts';
import { Bed, type Peer, sleep, type Tier, TIERS, until } from '../support/bed.ts';
import { luck } from '../support/luck.ts';
import type { Chance } from '../torture/campaign.ts';
import { onWindows } from '../support/system.ts';
import { withMistake } from '../torture/mistake.ts';
import { CAPACITY, COUNTER, definition, fillMap, Marked, MOVING, NEW, requireSound } from './map-records.ts';

const STORM_MS = 1500;
const LANES = 2;
const ROUNDS = onWindows ? 100 : 500;
const ROUNDS_OF_CONTROL = 50_000;
const CONTROL_MS = 120_000;
const KILLS = onWindows ? 4 : 30;
type Map = MapWriter<typeof definition.key, typeof definition.layout>;

const start = (bed: Bed, tier: Tier, chance: Chance, role: string, name: string, ...args: string[]): Peer =>
  bed.script(tier, 'map-peer.ts', role, name, chance.seedOfPeer(), ...args);

function makeMap(bed: Bed, label: string): { name: string; map: Map } {
  const name = bed.name(label);
  const map = bed.keep(createMap({ ...definition, name, capacity: CAPACITY }));
  fillMap(map);
  return { name, map };
}

describe.each(TIERS)('maps, $tier', (tier) => {
  test.each(['get', 'iterate'])(
    'readers that %s miss nothing and see no other record under storms',
    async (how) => {
      const bed = new Bed();
      const chance = luck();
      const { name, map } = makeMap(bed, 'map-storm');
      const reader = start(bed, tier, chance, 'read', name, how, '0');
      const writers = ['storm', 'storm', 'count'].map((role) => start(bed, tier, chance, role, name));
      await Promise.all([reader, ...writers].map((peer) => peer.ready));
      await sleep(STORM_MS);
      const seen = await reader.end();
      const reports = await Promise.all(writers.map((writer) => writer.end()));
      expect(seen).toMatchObject({ missed: 0, wrong: 0, twice: 0 });
      expect(seen['reads']).toBeGreaterThan(100);
      if (how === 'get') expect(seen['found']).toBeGreaterThan(0);
      for (const report of reports.slice(0, 2)) expect(report['changes']).toBeGreaterThan(100);
      expect(map.get(COUNTER)?.a).toBe(reports[2]!['added']);
      requireSound(map);
    },
  );

  test.each(['two-looks', 'empty-deleted'])('the control, a search with %s, is found', async (how) => {
    const bed = new Bed();
    const chance = luck();
    const { name } = makeMap(bed, 'map-control');
    const writers = ['storm', 'storm'].map((role) => start(bed, tier, chance, role, name));
    const reader = start(bed, tier, chance, 'read', name, how, '5');
    await Promise.all([reader, ...writers].map((peer) => peer.ready));
    const seen = await reader.result();
    await Promise.all(writers.map((writer) => writer.end()));
    expect(Number(seen['missed']) + Number(seen['wrong'])).toBeGreaterThanOrEqual(5);
  });
});

describe.each(TIERS)('two writers that set one new key at once, $tier', (tier) => {
  function meet(of: Pick<Tier, 'flags'>, rounds: number): { map: Map; writers: Peer[] } {
    const bed = new Bed();
    const [name, log] = [bed.name('map-same'), bed.name('map-rounds')];
    const map = bed.keep(createMap({ ...definition, name, capacity: 2 * rounds }));
    bed.keep(createStore({ name: log, layout: Marked, capacity: LANES }));
    const writers = Array.from({ length: LANES }, (_, lane) =>
      bed.script(of, 'map-peer.ts', 'same', name, 0, log, lane, LANES, rounds),
    );
    return { map, writers };
  }

  test('add it once', async () => {
    const { map, writers } = meet(tier, ROUNDS);
    await Promise.all(writers.map((writer) => writer.result()));
    expect([...map.keys()]).toEqual(Array.from({ length: ROUNDS - 1 }, (_, i) => NEW + 1 + i));
    expect(map.size).toBe(ROUNDS - 1);
  });

  test('the control, add it twice if they do not look again', async () => {
    const { flags } = withMistake('adds a key without a second look');
    const deadline = performance.now() + CONTROL_MS;
    // A machine with one free processor needs thousands of rounds, and sometimes more than all.
    for (let found = false; !found;) {
      const { map, writers } = meet({ flags: [...tier.flags, ...flags] }, ROUNDS_OF_CONTROL);
      const isTwice = (): boolean => {
        const keys = [...map.keys()];
        return keys.length > new Set(keys).size;
      };
      const haveEnded = (): boolean => writers.every(({ running }) => !running);
      const left = deadline - performance.now();
      await until('a key that is there twice', () => haveEnded() || isTwice(), left);
      await Promise.all(writers.map((writer) => writer.end()));
      found = isTwice();
    }
  });
});

test(`${KILLS} kills of writers lose no kept key and no slot, and no update`, async () => {
  const bed = new Bed();
  const chance = luck();
  const tier = TIERS[0]!;
  const { name, map } = makeMap(bed, 'map-killed');
  const reader = start(bed, tier, chance, 'read', name, 'get', '0');
  const walker = start(bed, tier, chance, 'read', name, 'iterate', '0');
  const counter = start(bed, tier, chance, 'count', name);
  let victims = [0, 1].map(() => start(bed, tier, chance, 'storm', name));
  await Promise.all([reader, walker, counter, ...victims].map((peer) => peer.ready));
  for (let kill = 0; kill < KILLS; kill++) {
    const [victim, other] = victims as [Peer, Peer];
    await victim.ready;
    await sleep(chance.fraction() * 20);
    victim.kill('SIGKILL');
    await victim.exited;
    // The next writer goes on: it finishes what the victim began.
    const key = MOVING + 100;
    map.delete(key);
    const before = map.get(COUNTER)?.a ?? 0;
    await until('the counter going on', () => (map.get(COUNTER)?.a ?? 0) > before);
    victims = [other, start(bed, tier, chance, 'storm', name)];
  }
  await Promise.all(victims.map((victim) => victim.ready));
  const seen = await Promise.all([reader.end(), walker.end()]);
  for (const each of seen) expect(each).toMatchObject({ missed: 0, wrong: 0, twice: 0 });
  await Promise.all(victims.map((victim) => victim.end()));
  const { added } = await counter.end();
  expect(map.get(COUNTER)?.a).toBe(added);
  requireSound(map);
});
