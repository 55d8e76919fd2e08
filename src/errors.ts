// The error family: one base, one class for each thing a caller can do about a failure, and the table of codes.
// docs/errors.md describes each code; a test keeps the two in step.

/** Every code, by the class that carries it. A code never changes its meaning; match on it, not on the message. */
export const ERROR_CODES = {
  LayoutError: ['LAYOUT_FIELD_INVALID', 'LAYOUT_TOO_LARGE', 'LAYOUT_MISMATCH'],
  ValueError: ['VALUE_TYPE', 'VALUE_RANGE', 'VALUE_TOO_LONG', 'VALUE_UNMAPPABLE', 'INDEX_RANGE'],
  SegmentError: [
    'SEGMENT_EXISTS',
    'SEGMENT_NOT_FOUND',
    'SEGMENT_DENIED',
    'SEGMENT_NOT_READY',
    'SEGMENT_FOREIGN',
    'SEGMENT_FORMAT',
    'SEGMENT_TOO_SMALL',
    'SEGMENT_NAME',
    'SEGMENT_UNSUPPORTED',
    'SEGMENT_LIMIT',
    'SEGMENT_OS',
  ],
  GuardError: ['READ_CONTENDED', 'LOCK_TIMEOUT', 'WRITER_DIED'],
  StoreFullError: ['STORE_FULL'],
  StoreClosedError: ['STORE_CLOSED'],
  WindowError: ['WINDOW_NOT_FOUND', 'WINDOW_DENIED', 'WINDOW_QUEUE_FULL', 'WINDOW_UNSUPPORTED'],
} as const;

type CodesOf<Class extends keyof typeof ERROR_CODES> = (typeof ERROR_CODES)[Class][number];

export type LayoutErrorCode = CodesOf<'LayoutError'>;
export type ValueErrorCode = CodesOf<'ValueError'>;
export type SegmentErrorCode = CodesOf<'SegmentError'>;
export type GuardErrorCode = CodesOf<'GuardError'>;
export type StoreFullCode = CodesOf<'StoreFullError'>;
export type StoreClosedCode = CodesOf<'StoreClosedError'>;
export type WindowErrorCode = CodesOf<'WindowError'>;
/** Any code that a `SharecordError` can carry. */
export type ErrorCode = CodesOf<keyof typeof ERROR_CODES>;

/** Is the base of every error this library throws; `code` is stable across versions. */
export class SharecordError extends Error {
  override readonly name: string = 'SharecordError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Reports a definition that cannot be laid out, or one that differs from the segment's: fix the definition. */
export class LayoutError extends SharecordError {
  override readonly name = 'LayoutError';
  declare readonly code: LayoutErrorCode;

  constructor(code: LayoutErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Reports an argument, option or record value that is not acceptable; nothing was written: fix the call. */
export class ValueError extends SharecordError {
  override readonly name = 'ValueError';
  declare readonly code: ValueErrorCode;

  constructor(code: ValueErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Says what the operating system answered, for errors that come from it. */
export interface SegmentErrorDetail extends ErrorOptions {
  /** Name of the system call, for instance `mmap`. */
  readonly syscall?: string | undefined;
  /** The system's own code: errno on POSIX (positive), GetLastError on Windows. */
  readonly osCode?: number | undefined;
  /** Name of the segment. */
  readonly segment?: string | undefined;
}

/** Reports a segment that cannot be made, opened or understood: retry, rename, or change rights. */
export class SegmentError extends SharecordError {
  override readonly name = 'SegmentError';
  declare readonly code: SegmentErrorCode;
  readonly syscall: string | undefined;
  readonly osCode: number | undefined;
  readonly segment: string | undefined;

  constructor(code: SegmentErrorCode, message: string, detail: SegmentErrorDetail = {}) {
    super(code, message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.syscall = detail.syscall;
    this.osCode = detail.osCode;
    this.segment = detail.segment;
  }
}

/** Reports a guard that could not be passed in its bound: retry, or recover the record. */
export class GuardError extends SharecordError {
  override readonly name = 'GuardError';
  declare readonly code: GuardErrorCode;

  constructor(code: GuardErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Reports a map without a free slot: delete entries, or create it with more capacity. */
export class StoreFullError extends SharecordError {
  override readonly name = 'StoreFullError';
  declare readonly code: StoreFullCode;

  constructor(message: string) {
    super('STORE_FULL', message);
  }
}

/** Reports a call on an object after its `close()`: reopen it. */
export class StoreClosedError extends SharecordError {
  override readonly name = 'StoreClosedError';
  declare readonly code: StoreClosedCode;

  constructor(message: string) {
    super('STORE_CLOSED', message);
  }
}

/** Reports a window message that could not be sent, or a system without windows: find the window again, or wait. */
export class WindowError extends SharecordError {
  override readonly name = 'WindowError';
  declare readonly code: WindowErrorCode;
  /** GetLastError, where the system said no. */
  readonly osCode: number | undefined;

  constructor(code: WindowErrorCode, message: string, osCode?: number) {
    super(code, message);
    this.osCode = osCode;
  }
}
