// Walks through what a mapping can be, first in memory (of the page file), then in a file of the disk: views for reading, for
// writing and copy-on-write, what a flush brings to the disk, what closing leaves; at the end, pages that load on first use.
// Prints what each step showed. native/ does the same without the library, and must print the same.
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createRecord,
  createSegment,
  openRecord,
  openSegment,
  type Segment,
  SharecordError,
  type Source,
  struct,
  u32,
  unguarded,
} from 'sharecord';

const SIZE = 65_536;
const LARGE = 128 * 2 ** 20;
const PAGE = 4096;
const Cell = struct('Cell', { value: u32 });
const guard = unguarded();
const name = process.argv[2] ?? `modes-${process.pid}`;

/** Gives the code of the error that `attempt` ends with. */
function refusal(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof SharecordError) return error.code;
    throw error;
  }
}

/** Reads the number at the start of a file as any program would. */
function onDisk(file: string): number {
  const bytes = new DataView(new ArrayBuffer(4));
  const fd = openSync(file, 'r');
  readSync(fd, bytes);
  closeSync(fd);
  return bytes.getUint32(0, true);
}

function walk(title: string, create: () => Segment, source: Source, file?: string): void {
  const say = (text: string): void => console.log(`${title}: ${text}`);
  const first = create();
  const isZero = new Uint8Array(first.buffer).every((byte) => byte === 0);
  say(`${first.created ? 'created' : 'found'}, ${first.size} bytes${isZero ? ' of zeros' : ''}`);
  say(`a second create is ${refusal(create) === 'SEGMENT_EXISTS' ? 'refused, it exists' : 'granted'}`);
  const cell = createRecord(first, Cell, { guard });
  cell.write({ value: 1 });

  // An open asks for reading, unless told otherwise.
  const reader = openSegment(source);
  const seen = openRecord(reader, Cell, { guard });
  say(`a read-only view shows ${seen.read().value}`);
  const written = refusal(() => openRecord(reader, Cell, { guard, access: 'read-write' }));
  say(`writing through it is ${written === undefined ? 'granted' : 'refused'}`);

  const second = openRecord(source, Cell, { guard, access: 'read-write' });
  second.write({ value: 2 });
  say(`a read-write view writes 2, the others show ${cell.read().value} and ${seen.read().value}`);

  const own = openRecord(source, Cell, { guard, access: 'copy-on-write' });
  own.write({ value: 3 });
  say(`a copy-on-write view has ${own.read().value} for itself, the others show ${cell.read().value}`);

  second.segment.flush();
  if (file !== undefined) say(`after a flush the file has ${onDisk(file)}`);

  for (const each of [own, second, seen, reader, cell, first]) each.close();
  if (file !== undefined) say(`closed by all, the file has ${onDisk(file)}`);
  else
    say(
      `closed by all, it is ${refusal(() => openSegment(source)) === 'SEGMENT_NOT_FOUND' ? 'gone' : 'there'}`,
    );
}

/** How much of a range of `size` bytes came into memory since `before`, in tens of percent. */
function loaded(before: number, size: number): string {
  return `${10 * Math.max(0, Math.round((10 * (process.memoryUsage.rss() - before)) / size))} %`;
}

function loadLazily(file: string): void {
  const before = process.memoryUsage.rss();
  const segment = createSegment({ file, size: LARGE });
  const bytes = new Uint8Array(segment.buffer);
  const atFirst = loaded(before, LARGE);
  let sum = 0;
  for (let i = 0; i < LARGE / 2; i += PAGE) sum += bytes[i] as number;
  const half = loaded(before, LARGE);
  for (let i = LARGE / 2; i < LARGE; i += PAGE) sum += bytes[i] as number;
  console.log(
    `128 MiB of zeros, sum ${sum}: ${atFirst} loaded, ${half} after reading half, ${loaded(before, LARGE)} after reading all`,
  );
  segment.close();
}

const folder = mkdtempSync(join(tmpdir(), 'modes-'));
try {
  const file = join(folder, 'modes.bin');
  walk('memory', () => createSegment({ name, size: SIZE }), name);
  // A file that shall outlive the program.
  walk('file', () => createSegment({ file, size: SIZE, lifetime: 'until-unlink' }), { file }, file);
  loadLazily(join(folder, 'large.bin'));
} finally {
  rmSync(folder, { recursive: true });
}
