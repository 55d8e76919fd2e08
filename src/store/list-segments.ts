// The managed segments of this machine, told from everything else by their headers.
import { selectPlatform } from '#platform';
import { type SegmentSummary, summarize } from './segment-header.ts';

/** A managed segment as `listSegments` tells it. */
export interface ListedSegment extends SegmentSummary {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** Names the managed segments that this user may read; those that end meanwhile, or are damaged, are left out. */
export function listSegments(): ListedSegment[] {
  const platform = selectPlatform();
  const listed: ListedSegment[] = [];
  for (const name of platform.list()) {
    const found = inspect(name);
    if (found !== undefined) listed.push(found);
  }
  return listed;

  function inspect(name: string): ListedSegment | undefined {
    let object;
    try {
      object = platform.open(name, false);
    } catch {
      return undefined;
    }
    try {
      if (object.size === 0) return undefined;
      const mapping = object.map('read', 0, object.size);
      try {
        const summary = summarize(new Uint8Array(mapping.buffer), name);
        return summary === undefined ? undefined : { name, ...summary, size: object.size };
      } finally {
        mapping.unmap();
      }
    } catch {
      return undefined;
    } finally {
      object.close();
    }
  }
}
