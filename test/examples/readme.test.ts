import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Program, ROOT } from './program.ts';

const EXAMPLES = join(ROOT, 'examples');
const folders = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const index = readFileSync(join(EXAMPLES, 'README.md'), 'utf8');

const commandsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap((match) => match[1]!.trim().split('\n'));

describe.each(folders)('the example %s', (folder) => {
  const readme = readFileSync(join(EXAMPLES, folder, 'README.md'), 'utf8');
  const commands = commandsOf(readme);

  test('is in the list of examples, with its first command', () => {
    expect(index).toContain(`[${folder}](${folder}/)`);
    expect(index).toContain(`\`${commands[0]}\``);
  });

  test('has a README whose links lead somewhere', () => {
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!);
    for (const link of links) expect(existsSync(join(EXAMPLES, folder, link)), link).toBe(true);
  });

  test.each(commands)('runs as its README says: %s', async (command) => {
    const { code, stdout, stderr } = await new Program('sh', ['-c', command]).ended;
    expect({ command, code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).not.toBe('');
  });

  test("imports the package by its name, never this repository's files", () => {
    for (const file of readdirSync(join(EXAMPLES, folder)).filter((name) => name.endsWith('.ts'))) {
      const imports = [...readFileSync(join(EXAMPLES, folder, file), 'utf8').matchAll(/from '([^']+)'/g)];
      for (const [, source] of imports) expect(source, file).not.toMatch(/^\.\.|\/src\//);
    }
  });
});
