// Makes memory that has no name and hands it over: to children that inherit it, to processes that run already, and as a window
// beyond 4 GiB. Then it closes its own handle, and the memory stays with the others.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRecord, createSegment, type NativeHandle, openSegment, unguarded } from 'sharecord';
import { Baton, take } from './baton.ts';
import { Peer } from './peer.ts';

const GIB = 2 ** 30;
/** A compiled native program (native/), to take part too. */
const native = process.argv[2];

// Without `inheritable` no child would have the handle.
const segment = createSegment({ size: 65_536, inheritable: true });
const baton = createRecord(segment, Baton, { guard: unguarded() });
baton.write({ hits: 0, note: 'made' });
const handle = segment.handle as NativeHandle;
console.log(`made ${segment.size} bytes without a name`);

// 1. By inheritance. A program that uses this library gets the whole handle, any other one the number of its osHandle.
const child = Peer.ours('our child', { HANDED_OVER: JSON.stringify(handle) });
const peers = [child];
await child.counts();
if (native !== undefined) {
  const other = new Peer('native child', native, ['child', String(handle.osHandle)]);
  peers.push(other);
  await other.counts();
}

// 2. To processes that run already. Ours take the handle as it is. For a native one a number is made: on Windows a handle of
// its own (DuplicateHandle), on Linux the descriptor of this process, which it copies (pidfd_getfd).
const running = Peer.ours('our running process');
peers.push(running);
await running.counts(JSON.stringify({ source: handle }));
const stranger = native === undefined ? undefined : new Peer('native running process', native, ['running']);
if (stranger !== undefined) {
  peers.push(stranger);
  const { pid, osHandle } = segment.duplicateFor(stranger.pid) as NativeHandle;
  await stranger.counts(`${pid} ${osHandle} 0`);
}
const { hits, note } = baton.read();
console.log(`the maker sees hits ${hits}, the last by ${note.replace(/\d+/, '…')}`);

// 3. The maker is done with it. The memory lives until the last of them closes its handle.
baton.close();
segment.close();
for (const peer of peers) await peer.counts('again');

// 4. A window of something larger than 32 bits can count, at an offset that is a multiple of nothing in particular.
const folder = mkdtempSync(join(tmpdir(), 'hand-over-'));
try {
  const file = join(folder, 'large.bin');
  const offset = 4 * GIB + 70_004;
  writeFileSync(file, '');
  truncateSync(file, 4 * GIB + 131_072);
  const large = openSegment({ file }, { access: 'read-write', offset, length: Baton.size });
  const far = take(large.handle, offset);
  console.log(`the maker, ${offset} bytes into ${file.replace(folder, '…')}: hits ${far.hit('maker')}`);
  await running.counts(JSON.stringify({ source: large.handle, offset }));
  if (stranger !== undefined) {
    const { pid, osHandle } = large.duplicateFor(stranger.pid) as NativeHandle;
    await stranger.counts(`${pid} ${osHandle} ${offset}`);
  }
  far.close();
  large.close();
  for (const peer of peers) await peer.end();
} finally {
  rmSync(folder, { recursive: true });
}
