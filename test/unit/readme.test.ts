// The README's example runs as it stands, in a process of its own, with names of its own.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

test('the example of the README runs and prints what it says', () => {
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  expect(example).toContain("createStore({ name: 'quotes'");
  const code = example.replaceAll("'quotes'", `'sharecord-test-readme-${process.pid}'`);
  const child = spawnSync(
    process.execPath,
    ['--conditions=@sharecord/source', '--input-type=module-typescript', '--eval', code],
    { cwd: root, encoding: 'utf8', timeout: 60_000 },
  );
  expect(child.stderr).toBe('');
  expect(child.stdout).toBe("{ symbol: 'ACME', bid: 10.5, ask: 10.5, tick: 2n }\n2 10.5\n");
  expect(child.status).toBe(0);
});

test('every test file that the README names exists', () => {
  const named = [...readme.matchAll(/`(test\/[a-z-]+\/[a-z-]+\.(?:test\.ts|sh))`/g)].map(
    ([, file]) => file as string,
  );
  expect(named.length).toBeGreaterThan(5);
  for (const file of named) expect(() => readFileSync(root + file), file).not.toThrow();
});
