// Who uses a segment by name, and what the last user does: joins and closes pass a gate one at a time, so that nobody joins
// what another removes. Byte 256 of the segment's locks is the gate, bytes 0 to 255 are its users.
import { SegmentError } from '../errors.ts';
import type { KernelLocks } from '../platform/platform.ts';
import { BackOff } from '../sync/back-off.ts';
import { PARTICIPANT_SLOTS } from '../sync/participants.ts';

const GATE_BYTE = PARTICIPANT_SLOTS;
/** How long to wait at the gate, in milliseconds; who is inside needs microseconds. */
const GATE_BOUND_MS = 5000;

/**
 * Runs `work` inside the gate (protocol: join 2 to 5, close 2 to 5).
 * @throws {SegmentError} SEGMENT_NOT_READY when somebody stays inside for 5 s.
 */
export function passGate<T>(locks: KernelLocks, segment: string | undefined, work: () => T): T {
  const backOff = new BackOff(GATE_BOUND_MS);
  // STEP: gate 1
  while (!locks.tryLock(GATE_BYTE)) {
    if (!backOff.pause()) {
      throw new SegmentError(
        'SEGMENT_NOT_READY',
        `cannot join or close segment "${segment}": another process has been joining or closing it for ${GATE_BOUND_MS} ms`,
        { segment },
      );
    }
  }
  try {
    return work();
  } finally {
    // STEP: gate 2
    locks.unlock(GATE_BYTE);
  }
}
