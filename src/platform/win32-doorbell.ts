// The doorbell on Windows. Each listener has an event of its own with a number from 0 to 31, and a bit of the segment's bell
// word says that it listens: one shared event could not wake all and still remember a ring for each.
import { ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, kernel32, lastError, windowsError } from './kernel32.ts';
import type { Doorbell, Listener } from './platform.ts';
import { securityAttributes } from './win32-security.ts';

const MOST_LISTENERS = 32;
const EVENT_MODIFY_STATE = 2;
const INFINITE = 0xffff_ffff;
const AUTO_RESET = 0;
const WITHOUT_WAITING = 0;
/** How long an event outlives its listener when a ring is on its way to this thread, in milliseconds. */
const LATE_RING_MS = 1000;

/** Who of this thread listens, by the number that a wait carries. */
const listeners = new Map<number, () => void>();
let serial = 0;
let callback: unknown;

/** The one native callback of this thread; it is never taken back, so that a late ring finds it. */
function waitCallback(): unknown {
  if (callback !== undefined) return callback;
  const { koffi } = kernel32();
  const type = koffi.proto('__stdcall', null, 'void', ['intptr_t', 'uint8_t']);
  callback = koffi.register((context: number) => listeners.get(context)?.(), koffi.pointer(type));
  return callback;
}

/** Rings the listeners of one segment; `words[bell]` has their bits. */
export class EventDoorbell implements Doorbell {
  readonly #base: string | undefined;
  readonly #words: Int32Array;
  readonly #bell: number;

  constructor(base: string | undefined, words: Int32Array, bell: number) {
    this.#base = base;
    this.#words = words;
    this.#bell = bell;
  }

  #nameOf(listener: number): string {
    return `${this.#base}:sharecord:bell:${listener}`;
  }

  ring(): void {
    if (this.#base === undefined) return;
    const { openEvent, setEvent, closeHandle } = kernel32();
    const present = Atomics.load(this.#words, this.#bell);
    for (let listener = 0; listener < MOST_LISTENERS; listener++) {
      if ((present & (1 << listener)) === 0) continue;
      // The bit of a listener that died stays until another takes its number: its event is gone, and nobody misses it.
      // STEP: ring 1
      const event = Number(openEvent(EVENT_MODIFY_STATE, 0, this.#nameOf(listener)));
      if (event === 0) continue;
      // STEP: ring 2
      setEvent(event);
      closeHandle(event);
    }
  }

  listen(onRing: () => void): Listener | undefined {
    if (this.#base === undefined) return undefined;
    for (let listener = 0; listener < MOST_LISTENERS; listener++) {
      const event = this.#claim(this.#nameOf(listener));
      if (event !== undefined) return this.#start(listener, event, onRing);
    }
    return undefined;
  }

  /** Makes the event of that name; undefined if it exists. */
  #claim(name: string): number | undefined {
    const { createEvent, closeHandle } = kernel32();
    // PLATFORM: an auto-reset event stays set until one wait has seen it, so a ring before the wait is not lost (CreateEventW).
    // STEP: listen 1
    const event = Number(createEvent(securityAttributes(undefined), AUTO_RESET, 0, name));
    const osCode = lastError();
    if (event === 0) {
      if (osCode === ERROR_ACCESS_DENIED) return undefined;
      throw windowsError({ act: 'watch', segment: undefined, syscall: 'CreateEventW', osCode });
    }
    if (osCode !== ERROR_ALREADY_EXISTS) return event;
    closeHandle(event);
    return undefined;
  }

  #start(listener: number, event: number, onRing: () => void): Listener | undefined {
    const { registerWait, unregisterWait, closeHandle } = kernel32();
    const context = ++serial;
    const wait = new BigInt64Array(1);
    listeners.set(context, onRing);
    // STEP: listen 2
    if (registerWait(wait, event, waitCallback(), context, INFINITE, 0) === 0) {
      listeners.delete(context);
      closeHandle(event);
      return undefined;
    }
    // STEP: listen 3
    Atomics.or(this.#words, this.#bell, 1 << listener);
    return {
      close: () => {
        // STEP: stop listening 1
        Atomics.and(this.#words, this.#bell, ~(1 << listener));
        listeners.delete(context);
        // STEP: stop listening 2
        // PLATFORM: waiting for a callback that is on its way would wait for this very thread; and the event must not be
        // closed before the wait has ended (UnregisterWaitEx, RegisterWaitForSingleObject).
        if (unregisterWait(Number(wait[0]), WITHOUT_WAITING) !== 0) closeHandle(event);
        else setTimeout(() => closeHandle(event), LATE_RING_MS).unref();
      },
    };
  }
}
