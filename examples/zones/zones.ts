// Where everything lies in the 4096 bytes, and how one side opens it: zone 1, which the client writes, then zone 2, which the server
// writes, then the two window handles.
import {
  array,
  i32,
  joinSegment,
  namedMutex,
  openRecord,
  type Segment,
  struct,
  u32,
  unguarded,
} from 'sharecord';
import type { Agreed, Options } from './options.ts';

const SIZE = 4096;
const Handles = struct('Handles', { server: u32, client: u32 });

/** What a zone holds is not to be believed. */
export class Refused extends Error {}

/**
 * Opens the zone at `offset`. Each has a mutex of its own beside the memory. Its writer goes on when the last owner of that died,
 * since it writes the zone whole; its reader refuses what it finds then, which may be half written, until that changes.
 */
function openZone(
  segment: Segment,
  { n, countsItself }: Agreed,
  lock: string,
  offset: number,
  isOwn: boolean,
) {
  const Zone = struct('Zone', { count: i32, values: array(i32, n) });
  const extra = countsItself ? 1 : 0;
  let half: string | undefined;
  const guard = namedMutex(lock, {
    timeoutMs: 1000,
    onAbandoned() {
      if (!isOwn) half = JSON.stringify(record.read());
    },
  });
  const record = openRecord(segment, Zone, { guard, offset, access: 'read-write' });
  return {
    end: offset + Zone.size,
    /** Writes at most `n` values, and zeros behind them. */
    write(values: readonly number[]): void {
      const zeros = Array<number>(Math.max(0, n - values.length)).fill(0);
      record.write({ count: values.length + extra, values: [...values, ...zeros] });
    },
    /** Gives the values that count; a count that points outside the zone is refused, not followed. */
    read(): number[] {
      const zone = record.read();
      if (half === JSON.stringify(zone)) {
        throw new Refused('it may be half written, its last owner died while it held the mutex');
      }
      half = undefined;
      const { count, values } = zone;
      if (count === 0) return []; // not written yet
      if (count < extra || count - extra > n) {
        throw new Refused(`a count of ${count}, expected ${extra} to ${n + extra}`);
      }
      return values.slice(0, count - extra);
    },
    close: () => record.close(),
  };
}

/** Joins the memory or creates it. */
export function joinZones({ name, role, zones }: Options) {
  const segment = joinSegment({ name, size: SIZE });
  const first = openZone(segment, zones[0], `${name}.zone1`, 0, role === 'client');
  const second = openZone(segment, zones[1], `${name}.zone2`, first.end, role === 'server');
  const handles = openRecord(segment, Handles, {
    guard: unguarded(),
    offset: second.end,
    access: 'read-write',
  });
  return {
    mine: role === 'client' ? first : second,
    theirs: role === 'client' ? second : first,
    handles,
    close() {
      for (const each of [first, second, handles, segment]) each.close();
    },
  };
}
