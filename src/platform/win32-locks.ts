// Mutexes on Windows: the kernel's named ones, as locks on single bytes of a segment and as a guard that native programs
// take too. A mutex belongs to a thread and may be taken by it again and again, so each thread keeps what it holds.
import { SegmentError } from '../errors.ts';
import {
  ERROR_ACCESS_DENIED,
  ERROR_FILE_NOT_FOUND,
  ERROR_INVALID_HANDLE,
  kernel32,
  lastError,
  windowsError,
} from './kernel32.ts';
import type { KernelLocks, SystemMutex } from './platform.ts';
import { isForeign, READ_CONTROL, securityAttributes } from './win32-security.ts';

const SYNCHRONIZE = 0x10_0000;
const MUTEX_MODIFY_STATE = 1;
const WAIT_OBJECT_0 = 0;
// PLATFORM: granted, and its last owner ended without releasing it (WaitForSingleObject).
const WAIT_ABANDONED = 0x80;
const WAIT_TIMEOUT = 0x102;

/** Tries to take a mutex now. */
function take(mutex: number): 'taken' | 'abandoned' | 'busy' {
  const answer: unknown = kernel32().waitForSingleObject(mutex, 0);
  if (answer === WAIT_OBJECT_0) return 'taken';
  if (answer === WAIT_ABANDONED) return 'abandoned';
  if (answer === WAIT_TIMEOUT) return 'busy';
  throw windowsError({
    act: 'lock',
    segment: undefined,
    syscall: 'WaitForSingleObject',
    osCode: lastError(),
  });
}

/** What this thread holds: mutexes by name, and who of its opens took them. */
const heldHere = new Map<string, { readonly by: object; readonly mutex: number }>();

/**
 * One mutex per byte and segment. It exists while somebody holds or probes it, so a free one leaves nothing behind; the
 * kernel gives up what a thread or process held when that ends.
 */
export class MutexLocks implements KernelLocks {
  readonly #base: string | undefined;

  /** `base` is what all opens of the segment agree on; undefined for a handle of which nothing is known. */
  constructor(base: string | undefined) {
    this.#base = base;
  }

  #nameOf(at: number): string {
    if (this.#base !== undefined) return `${this.#base}:sharecord:lock:${at}`;
    throw new SegmentError(
      'SEGMENT_UNSUPPORTED',
      'cannot lock anonymous segment: a bare handle does not say which one it is, pass the handle of an open segment',
    );
  }

  tryLock(at: number): boolean {
    const name = this.#nameOf(at);
    const held = heldHere.get(name);
    if (held !== undefined) return held.by === this;
    // STEP: lock 1
    const mutex = Number(kernel32().createMutex(securityAttributes(undefined), 0, name));
    if (mutex === 0) {
      const osCode = lastError();
      // A mutex of another user: it exists, so it is held.
      if (osCode === ERROR_ACCESS_DENIED) return false;
      throw windowsError({ act: 'lock', segment: undefined, syscall: 'CreateMutexW', osCode });
    }
    // STEP: lock 2
    // An abandoned one is granted: death is the event that a lock waits for.
    if (take(mutex) !== 'busy') {
      heldHere.set(name, { by: this, mutex });
      return true;
    }
    kernel32().closeHandle(mutex);
    return false;
  }

  unlock(at: number): void {
    const name = this.#nameOf(at);
    const held = heldHere.get(name);
    if (held?.by !== this) return;
    heldHere.delete(name);
    // STEP: unlock 1
    kernel32().releaseMutex(held.mutex);
    // STEP: unlock 2
    kernel32().closeHandle(held.mutex);
  }

  isHeld(at: number, length: number): boolean {
    for (let byte = at; byte < at + length; byte++) if (this.#isHeldByOther(byte)) return true;
    return false;
  }

  #isHeldByOther(at: number): boolean {
    const name = this.#nameOf(at);
    const held = heldHere.get(name);
    if (held !== undefined) return held.by !== this;
    // STEP: probe 1
    const mutex = Number(kernel32().openMutex(SYNCHRONIZE | MUTEX_MODIFY_STATE, 0, name));
    if (mutex === 0) return lastError() !== ERROR_FILE_NOT_FOUND;
    try {
      // STEP: probe 2
      // PLATFORM: the only question that a mutex answers is whether it can be taken. Whoever claims the byte meanwhile finds
      // it busy for this moment and tries again (docs/protocol.md, claim).
      if (take(mutex) === 'busy') return true;
      // STEP: probe 3
      kernel32().releaseMutex(mutex);
      return false;
    } finally {
      kernel32().closeHandle(mutex);
    }
  }
}

const mutexesHeldHere = new Set<string>();

/**
 * Opens a mutex that is there, to wait for it and to give it back; 0 if not even that is granted. PLATFORM: CreateMutexW asks
 * for all rights on a mutex that exists (Mutex Object Security and Access Rights).
 */
function openExisting(name: string): number {
  const rights = SYNCHRONIZE | MUTEX_MODIFY_STATE;
  // Without a look at its owner it counts as another user's.
  return (
    Number(kernel32().openMutex(rights | READ_CONTROL, 0, name)) ||
    Number(kernel32().openMutex(rights, 0, name))
  );
}

function openOrMake(name: string, sddl: string | undefined): number {
  const made = Number(kernel32().createMutex(securityAttributes(sddl), 0, name));
  if (made !== 0) return made;
  const osCode = lastError();
  const opened = osCode === ERROR_ACCESS_DENIED ? openExisting(name) : 0;
  if (opened !== 0) return opened;
  const failure = { act: 'open', what: `mutex "${name}"`, segment: name, syscall: 'CreateMutexW', osCode };
  if (osCode !== ERROR_INVALID_HANDLE) throw windowsError(failure);
  throw windowsError({
    ...failure,
    code: 'SEGMENT_FOREIGN',
    reason: 'the name belongs to a kernel object of another kind',
  });
}

/** A named mutex; native programs open it by the same name. */
export class WindowsMutex implements SystemMutex {
  readonly identity: string;
  readonly foreignOwner: boolean;
  readonly #name: string;
  readonly #mutex: number;
  #closed = false;

  constructor(name: string, sddl: string | undefined) {
    this.#name = name;
    this.#mutex = openOrMake(name, sddl);
    this.foreignOwner = isForeign(this.#mutex);
    this.identity = `mutex:${name.replace(/^Local\\/, '')}`;
  }

  tryLock(): 'taken' | 'abandoned' | 'busy' {
    // PLATFORM: the thread that owns a mutex is granted it again (WaitForSingleObject); here that is another's turn.
    if (mutexesHeldHere.has(this.identity)) return 'busy';
    const answer = take(this.#mutex);
    if (answer !== 'busy') mutexesHeldHere.add(this.identity);
    return answer;
  }

  unlock(): void {
    if (kernel32().releaseMutex(this.#mutex) !== 0) {
      mutexesHeldHere.delete(this.identity);
      return;
    }
    throw windowsError({
      act: 'unlock',
      what: `mutex "${this.#name}"`,
      segment: this.#name,
      syscall: 'ReleaseMutex',
      osCode: lastError(),
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    kernel32().closeHandle(this.#mutex);
  }
}
