// The same store under other conditions of the engine and the machine, each in a process of its own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createStore, f64, openStore, struct, u32 } from '../../src/index.ts';

const script = fileURLToPath(new URL('./engine-child.ts', import.meta.url));

test.each([
  ['without flags', []],
  ['without code from strings', ['--disallow-code-generation-from-strings']],
  ['without the optimising compilers', ['--no-turbofan', '--no-maglev']],
  ['in Maglev alone', ['--no-turbofan']],
])('a store works %s', (_title, flags) => {
  const child = spawnSync(process.execPath, [...flags, '--conditions=@sharecord/source', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(child.stderr).toBe('');
  expect(child.stdout.trim()).toBe(flags[0]?.startsWith('--disallow') ? 'plain' : 'generated');
  expect(child.status).toBe(0);
});

test.each(['exit', 'end', 'throw', 'abort'])('a process that watches ends on %s', (how) => {
  const child = spawnSync(process.execPath, ['--conditions=@sharecord/source', script, how], {
    encoding: 'utf8',
    // A watchdog: no maximum is asserted, a hang is ended.
    timeout: 60_000,
  });
  expect(child.signal).toBeNull();
  expect(child.status).toBe(how === 'throw' ? 1 : 0);
});

const Row = struct('Row', { id: u32, value: f64 });
const RECORDS = 70_000_000;
const enough = process.availableMemory() > 3 * RECORDS * 64;

test.skipIf(!enough)(
  'a store over 4 GiB keeps its records apart (skipped with less than 13 GB of free memory)',
  () => {
    const store = createStore({ layout: Row, capacity: RECORDS });
    try {
      expect(store.segment.size).toBeGreaterThan(2 ** 32);
      // Indexes whose byte offsets would be equal modulo 2^31 or 2^32.
      const indexes = [0, 1, 2 ** 25, 2 ** 25 + 1, 2 ** 26, 2 ** 26 + 1, RECORDS - 1];
      const reader = openStore(store.handle, Row);
      for (const id of indexes) store.write(id, { id, value: id / 2 });
      for (const id of indexes) {
        store.assign(id, { value: id / 4 });
        expect(store.read(id)).toEqual({ id, value: id / 4 });
        expect(reader.readInto(id, Row.zero())).toEqual({ id, value: id / 4 });
        expect(reader.generation(id)).toBe(2);
      }
      expect(reader.generation(2)).toBe(0);
      expect(reader.read(RECORDS - 2)).toEqual({ id: 0, value: 0 });
      reader.close();
    } finally {
      store.close();
    }
  },
);
