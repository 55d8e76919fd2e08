// The public surface: named exports, no logic. In a browser `#platform` leaves the operating system out.
export {
  be,
  bool,
  bool32,
  byteBool,
  f32,
  f64,
  filetime,
  i16,
  i32,
  i64,
  i8,
  long,
  longBool,
  pointer,
  sizeT,
  tDateTime,
  timeT,
  u16,
  u32,
  u64,
  u8,
  ulong,
  unixMs,
  wordBool,
} from './layout/numbers.ts';
export { array, bits, bytes, enumOf, pad } from './layout/composites.ts';
export { byteLength } from './layout/byte-length.ts';
export { codegen } from './layout/codegen.ts';
export { struct, union } from './layout/struct.ts';
export {
  char,
  char16,
  char32,
  type CodePageOptions,
  shortString,
  type TextOptions,
  utf8,
  wchar,
} from './layout/text-types.ts';
export type {
  AnyLayout,
  ArrayType,
  ArrayView,
  BitsType,
  BufferSource,
  Field,
  FieldType,
  Infer,
  InferInput,
  InferPatch,
  Layout,
  NumberType,
  PadType,
  StructOptions,
  UnionOptions,
  UnionType,
  View,
} from './layout/types.ts';
export type { Abi, Pack } from './layout/abi.ts';
export type {
  Access,
  Backing,
  FileSource,
  ForeignHandle,
  Handle,
  NativeHandle,
  ProcessHandle,
  Source,
} from './platform/platform.ts';
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
  WindowError,
  type WindowErrorCode,
} from './errors.ts';
export { listSegments, type ListedSegment } from './store/list-segments.ts';
export { namedMutex, robustMutex, seqlock, unguarded, versionPair } from './store/guards.ts';
export { createMap, joinMap, openMap } from './store/open-map.ts';
export { createRecord, joinRecord, openRecord } from './store/open-record.ts';
export { createStore, joinStore, openStore } from './store/open-store.ts';
export type { SegmentOptions } from './store/options.ts';
export type {
  CreateRecordOptions,
  Guard,
  LockedRecord,
  LockOptions,
  NamedMutex,
  OpenRecordOptions,
  RecordReader,
  RecordWriter,
} from './store/record-types.ts';
export type {
  KeyType,
  MapChange,
  MapDefinition,
  MapOptions,
  MapReader,
  MapWriter,
  OpenMapOptions,
} from './store/map-types.ts';
export type { MutexOptions } from './sync/mutex-guard.ts';
export type { Lifetime } from './store/segment-header.ts';
export type { Segment } from './store/mapped-segment.ts';
export { createSegment, joinSegment, openSegment, type OpenSegmentOptions } from './store/segment.ts';
export type {
  Change,
  OpenStoreOptions,
  StoreAccess,
  StoreOptions,
  StoreReader,
  StoreWriter,
  WatchOptions,
} from './store/types.ts';
export { waitForMap, waitForRecord, waitForSegment, waitForStore, type WaitOptions } from './store/wait.ts';
