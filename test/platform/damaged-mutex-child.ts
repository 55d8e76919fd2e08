// A process of damaged-mutex.test.ts: holds a mutex, has its bytes overwritten as a peer could, closes, and says what is left.
import {
  createRecord,
  createSegment,
  namedMutex,
  openSegment,
  robustMutex,
  struct,
  u32,
  bytes,
} from 'sharecord';
import { countHeld, isNamed } from '../support/system.ts';

// PLATFORM: glibc's pthread_mutex_t on x86-64: the links of the list of held robust mutexes are its bytes 24 to 39.
const LINKS_AT = 24;

const [what, name] = process.argv.slice(2) as [string, string];
const Shared = struct('Shared', { lock: bytes(40), level: u32 });
const guard = robustMutex({ at: 'lock', timeoutMs: 100 });
const mutex = `${name}-mutex`;
const named = namedMutex(mutex, { timeoutMs: 100 });
const Plain = struct('Plain', { level: u32 });

const other = createRecord(`${name}-other`, Shared, { guard });
other.write({ level: 1 });
const before = countHeld();

function codeOf(call: () => void): string {
  try {
    call();
    return 'done';
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}

/** Overwrites the mutex that `record` holds, from byte `first` on, and closes twice. */
async function damage(
  record: { withLock(work: () => void): Promise<void> },
  place: string,
  end: () => void,
  first = 0,
): Promise<string[]> {
  const codes: string[] = [];
  await record
    .withLock(() => {
      const peer = openSegment(place, { access: 'read-write' });
      new Uint8Array(peer.buffer).fill(0xff, first, 40);
      peer.close();
      codes.push(codeOf(end), codeOf(end));
    })
    .catch((error: unknown) => codes.push(String((error as { code?: unknown }).code)));
  return codes;
}

const ways: Record<string, () => Promise<string[]>> = {
  'a record'() {
    const record = createRecord(name, Shared, { guard });
    return damage(record, name, () => record.close());
  },
  'the segment of a record'() {
    const segment = createSegment({ name, size: Shared.size });
    const record = createRecord(segment, Shared, { guard });
    return damage(record, name, () => segment.close());
  },
  'a record under a named mutex'() {
    const record = createRecord(name, Plain, { guard: named });
    return damage(record, mutex, () => record.close());
  },
  'the links alone'() {
    const record = createRecord(name, Plain, { guard: named });
    return damage(record, mutex, () => record.close(), LINKS_AT);
  },
};
const codes = await ways[what]!();
const now = countHeld();
// The next lock of this thread writes into the memory of a mutex that could not be given back.
other.update((draft) => void draft.level++);
const { level } = other.read();
other.close();
const left = [name, mutex].filter(isNamed);
const [descriptors, mappings] = [
  now['descriptors']! - before['descriptors']!,
  now['mappings']! - before['mappings']!,
];
console.log(JSON.stringify({ codes, left, descriptors, mappings, level }));
