// A process stopped (SIGSTOP; on Windows its thread suspended) at each step of a write, or inside the gate, while others go on.
//
//   while a writer is stopped inside a write              verdict
//   readers of a latch get the last committed record      required
//   readers of a seqlock get READ_CONTENDED               allowed while the cell is half written; WRITER_DIED is a false alarm
//   writers of that record get LOCK_TIMEOUT               required; a steal is forbidden
//   writers of other records go on                        required
//   after it goes on: its write counts, and all later     required
//   while a thief is stopped before it takes the lock     verdict
//   another thief takes it                                the first gets LOCK_TIMEOUT; a second owner is forbidden
//   while one is stopped inside the gate                  verdict
//   who has the store open goes on                        required
//   a join gets SEGMENT_NOT_READY                         required; a second store of the name is forbidden
//   while one that found the name is before the gate      verdict
//   the last user closes: it goes on                      with a store of its own; an open is SEGMENT_NOT_FOUND
//   the name gets another store: it goes on               with that one; who is in the old one alone lost its writes
//
// Stops in maps are in map-stops.ts.
import { joinStore, type StoreWriter } from '../../src/index.ts';
import { type Fields, fieldsKind, lockOf, rawSlot } from '../race/records.ts';
import { isStopped, letGoOn } from '../support/ending.ts';
import { type Household, type Peer, until } from '../support/household.ts';
import { onWindows } from '../support/system.ts';
import { type Campaign, inLanes, isOver } from './campaign.ts';
import { MAP_STOPS, type Stop } from './map-stops.ts';
import {
  optionsFor,
  type Point,
  pointsOf,
  type Scenario,
  setScene,
  startVictim,
  tracesOf,
} from './scenarios.ts';
import { codeOf, require } from './verdicts.ts';

const LANES = 3;
const WRITES: readonly Scenario[] = ['write', 'update', 'write under a seqlock', 'update under a mutex'];
const INSIDE_WRITE = /^(seqlock )?write [2-5]/;
/** Points inside the gate; a wait there takes 5 s. */
export const GATE_POINTS: readonly Point[] = [
  { scenario: 'join', step: 'claim 3', pass: 1 },
  // Nobody removes a name of Windows: there a close and an unlink of a file alone pass the gate.
  ...(onWindows ? [] : [{ scenario: 'close', step: 'gate 2', pass: 1 } as const]),
  { scenario: onWindows ? 'last close in a file' : 'last close', step: 'unlink 2', pass: 1 },
  { scenario: onWindows ? 'unlink in a file' : 'unlink', step: 'unlink 2', pass: 1 },
  // Marked as gone, and its name still there.
  { scenario: onWindows ? 'replace in a file' : 'replace', step: 'remove 3', pass: 1 },
];

/** Points between the lock and the unlock of the writes. */
export async function pointsInside(house: Household): Promise<Point[]> {
  const { steps } = await tracesOf(house, WRITES);
  return WRITES.flatMap((scenario) => pointsOf(scenario, steps[scenario])).filter(
    ({ step, pass }) => INSIDE_WRITE.test(step) && pass === 1,
  );
}

/** Stops a writer at the point and checks what others can do; throws what is wrong. */
export async function stopInsideWrite(house: Household, point: Point): Promise<void> {
  const { scenario, step } = point;
  const name = house.name('stopped');
  const { store, reader } = await setScene(house, scenario, name);
  if (store === undefined || reader === undefined) throw new Error('a write has a store');
  const victim = startVictim(house, scenario, name, 'stop', point);
  await until(`the stop at ${step}`, () => isStopped(victim) || !victim.running);
  const slot = rawSlot(store.segment.buffer, 0);
  const owner = lockOf(slot);
  const wrote = (step.endsWith('write 5') && !step.startsWith('seqlock')) || step === 'seqlock write 6';
  const expected = wrote ? 2 : 1;
  const isTorn = /^seqlock write ([45])/.test(step);
  const code = codeOf(() => {
    const found = fieldsKind.valueOf(reader.read(0));
    require(found === expected, `a reader gets ${found}, expected ${expected}`);
  });
  require(code === (isTorn ? 'READ_CONTENDED' : 'done'), `a reader gets ${code}`);
  const other = codeOf(() => store.write(1, fieldsKind.fill(store.layout.zero(), 7)));
  // One mutex for the whole store keeps all its writers out.
  require(other ===
    (scenario.endsWith('mutex') ? 'LOCK_TIMEOUT' : 'done'), `a writer of another record gets ${other}`);
  const same = codeOf(() => store.write(0, fieldsKind.fill(store.layout.zero(), 9)));
  require(same === 'LOCK_TIMEOUT', `a writer of the record gets ${same}`);
  require(lockOf(slot) === owner && owner !== 0, 'the lock has another owner');
  letGoOn(victim);
  await victim.result();
  require(fieldsKind.valueOf(reader.read(0)) === 2 &&
    reader.generation(0) === 2, 'the stopped write does not count');
  store.update(0, (draft) => void fieldsKind.fill(draft, draft.a + 1));
  require(fieldsKind.valueOf(reader.read(0)) === 3, 'the next write does not count');
  reader.close();
  store.close();
}

/** Stops a thief that found its owner dead, until another thief is inside the write. */
export async function stopThief(house: Household): Promise<void> {
  const scenario = 'steal';
  const name = house.name('stopped-thief');
  const { store } = await setScene(house, scenario, name);
  const slot = rawSlot(store!.segment.buffer, 0);
  const late = startVictim(house, scenario, name, 'stop', { scenario, step: 'acquire 6', pass: 1 });
  await until('the stop of the thief', () => isStopped(late) || !late.running);
  const early = startVictim(house, scenario, name, 'stop', { scenario, step: 'write 4', pass: 1 });
  await until('the stop of the other thief', () => isStopped(early) || !early.running);
  const owner = lockOf(slot);
  letGoOn(late);
  const code = await late.result().then(
    () => 'done',
    (error: unknown) => /LOCK_TIMEOUT/.exec(String(error))?.[0] ?? String(error),
  );
  require(code === 'LOCK_TIMEOUT', `a thief that comes too late gets ${code}`);
  require(lockOf(slot) === owner && owner !== 0, 'the lock has another owner');
  require(fieldsKind.valueOf(store!.read(0)) === 1, 'a thief that came too late has written');
  letGoOn(early);
  await early.result();
  store!.update(0, (draft) => void fieldsKind.fill(draft, draft.a + 1));
  require(fieldsKind.valueOf(store!.read(0)) === 3 && store!.generation(0) === 3, 'a write does not count');
}

/** Stops a process inside the gate. */
export async function stopInsideGate(house: Household, point: Point): Promise<void> {
  const { scenario, step } = point;
  const name = house.name('stopped-in-gate');
  const { store } = await setScene(house, scenario, name);
  const victim = startVictim(house, scenario, name, 'stop', point);
  await until(`the stop at ${step}`, () => isStopped(victim) || !victim.running);
  store?.update(0, (draft) => void fieldsKind.fill(draft, draft.a + 1));
  const code = codeOf(() => joinStore(optionsFor(scenario, name)).close());
  require(code === 'SEGMENT_NOT_READY', `a join gets ${code}`);
  letGoOn(victim);
  await victim.result();
  joinStore(optionsFor(scenario, name)).close();
  if (store !== undefined) require(fieldsKind.valueOf(store.read(0)) === 2, 'a write is lost');
  store?.close();
}

/** Runs `meanwhile` while a join or an open has found the store of the name and has not entered the gate. */
export async function stopBeforeGate(
  house: Household,
  scenario: 'join' | 'open for writing',
  name: string,
  meanwhile: (store: StoreWriter<typeof Fields>) => void,
): Promise<Peer> {
  const { store } = await setScene(house, scenario, name);
  const victim = startVictim(house, scenario, name, 'stop', { scenario, step: 'gate 1', pass: 1 });
  await until('the stop before the gate', () => isStopped(victim) || !victim.running);
  meanwhile(store!);
  letGoOn(victim);
  return victim;
}

export const stops: Campaign = {
  name: 'stops',
  promise: 'a stopped process is never stolen from; readers and writers of other records go on',
  async run(run) {
    const violations: string[] = [];
    const toStop = (point: Point, stop: typeof stopInsideWrite): Stop => ({
      title: point.scenario,
      step: point.step,
      check: (house) => stop(house, point),
    });
    const points: Stop[] = [
      ...(await pointsInside(run.house)).map((point) => toStop(point, stopInsideWrite)),
      ...GATE_POINTS.map((point) => toStop(point, stopInsideGate)),
      ...MAP_STOPS,
    ];
    let stopped = 0;
    do {
      await inLanes(LANES, run.chance.shuffle(points), async ({ title, step, check }) => {
        stopped++;
        await check(run.house).catch((error: unknown) => {
          violations.push(`${title}, ${step}: ${String(error)}`);
        });
      });
    } while (!isOver(run));
    return { figures: { points: points.length, stops: stopped }, violations };
  },
};
