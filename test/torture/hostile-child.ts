// A process of the hostile campaign: `hostile-child.ts SEED FOLDER`. Mutates segments, keeps the mutants that reach code which none
// before reached, and attacks each; tells its progress, and every input that was not refused or read by the rules.
import * as fs from 'node:fs';
import { Session } from 'node:inspector';
import { Chance } from './campaign.ts';
import { mutate, soundSegments } from './hostile-inputs.ts';
import { attack } from './hostile-target.ts';

const [seed = '', folder = ''] = process.argv.slice(2);
const chance = new Chance(Number(seed));
const SOURCES = new URL('../../src/', import.meta.url).href;
const REPORT_MS = 500;
const SHARE_OF_SOUND = 0.2;

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

const sound = soundSegments(folder);
const corpus = [...sound];
const codes = new Set<string>();
const file = `${folder}/segment`;
/** What the process works on when it dies is there. */
const present = `${folder}/input`;
let runs = 0;
let wrong = 0;
let reported = performance.now();
const input = new AbortController();
process.stdin.resume();
process.stdin.once('end', () => input.abort());
process.stdout.write('ready\n');

const say = (): void =>
  void process.stdout.write(
    `${JSON.stringify({ runs, wrong, kept: corpus.length - sound.length, places: seen.size, codes: [...codes].toSorted().join(' ') })}\n`,
  );

for (const each of sound) {
  await attack(file, each);
  foundNew();
}
while (!input.signal.aborted) {
  const parent = chance.fraction() < SHARE_OF_SOUND ? chance.pick(sound) : chance.pick(corpus);
  const mutant = mutate(parent, chance.pick(corpus), chance);
  fs.writeFileSync(present, mutant);
  runs++;
  try {
    for (const code of await attack(file, mutant)) codes.add(code);
  } catch (error) {
    wrong++;
    fs.writeFileSync(`${folder}/wrong-${seed}-${wrong}`, mutant);
    process.stdout.write(
      `${JSON.stringify({ fault: String((error as Error).stack ?? error).slice(0, 600), run: runs })}\n`,
    );
  }
  if (foundNew()) corpus.push(mutant);
  if (performance.now() - reported > REPORT_MS) {
    reported = performance.now();
    say();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
say();
process.stdin.destroy();
