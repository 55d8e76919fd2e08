// Opens whatever managed segment has a name: it says itself whether it is a store or a map.
import { type MapReader, openMap, openStore, SegmentError, type StoreReader } from '../index.ts';

/** An open store or map. */
export type Opened =
  | { readonly kind: 'store'; readonly store: StoreReader }
  | { readonly kind: 'map'; readonly map: MapReader };

/** Opens a store or a map for reading. */
export function openAny(name: string): Opened {
  try {
    return { kind: 'store', store: openStore(name) };
  } catch (error) {
    if (!(error instanceof SegmentError && error.code === 'SEGMENT_FORMAT')) throw error;
    const map = tryOpenMap(name);
    if (map === undefined) throw error;
    return { kind: 'map', map };
  }
}

function tryOpenMap(name: string): MapReader | undefined {
  try {
    return openMap(name);
  } catch {
    return undefined;
  }
}
