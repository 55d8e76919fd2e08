// The public surface: named exports, no logic. In a browser `#platform` leaves the operating system out.
export type { Access, Backing, ForeignHandle, Handle, NativeHandle, ProcessHandle } from './platform/platform.ts';
export {
  type ErrorCode,
  GuardError,
  type GuardErrorCode,
  LayoutError,
  type LayoutErrorCode,
  SegmentError,
  type SegmentErrorCode,
  SharecordError,
  StoreClosedError,
  StoreFullError,
  ValueError,
  type ValueErrorCode,
} from './errors.ts';
export { listSegments, type ListedSegment } from './store/list-segments.ts';
export { createStore, joinStore, openStore } from './store/open-store.ts';
export type { SegmentOptions } from './store/options.ts';
export type { Lifetime } from './store/segment-header.ts';
export {
  createSegment,
  joinSegment,
  openSegment,
  type OpenSegmentOptions,
  type Segment,
} from './store/segment.ts';
export type {
  Change,
  OpenStoreOptions,
  StoreAccess,
  StoreOptions,
  StoreReader,
  StoreWriter,
  WatchOptions,
} from './store/types.ts';
export { waitForSegment, waitForStore, type WaitOptions } from './store/wait.ts';
