import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeFolder, Program, ROOT } from './program.ts';

const EXAMPLES = join(ROOT, 'examples');
const folders = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const index = readFileSync(join(EXAMPLES, 'README.md'), 'utf8');

const commandsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap((match) => match[1]!.trim().split('\n'));

/** Commands for Linux alone, which compile native programs: all of a README in their order, since one runs what another made. */
const nativeCommandsOf = (markdown: string): string =>
  [...markdown.matchAll(/^```bash\n([^]*?)^```$/gm)].map((match) => match[1]!).join('');

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

  const native = nativeCommandsOf(readme);
  test.skipIf(native === '' || process.platform !== 'linux')(
    'has native programs that are compiled and run as its README says (on Linux alone; the commands are for it)',
    async () => {
      // A folder that looks like the root of the repository, so that what is compiled lands elsewhere.
      const place = makeFolder();
      for (const each of ['examples', 'native', 'node_modules', 'package.json', 'src'])
        symlinkSync(join(ROOT, each), join(place, each));
      const before = readdirSync(join(EXAMPLES, folder, 'native'));
      const { code, stderr } = await new Program('bash', ['-ec', `cd "${place}"\n${native}`]).ended;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(readdirSync(join(EXAMPLES, folder, 'native'))).toEqual(before);
    },
  );

  test("imports the package by its name, never this repository's files", () => {
    for (const file of readdirSync(join(EXAMPLES, folder)).filter((name) => name.endsWith('.ts'))) {
      const imports = [...readFileSync(join(EXAMPLES, folder, file), 'utf8').matchAll(/from '([^']+)'/g)];
      for (const [, source] of imports) expect(source, file).not.toMatch(/^\.\.|\/src\//);
    }
  });
});
