// The contract between the library and an operating system: types only. Each backend (linux.ts, win32.ts, and without a
// system of its own process-only.ts) implements it and translates its system's errors; src/store and src/sync know nothing else of the system.

/** What a mapping may be used for; `copy-on-write` keeps this mapping's own changes to itself. */
export type Access = 'read' | 'read-write' | 'copy-on-write';

/** Where a segment's memory comes from. */
export type Backing = 'named' | 'file' | 'anonymous' | 'process';

/** Names a segment for another thread or process: plain data, JSON-safe. It keeps nothing alive. */
export interface NativeHandle {
  readonly backing: 'named' | 'file' | 'anonymous';
  readonly name?: string;
  readonly file?: string;
  /** Number of the descriptor (POSIX) or section handle (Windows) in process `pid`; what a native program uses. */
  readonly osHandle?: number;
  readonly pid?: number;
  /** What tells this object from another of the same name or number: device and inode. */
  readonly identity?: string;
  /** Bytes. */
  readonly size: number;
}

/** Carries a `process` segment to another thread: its SharedArrayBuffer cannot leave the process. */
export interface ProcessHandle {
  readonly backing: 'process';
  readonly buffer: SharedArrayBuffer;
  /** Bytes. */
  readonly size: number;
}

/** Names a segment that another part of the program, or another program, has open. */
export type Handle = NativeHandle | ProcessHandle;

/** A descriptor or handle that a native program handed over; it is duplicated and stays the caller's unless `adopt`. */
export interface ForeignHandle {
  readonly osHandle: number;
  /** The process whose number it is; default this one. */
  readonly pid?: number;
  /** Bytes to use of it, from its start; default all. */
  readonly size?: number;
  /** Closes the original once the open has succeeded; one that throws leaves it. Only in this process. */
  readonly adopt?: boolean;
}

/** A file to use as a segment, by its path. */
export interface FileSource {
  readonly file: string;
}

/** Where a segment is: its name, its file, or a handle. */
export type Source = string | Handle | ForeignHandle | FileSource;

/** One thread's mapped range of a segment. */
export interface Mapping {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Writes the range's changes to the backing file; does nothing for memory. */
  flush(): void;
  /** Detaches the buffer, then unmaps: no view of it can reach the memory afterwards. Called once. */
  unmap(): void;
}

/**
 * Locks on single bytes of a segment, held by the kernel for this open of it and freed by the kernel when the thread or
 * process that took them is gone. Two opens exclude each other, also inside one process.
 */
export interface KernelLocks {
  /** Takes byte `at` for this open alone; false if another open holds it. */
  tryLock(at: number): boolean;
  unlock(at: number): void;
  /**
   * True if another open holds any of the `length` bytes from `at`. Own locks are never reported. Asks with the rights of this
   * open: those to read are enough on POSIX.
   * @throws {SegmentError} where the system gives no answer
   */
  isHeld(at: number, length: number): boolean;
}

/** A mutex that native programs can take too. It belongs to the thread that took it. */
export interface Mutex {
  /** Equal for all opens of the same mutex in this thread (in `process` memory: through the same buffer). */
  readonly identity: string;
  /** `abandoned`: taken, and its last owner died while it held it; the mutex is made usable again. */
  tryLock(): 'taken' | 'abandoned' | 'busy';
  unlock(): void;
}

/** A mutex with a name in the system, open until closed. */
export interface SystemMutex extends Mutex {
  /** True if its owner is another user. */
  readonly foreignOwner: boolean;
  close(): void;
}

/** Hears a doorbell until closed. */
export interface Listener {
  close(): void;
}

/** Wakes every listener of a segment, in this process and others, with one call. */
export interface Doorbell {
  /** Wakes all that listen now. A ring before the listener sleeps is not lost: its callback still runs. */
  ring(): void;
  /**
   * Calls `onRing` after each ring, and `onDeaf` once if it can hear no more. Undefined where this system cannot tell, or its limits
   * are reached. Poll then.
   */
  listen(onRing: () => void, onDeaf: () => void): Listener | undefined;
}

/** One open of a segment by one thread. */
export interface SegmentObject {
  readonly backing: Backing;
  readonly name: string | undefined;
  /** What others find it by: its name, or the absolute path of its file. */
  readonly place: string | undefined;
  /**
   * True where the place stays until it is unlinked (files, names of POSIX): then the last user unlinks it. False where it ends
   * with the last handle (names of Windows), or where there is none.
   */
  readonly outlivesUsers: boolean;
  /** Bytes; exact but for memory of Windows. */
  readonly size: number;
  /** True if this object's owner is another user. */
  readonly foreignOwner: boolean;
  /**
   * Set where memory for some of its bytes is still to be found, so that a touch of a mapping may end this process: reads up to
   * `length` bytes from its start without one.
   */
  readonly peekSparse?: ((length: number) => Uint8Array) | undefined;
  /** Plain data that opens this object elsewhere. */
  readonly handle: Handle;
  /** The same with a number that is valid in process `pid`; absent where numbers need no translation. */
  handleFor?(pid: number): Handle;
  map(access: Access, offset: number, length: number): Mapping;
  /** Maps bytes [0, length) for reading and writing although the open was for reading; undefined if not permitted. */
  mapControl(length: number): Mapping | undefined;
  /** `owners` are the words a backend without kernel locks keeps its owners in; others ignore them. */
  locks(owners: Int32Array): KernelLocks;
  /**
   * `words[bell]` is the word a backend without kernel events waits on, or where one with an event per listener keeps who
   * listens; `byte` the byte that others write to.
   */
  doorbell(words: Int32Array, bell: number, byte: number): Doorbell;
  /** Gives a finished object that nobody can see its place; false if that is taken. Where it has it already: nothing. */
  publish(place: string): boolean;
  /** Equal for all opens of this object in this process; of `process` memory for all opens of one buffer in this thread. */
  readonly identity: string;
  /** True while the place means this object, false if it means another or nothing. */
  named(): boolean;
  /** True once the place means another object. */
  replaced(): boolean;
  /** Frees the place if it still means this object. */
  unlink(): void;
  /** Closes the number that it was opened by, if that was handed over with `adopt`: the last step of an open that succeeds. */
  adopt(): void;
  close(): void;
}

/** One message, as it was posted. */
export interface WindowMessage {
  readonly message: number;
  /** Unsigned. */
  readonly wParam: number;
  /** Signed. */
  readonly lParam: number;
}

/** A window that the system keeps for this process; it is never shown. */
export interface SystemWindow {
  readonly handle: number;
  /** Keeps the process alive while `wanted`. */
  stayAlive(wanted: boolean): void;
  /** Destroys the window; no message comes afterwards. Called at most once, and not after `onGone`. */
  close(): void;
}

/** Window messages of Windows. */
export interface WindowMessages {
  /**
   * Makes a window of that title; `onMessages` gets what others post to it, from WM_USER on. `onGone` is called after the last
   * messages when the window is no more, whoever destroyed it.
   */
  open(
    title: string,
    onMessages: (messages: readonly WindowMessage[]) => void,
    onGone: () => void,
  ): SystemWindow;
  /** Undefined if no top-level window has this title. */
  find(title: string): number | undefined;
  /** Gives the number that this name has in all programs of the session. */
  register(name: string): number;
  /** @throws {WindowError} WINDOW_NOT_FOUND, WINDOW_DENIED, WINDOW_QUEUE_FULL */
  post(handle: number, message: WindowMessage): void;
  broadcast(message: WindowMessage): void;
}

/** How a new segment may be used, and by whom. */
export interface CreateOptions {
  /** Bytes, at least 1. */
  readonly size: number;
  /** Permission bits for owner, group and others (POSIX). */
  readonly mode: number;
  /** SDDL text (Windows); without it the object is for this user alone. */
  readonly securityDescriptor?: string | undefined;
  /** Child processes have the handle's number too. */
  readonly inheritable?: boolean;
}

/** One operating system, or none (`process`). */
export interface Platform {
  /**
   * ORDER: true where plain loads and stores keep their order around atomic read-modify-writes (x86-TSO: Intel SDM vol. 3
   * section 9.2), so that the cheap forms of the guards are valid; see docs/memory-order.md.
   */
  readonly strongOrder: boolean;
  /** The backing of a segment without a name. */
  readonly defaultBacking: 'anonymous' | 'process';
  /** Checks and completes a segment name. */
  normalizeName(name: string): string;
  /** Checks the path of a file and makes it absolute. */
  normalizeFile(file: string): string;
  /** What the system says of a name or file that exists already. */
  readonly taken: Readonly<Record<'named' | 'file', { readonly syscall: string; readonly osCode: number }>>;
  /**
   * True where a name stays until it is unlinked (POSIX): then a segment is made without its name, and the last user
   * unlinks it. False where a section has its name from its first, zeroed moment until its last handle is closed (Windows):
   * then it is made and initialised inside the gate of `locksOf`, and nobody ever removes it.
   */
  readonly namesOutliveUsers: boolean;
  /**
   * Makes an object of zeroed, allocated memory for `name`: one that nobody can see until `publish` where names outlive their
   * users, else one that has its name at once; undefined if that is taken.
   */
  createUnpublished(options: CreateOptions, name: string): SegmentObject | undefined;
  /** The locks of the segment of that name before there is one; absent where they are part of the segment. */
  locksOf?(name: string): KernelLocks;
  /** Makes a file of zeros for the path `file` that is not there until `publish`. */
  createFile(options: CreateOptions, file: string): SegmentObject;
  createAnonymous(options: CreateOptions): SegmentObject;
  createProcess(size: number): SegmentObject;
  /** Opens by name or handle, with no more rights than `access` needs. */
  open(source: string | Handle | ForeignHandle, access: Access): SegmentObject;
  /** Bytes that a mutex takes in shared memory. */
  readonly mutexSize: number;
  /** Makes a mutex of zeroed memory that nobody else sees yet. */
  initializeMutex(bytes: Uint8Array): void;
  /** Uses the mutex in those bytes of a mapping; they stay mapped while it is used. */
  mutexAt(bytes: Uint8Array, identity: string): Mutex;
  /** Opens or makes the system's own mutex of that name; absent where the system has none. */
  openMutex?(name: string, securityDescriptor?: string): SystemMutex;
  /** Absent where there are no window messages. */
  readonly messages?: WindowMessages;
  /** Names of the objects in the system's namespace that could be segments. */
  list(): string[];
  /** Reads up to `length` bytes from an object's start without mapping it: its owner may truncate it meanwhile. */
  peek(name: string, length: number): { readonly bytes: Uint8Array; readonly size: number } | undefined;
  /** Text that differs after each start of the machine, at most 36 characters. */
  bootId(): string;
  pid(): number;
  /** Runs `finish` when this thread ends in an orderly way; the returned function takes that back. */
  onExit(finish: () => void): () => void;
  /** Tells the user something once, without failing. */
  warn(message: string): void;
  /** Makes posting `object` to another thread throw. */
  markUncloneable(object: object): void;
}
