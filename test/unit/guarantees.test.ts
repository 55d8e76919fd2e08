// docs/guarantees.md names tests that exist, and every campaign.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CAMPAIGNS } from '../torture/campaigns.ts';
import { findSlow } from '../torture/random-kills.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/guarantees.md', root), 'utf8');

test('every test that the page names exists', () => {
  const files = readdirSync(new URL('test/', root), { recursive: true, encoding: 'utf8' });
  const named = [...page.matchAll(/`([a-z0-9/-]+\.(?:test\.ts|sh))`/g)].map(([, name]) => name!);
  const missing = named.filter(
    (name) => !existsSync(new URL(name, root)) && !files.some((file) => file.endsWith(`/${name}`)),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(missing).toEqual([]);
});

test('every campaign has a row of figures, and a promise that names it', () => {
  for (const { name } of CAMPAIGNS) {
    expect(page, name).toMatch(new RegExp(`^\\| \`${name}\` \\|`, 'm'));
    expect(page, name).toMatch(new RegExp(`\\| \`${name}\` \\|$`, 'm'));
  }
});

test('the campaign of kills refuses more than one slow pause in a hundred', () => {
  const fast = Array.from({ length: 198 }, (_, i) => i / 4);
  expect(findSlow([...fast, 250, 300])).toEqual([]);
  expect(findSlow([...fast, 250, 300, 350])).toEqual([expect.stringContaining('250.0 ms')]);
  expect(findSlow([])).toEqual([]);
});
