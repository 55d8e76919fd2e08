// The last figures of the campaigns, as rows of a table in docs/guarantees.md.
import * as fs from 'node:fs';
import * as os from 'node:os';

const PAGE = new URL('../../docs/guarantees.md', import.meta.url);

/** Replaces the campaign's row of figures; the page has one for each campaign, which begins with its name. */
export function record(campaign: string, figures: string, minutes: number, seed: number, load: number): void {
  const page = fs.readFileSync(PAGE, 'utf8');
  const row = new RegExp(`^\\| \`${campaign}\` \\|.*$`, 'm');
  if (!row.test(page)) throw new Error(`docs/guarantees.md has no row for campaign ${campaign}`);
  const day = new Date().toISOString().slice(0, 10);
  const text = `| \`${campaign}\` | ${figures} | ${minutes.toFixed(1)} min on ${os.availableParallelism()} processors with a load of ${load.toFixed(0)} before, Node ${process.versions.node}, ${day}, seed ${seed} |`;
  fs.writeFileSync(
    PAGE,
    page.replace(row, () => text),
  );
}
