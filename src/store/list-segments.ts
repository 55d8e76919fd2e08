// The managed segments of this machine, told from everything else by their headers.
import { selectPlatform } from '#platform';
import {
  hasMagic,
  headerLengthOf,
  LONGEST_HEADER,
  type SegmentSummary,
  summarize,
} from './segment-header.ts';

/** A managed segment as `listSegments` tells it. */
export interface ListedSegment extends SegmentSummary {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

// Enough for the header of most stores; a longer one is read again, whole.
const FIRST_LOOK = 65_536;

/** Names the managed segments that this user may read; those that end meanwhile, or are damaged, are left out. */
export function listSegments(): ListedSegment[] {
  const platform = selectPlatform();
  const listed: ListedSegment[] = [];
  for (const name of platform.list()) {
    let found = platform.peek(name, FIRST_LOOK);
    if (found === undefined || !hasMagic(found.bytes)) continue;
    if (found.bytes.length < headerLengthOf(found.bytes)) found = platform.peek(name, LONGEST_HEADER);
    if (found === undefined) continue;
    const summary = summarize(found.bytes, found.size, name);
    if (summary !== undefined) listed.push({ name, ...summary, size: found.size });
  }
  return listed;
}
