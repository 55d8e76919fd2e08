// What tests leave to chance can be repeated: all of it comes from a seed that a failure shows (test/support/luck.ts).
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const tests = new URL('../', import.meta.url);

test('no test makes choices of its own beside the seed', () => {
  const files = readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replaceAll('\\', '/'));
  expect(files).toContain('race/node-peer.ts');
  const unseeded = files.filter((file) =>
    /Math\.random\(|new Chance\((Date\.now|SEED)/.test(readFileSync(new URL(file, tests), 'utf8')),
  );
  expect(unseeded).toEqual([]);
});
