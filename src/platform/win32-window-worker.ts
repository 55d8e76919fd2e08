// The thread behind one message window: makes it, waits for what is posted to it, hands that on, destroys it when told.
import { parentPort, workerData } from 'node:worker_threads';
import { atExit } from './at-exit.ts';
import { lastError } from './kernel32.ts';
import type { WindowMessage } from './platform.ts';
import { MSG_SIZE, readMessage, user32, windowOf } from './user32.ts';
import {
  STATE_BROKEN,
  STATE_CLOSED,
  STATE_FAILED,
  STATE_OPEN,
  WINDOW_HANDLE,
  WINDOW_STATE,
  type WindowOrder,
} from './win32-window.ts';

const WM_PAINT = 0xf;
/** Timers of programs, and of the system. */
const WM_TIMER = 0x113;
const WM_SYSTIMER = 0x118;
const WM_USER = 0x400;
const PM_REMOVE = 1;
const WAIT_OBJECT_0 = 0;
/** All kinds of input, and what is there already counts (MsgWaitForMultipleObjectsEx). */
const QS_ALLINPUT = 0x1cff;
const MWMO_INPUTAVAILABLE = 4;
// A thread inside a call cannot be terminated: it comes back now and then.
const LONGEST_WAIT_MS = 500;
/** Messages looked at between two looks at the order to stop. */
const MOST_PER_BATCH = 1000;
const NONE = 0;

function enter(words: Int32Array, state: number): void {
  Atomics.store(words, WINDOW_STATE, state);
  Atomics.notify(words, WINDOW_STATE);
}

/**
 * Tells whether a message goes to its window's class. Of the window here, almost nothing: SC_CLOSE would destroy it. The system
 * may have windows of its own in this thread.
 */
function isForClass(message: number, isOurs: boolean): boolean {
  // PLATFORM: WM_PAINT, once others show the window, stays in the queue until something is painted (PeekMessageW).
  if (isOurs) return message === WM_PAINT;
  return message !== WM_TIMER && message !== WM_SYSTIMER;
}

/** Takes what is in the queue. Nobody gets a timer: its lParam is an address to be called (DispatchMessageW), and anyone may post it. */
function takeMessages(window: number, message: DataView): WindowMessage[] {
  const taken: WindowMessage[] = [];
  for (let looks = 0; looks < MOST_PER_BATCH; looks++) {
    if (user32().peekMessage(message, NONE, 0, 0, PM_REMOVE) === 0) break;
    const found = readMessage(message);
    const isOurs = windowOf(message) === window;
    if (isOurs && found.message >= WM_USER) taken.push(found);
    else if (isForClass(found.message, isOurs)) user32().dispatchMessage(message);
  }
  return taken;
}

/** The message loop; each turn waits for a message or for the order to stop. */
function run({ title, stop, words }: WindowOrder): void {
  // A hidden top-level window, since message-only ones hear no broadcast; of the class Static, which needs no code of ours.
  const window = Number(user32().createWindow(0, 'Static', title, 0, 0, 0, 0, 0, NONE, NONE, NONE, null));
  Atomics.store(words, WINDOW_HANDLE, window === 0 ? lastError() : window);
  if (window === 0) return enter(words, STATE_FAILED);
  atExit(() => {
    user32().destroyWindow(window);
    if (Atomics.load(words, WINDOW_STATE) === STATE_OPEN) enter(words, STATE_CLOSED);
  });
  enter(words, STATE_OPEN);
  const message = new DataView(new ArrayBuffer(MSG_SIZE));
  const events = BigInt64Array.of(BigInt(stop));
  const turn = (): void => {
    const woken: unknown = user32().waitForMessages(
      events.length,
      events,
      LONGEST_WAIT_MS,
      QS_ALLINPUT,
      MWMO_INPUTAVAILABLE,
    );
    const taken = takeMessages(window, message);
    if (taken.length > 0) parentPort?.postMessage(taken);
    // PLATFORM: a WM_CLOSE that is sent, not posted, goes to the class past this loop, which destroys the window (DefWindowProcW).
    const isOver = woken === WAIT_OBJECT_0 || user32().isWindow(window) === 0;
    // Through the event loop, so that terminating this worker takes effect.
    if (!isOver) setImmediate(turn);
  };
  turn();
}

const order = workerData as WindowOrder;
try {
  run(order);
} catch (error) {
  const { words, reason } = order;
  const bytes = new TextEncoder().encode(String(error)).subarray(0, reason.length);
  reason.set(bytes);
  Atomics.store(words, WINDOW_HANDLE, bytes.length);
  enter(words, STATE_BROKEN);
}
