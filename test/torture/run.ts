// `npm run torture`: the campaigns behind docs/guarantees.md, one line each. `--seed N` repeats the choices of a run, `--only
// NAME` (several times) chooses campaigns, `--minutes M` is the length of each (default 10), `--record` writes the figures to
// docs/guarantees.md. Exits with 1 if anything that was promised did not hold.
import * as os from 'node:os';
import { parseArgs } from 'node:util';
import { Household } from '../support/household.ts';
import { onWindows } from '../support/system.ts';
import { Chance, type Findings } from './campaign.ts';
import { CAMPAIGNS } from './campaigns.ts';
import { record } from './record.ts';

const DEFAULT_MINUTES = 10;
const MINUTE_MS = 60_000;
const MOST_SHOWN = 10;

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
    minutes: { type: 'string', default: String(DEFAULT_MINUTES) },
    record: { type: 'boolean', default: false },
  },
});
const seed = options.seed === undefined ? Date.now() % 2 ** 32 : Number(options.seed);
const minutes = Number(options.minutes);
const chosen = CAMPAIGNS.filter(({ name }) => options.only?.includes(name) ?? true);
if (!Number.isInteger(seed) || !(minutes > 0) || chosen.length < (options.only?.length ?? 1)) {
  console.error(
    `usage: npm run torture -- [--seed N] [--only NAME]... [--minutes M] [--record]\nNAME: ${CAMPAIGNS.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

/** Others on the same machine make waits longer than the library does. */
const loadBefore = os.loadavg()[0]!;
// PLATFORM: Windows has no load average, and says 0 (os.loadavg).
const idleBefore = !onWindows && loadBefore < os.availableParallelism();
console.log(
  `seed ${seed}, ${minutes} min each, Node ${process.versions.node}, ${os.availableParallelism()} processors, load ${loadBefore.toFixed(1)}`,
);
let failed = false;
for (const campaign of chosen) {
  const house = new Household();
  const started = performance.now();
  let findings: Findings;
  try {
    findings = await campaign.run({
      house,
      chance: new Chance(seed),
      deadline: started + minutes * MINUTE_MS,
      idleBefore,
    });
  } catch (error) {
    findings = { figures: {}, violations: [String((error as Error).stack ?? error)] };
  }
  const violations = [...findings.violations];
  await house.clear().catch((error: unknown) => violations.push(String(error)));
  const tookMinutes = (performance.now() - started) / MINUTE_MS;
  const figures = Object.entries(findings.figures).map(([what, figure]) => `${what} ${figure}`);
  const verdict = violations.length === 0 ? 'ok  ' : 'FAIL';
  console.log(`${verdict} ${campaign.name}: ${figures.join(', ')} (${tookMinutes.toFixed(1)} min)`);
  for (const violation of violations.slice(0, MOST_SHOWN)) console.log(`     ${violation}`);
  if (violations.length > MOST_SHOWN) console.log(`     and ${violations.length - MOST_SHOWN} more`);
  if (violations.length > 0) failed = true;
  else if (options.record) record(campaign.name, figures.join(', '), tookMinutes, seed, loadBefore);
}
process.exitCode = failed ? 1 : 0;
