import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  ProcessRow,
  READERS,
  rowChecksum,
  Sample,
  sampleChecksum,
  sealRow,
  sealSample,
} from '../../examples/process-monitor/layout.ts';
import { SampleWriter } from '../../examples/process-monitor/sample-writer.ts';
import type { Process } from '../../examples/process-monitor/sampler.ts';
import { createStores, openStores, type WriterStores } from '../../examples/process-monitor/stores.ts';

const CHECK = new URL('../../examples/process-monitor/check.ts', import.meta.url);

function makeProcess(pid: number, command = `program ${pid}`): Process {
  return {
    pid,
    parent: 1,
    threads: 3,
    command,
    state: 'S'.charCodeAt(0),
    cpuPercent: 12.3,
    cpuSeconds: 4.56,
    residentBytes: 789n,
    startTime: new Date(2020, 1, 2),
  };
}

function makeStores(capacity: number): WriterStores {
  const stores = createStores(capacity);
  onTestFinished(stores.close);
  return stores;
}

/** Another value of the same kind. */
function otherThan(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'bigint') return value + 1n;
  if (typeof value === 'boolean') return !value;
  if (value instanceof Date) return new Date(value.getTime() + 1);
  return `${String(value)}x`;
}

describe('the checksums of the process monitor', () => {
  test.each(Object.keys(ProcessRow.offsets).filter((name) => name !== 'checksum'))(
    'a change of the row field %s shows',
    (name) => {
      const row = sealRow({ ...makeProcess(5), sample: 9 });
      expect(rowChecksum(row)).toBe(row.checksum);
      const changed = { ...row, [name]: otherThan(row[name as keyof ProcessRow]) };
      expect(rowChecksum(changed)).not.toBe(row.checksum);
    },
  );

  test.each(Object.keys(Sample.offsets).filter((name) => name !== 'checksum'))(
    'a change of the head field %s shows',
    (name) => {
      const { checksum: _, ...zero } = Sample.zero();
      const head = sealSample({ ...zero, number: 3, rows: 2, host: 'here' });
      expect(sampleChecksum(head)).toBe(head.checksum);
      const changed = { ...head, [name]: otherThan(head[name as keyof Sample]) };
      expect(sampleChecksum(changed)).not.toBe(head.checksum);
    },
  );

  test.each(['', 'a', '長い名前 '.repeat(40), '\u{1f600}'.repeat(99)])(
    'a row with the command %j matches when it is read back',
    (command) => {
      const { rows } = makeStores(1);
      rows.write(0, sealRow({ ...makeProcess(5, command), sample: 1 }));
      const row = rows.read(0);
      expect(command.startsWith(row.command)).toBe(true);
      expect(rowChecksum(row)).toBe(row.checksum);
    },
  );
});

describe('SampleWriter', () => {
  test('lets processes disappear that are not in the next sample', () => {
    const stores = makeStores(10);
    const writer = new SampleWriter(stores);
    const reader = openStores(stores.handles);
    onTestFinished(reader.close);
    const pids = (): number[] => {
      const head = reader.samples.read(0);
      const table = Array.from({ length: head.rows }, (_, index) => reader.rows.read(index));
      expect(table.every((row) => row.sample === head.number)).toBe(true);
      return table.map((row) => row.pid);
    };
    writer.write([makeProcess(1), makeProcess(2), makeProcess(3)], 'proc');
    expect(pids()).toEqual([1, 2, 3]);
    writer.write([makeProcess(1), makeProcess(3)], 'proc');
    expect(pids()).toEqual([1, 3]);
    expect(writer.writes).toBe(3 + 1 + 2 + 1);
  });

  test('counts the processes that the store has no room for', () => {
    const stores = makeStores(2);
    new SampleWriter(stores).write(
      [1, 2, 3].map((pid) => makeProcess(pid)),
      'proc',
    );
    expect(stores.samples.read(0)).toMatchObject({ rows: 2, found: 3 });
  });
});

describe('the checking worker', () => {
  async function check(stores: WriterStores): Promise<ReturnType<WriterStores['tallies']['read']>> {
    const worker = new Worker(CHECK, {
      workerData: stores.handles,
      execArgv: ['--conditions=@sharecord/source'],
    });
    await once(worker, 'exit');
    return stores.tallies.read(READERS.check);
  }

  test('counts nothing where every record has its checksum', async () => {
    const stores = makeStores(4);
    const writer = new SampleWriter(stores);
    writer.write([makeProcess(1), makeProcess(2)], 'proc');
    writer.end();
    const { reads, torn } = await check(stores);
    expect({ reads, torn }).toEqual({ reads: 3n, torn: 0n });
  });

  test('counts a row whose fields are not those that the checksum was made of', async () => {
    const stores = makeStores(4);
    const writer = new SampleWriter(stores);
    writer.write([makeProcess(1), makeProcess(2)], 'proc');
    stores.rows.assign(1, { command: 'half of another' });
    writer.end();
    const { reads, torn } = await check(stores);
    expect({ reads, torn }).toEqual({ reads: 3n, torn: 1n });
  });
});
