// A process of the hostile campaign: `hostile-child.ts SEED FOLDER MUTEX`. Mutates segments, keeps the mutants that reach code which
// none before reached, and attacks each; some are attacked beside a participant that lives and has a lock. Tells its progress, and
// every input that was not refused or read by the rules.
import * as fs from 'node:fs';
import { Session } from 'node:inspector';
import { Chance } from './campaign.ts';
import { mutate, ownLock, soundSegments } from './hostile-inputs.ts';
import { attack, LIVING_SLOT } from './hostile-target.ts';

const [seed = '', folder = '', mutex = ''] = process.argv.slice(2);
const chance = new Chance(Number(seed));
const SOURCES = new URL('../../src/', import.meta.url).href;
const REPORT_MS = 500;
const SHARE_OF_SOUND = 0.2;
/** Each of this many inputs is one beside a living owner of a lock: writers wait for it for a second. */
const LIVING_EVERY = 500;
const FIRST_LIVING = 50;

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

const seen = new Set<string>();
/** True if code ran since the last call that had not run before. */
function foundNew(): boolean {
  let found = false;
  session.post('Profiler.takePreciseCoverage', (error, coverage) => {
    if (error !== null) throw error;
    for (const { url, functions } of coverage.result) {
      if (!url.startsWith(SOURCES)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count === 0) continue;
          const place = `${url.slice(SOURCES.length)}:${startOffset}-${endOffset}`;
          if (seen.has(place)) continue;
          seen.add(place);
          found = true;
        }
      }
    }
  });
  return found;
}

const sound = soundSegments(folder, mutex);
const corpus = [...sound];
const outcomes = new Set<string>();
const file = `${folder}/segment`;
/** What the process works on when it dies is there. */
const present = `${folder}/input`;
let runs = 0;
let wrong = 0;
/** Inputs that had to wait for a living owner. */
let waited = 0;
let reported = performance.now();
const input = new AbortController();
process.stdin.resume();
process.stdin.once('end', () => input.abort());
process.stdout.write('ready\n');

const say = (): void => {
  const progress = {
    runs,
    wrong,
    kept: corpus.length - sound.length,
    places: seen.size,
    outcomes: outcomes.size,
    waited,
  };
  process.stdout.write(`${JSON.stringify(progress)}\n`);
};

for (const each of sound) {
  const met = await attack(file, each);
  if (!met.has('changed'))
    throw new Error(`no watch of a sound segment told a change: ${[...met].join(' ')}`);
  foundNew();
}
while (!input.signal.aborted) {
  const isLiving = runs % LIVING_EVERY === FIRST_LIVING;
  const parent = isLiving || chance.fraction() < SHARE_OF_SOUND ? chance.pick(sound) : chance.pick(corpus);
  // Half of them are sound but for the lock, so that they are not refused before it is met.
  const isWhole = isLiving && chance.below(2) === 0;
  const mutant = isWhole ? new Uint8Array(parent) : mutate(parent, chance.pick(corpus), chance);
  if (isLiving) ownLock(mutant, LIVING_SLOT, chance);
  fs.writeFileSync(present, mutant);
  runs++;
  try {
    const met = await attack(file, mutant, isLiving);
    for (const outcome of met) outcomes.add(outcome);
    if (isLiving && (met.has('LOCK_TIMEOUT') || met.has('READ_CONTENDED'))) waited++;
    else if (isWhole) throw new Error(`nobody met the living owner of a lock: ${[...met].join(' ')}`);
  } catch (error) {
    wrong++;
    fs.writeFileSync(`${folder}/wrong-${seed}-${wrong}${isLiving ? '-living' : ''}`, mutant);
    process.stdout.write(
      `${JSON.stringify({ fault: String((error as Error).stack ?? error).slice(0, 600), run: runs })}\n`,
    );
  }
  // One beside a living owner is not kept: its mutants would not have that owner.
  if (foundNew() && !isLiving) corpus.push(mutant);
  if (performance.now() - reported > REPORT_MS) {
    reported = performance.now();
    say();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
say();
process.stdin.destroy();
