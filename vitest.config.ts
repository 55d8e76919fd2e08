// One project per kind of test, so that each can be run alone: `vitest run --project race`.
import { defineConfig } from 'vitest/config';

const project = (name: string, timeoutMs: number, include = [`test/${name}/**/*.test.ts`]) => ({
  extends: true as const,
  test: { name, include, testTimeout: timeoutMs, hookTimeout: timeoutMs },
});

// The other files of test/platform are about Linux: its memory file system, its limits, its browser.
const PLATFORM_FILES_ON_WINDOWS = [
  'store',
  'map',
  'map-watch',
  'segment',
  'files',
  'modes',
  'lifetime',
  'record',
  'guards',
  'guard-paths',
  'two-faced',
  'watch-turns',
].map((name) => `test/platform/${name}.test.ts`);
// The examples about the systems of Windows; the others are about Linux, or have no native peer.
const EXAMPLES_ON_WINDOWS = ['text-board', 'tpsharemem', 'zones', 'hand-over', 'modes', 'pages'].map(
  (name) => `test/examples/${name}*.test.ts`,
);
// Laws about the segments of the system; the others are about memory that JavaScript has.
const LAWS_ON_WINDOWS = ['store-model', 'map-model', 'hostile-header', 'hostile-map'].map(
  (name) => `test/property/${name}.test.ts`,
);
// What the races show of a store on Windows, in short forms where a process takes seconds to start.
const RACES_ON_WINDOWS = [
  'node-races',
  'killed-at-steps',
  'map-killed-at-steps',
  'stopped-at-steps',
  'native-join',
  'torn-reads',
  'torn-writes',
  'lost-updates',
  'lost-wakeups',
  'killed-writers',
  'map-races',
  'process-ends',
].map((name) => `test/race/${name}.test.ts`);
const onWindows = process.platform === 'win32';
// A watchdog's time: under Wine a busy machine needs ten seconds to start a Node.
const PATIENCE_MS = onWindows ? 240_000 : 60_000;

// The matrix of Node versions runs the race tests in each compiler tier; what does not depend on it runs in the first one.
const SAME_IN_EVERY_TIER = [
  'killed-at-steps',
  'map-killed-at-steps',
  'stopped-at-steps',
  'process-ends',
  'load',
  'hostile',
].map((name) => `test/race/${name}.test.ts`);
const laws = project('property', 120_000, onWindows ? LAWS_ON_WINDOWS : undefined);
const withoutTurboFan = process.env['SHARECORD_TIER'] === 'no TurboFan';
const race = project('race', 180_000);
// A race that is lost once in ten runs must not have a second chance.
const windowsRace = project('windows-race', 180_000, RACES_ON_WINDOWS);
const racesOnWindows = { ...windowsRace, test: { ...windowsRace.test, retry: 0 } };

export default defineConfig({
  resolve: { conditions: ['@sharecord/source'] },
  ssr: { resolve: { conditions: ['@sharecord/source'] } },
  test: {
    pool: 'forks',
    // Many tests wait for processes: on two processors one worker would leave one idle.
    maxWorkers: '100%',
    // Wine sometimes loses a program at its start.
    retry: onWindows ? 1 : 0,
    reporters: ['default'],
    projects: [
      project('unit', 30_000),
      { ...laws, test: { ...laws.test, setupFiles: ['test/support/law-seed.ts'] } },
      project('platform', PATIENCE_MS, onWindows ? PLATFORM_FILES_ON_WINDOWS : undefined),
      ...(onWindows ? [project('windows', 120_000, ['test/windows/**/*.test.ts']), racesOnWindows] : []),
      { ...race, test: { ...race.test, exclude: withoutTurboFan ? SAME_IN_EVERY_TIER : [] } },
      project('examples', 180_000, onWindows ? EXAMPLES_ON_WINDOWS : undefined),
      project('cli', 60_000),
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['test/types/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
    ],
  },
});
