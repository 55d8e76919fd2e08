// Segments that somebody else may have written, found by a fuzzer that follows the coverage of the library's code, in a process
// of its own: a crash, a hang and a foreign error are all found.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Household, NODE, Peer, sleep } from '../support/household.ts';
import { pathOf } from '../support/system.ts';
import type { Campaign, Findings } from './campaign.ts';
import { faultPoints } from './mistake.ts';

const CHILD = fileURLToPath(new URL('./hostile-child.ts', import.meta.url));
/** An input that takes longer hangs; its slowest legal parts wait for locks of the living for 1 s each. */
const HANG_MS = 60_000;
const LOOK_MS = 200;
const KEPT = fileURLToPath(new URL('../../node_modules/.cache/hostile/', import.meta.url));

/** How far an attack is: inputs, mutants that were kept for new code, and inputs that came out wrong. */
interface Progress {
  readonly inputs: number;
  readonly kept: number;
  readonly wrong: number;
}

/** Attacks for that long; `mutation` is a mistake of fault-points.ts that the library makes, `isEnough` ends it early. */
export async function attackFor(
  house: Household,
  seed: number,
  milliseconds: number,
  mutation = '',
  isEnough: (progress: Progress) => boolean = () => false,
): Promise<Findings> {
  const folder = fs.mkdtempSync('/dev/shm/sharecord-hostile-');
  const mutex = house.name('hostile-mutex');
  const violations: string[] = [];
  const child = house.adopt(
    new Peer(
      NODE,
      [
        '--conditions=@sharecord/source',
        ...(mutation === '' ? [] : [faultPoints(mutation)]),
        CHILD,
        String(seed),
        folder,
        mutex,
      ],
      'hostile',
      undefined,
      milliseconds + 2 * HANG_MS,
    ),
  );
  const deadline = performance.now() + milliseconds;
  let [lastReports, lastProgress] = [0, performance.now()];
  const progress = (): Progress => {
    const last = child.reports.findLast(({ runs }) => runs !== undefined);
    const wrong = child.reports.filter(({ fault }) => fault !== undefined).length;
    return { inputs: Number(last?.['runs'] ?? 0), kept: Number(last?.['kept'] ?? 0), wrong };
  };
  while (performance.now() < deadline && child.running && !isEnough(progress())) {
    await sleep(LOOK_MS);
    if (child.reports.length > lastReports)
      [lastReports, lastProgress] = [child.reports.length, performance.now()];
    else if (performance.now() - lastProgress > HANG_MS) {
      violations.push('a hang');
      child.kill('SIGKILL');
    }
  }
  child.child.stdin?.end();
  const { code, signal } = await child.exited;
  if (code !== 0) violations.push(`ended with ${signal ?? code}`);
  for (const { fault } of child.reports) if (fault !== undefined) violations.push(String(fault));
  if (violations.length > 0 && mutation === '') {
    fs.mkdirSync(KEPT, { recursive: true });
    for (const name of fs.readdirSync(folder))
      fs.copyFileSync(path.join(folder, name), path.join(KEPT, name));
    violations.push(`inputs are in ${KEPT}`);
  }
  fs.rmSync(folder, { recursive: true });
  // Of a process that was ended the name stays until the next join.
  fs.rmSync(pathOf(mutex), { force: true });
  const { inputs, kept } = progress();
  const last = child.reports.findLast(({ places }) => places !== undefined) ?? {};
  return {
    figures: {
      inputs,
      'that waited for a living owner': last['waited'] ?? 0,
      'kept for new code': kept,
      'places in the code': last['places'] ?? 0,
      outcomes: last['outcomes'] ?? 0,
    },
    violations,
  };
}

export const hostile: Campaign = {
  name: 'hostile',
  promise: 'whatever somebody wrote into a segment: an error with a code, or records inside its bounds',
  run: ({ house, chance, deadline }) => attackFor(house, chance.seedOfPeer(), deadline - performance.now()),
};
