// The thread behind one message window: makes it, waits for what is posted to it, hands that on, destroys it when told.
import { parentPort, workerData } from 'node:worker_threads';
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

const WM_CLOSE = 0x10;
const WM_USER = 0x400;
const PM_REMOVE = 1;
const WAIT_OBJECT_0 = 0;
/** All kinds of input, and what is there already counts (MsgWaitForMultipleObjectsEx). */
const QS_ALLINPUT = 0x1cff;
const MWMO_INPUTAVAILABLE = 4;
// A thread inside a call cannot be terminated: it comes back now and then.
const LONGEST_WAIT_MS = 500;
const MOST_PER_BATCH = 1000;
const NONE = 0;

function enter(words: Int32Array, state: number): void {
  Atomics.store(words, WINDOW_STATE, state);
  Atomics.notify(words, WINDOW_STATE);
}

/** Takes what is in the queue; the system's own messages go to the window's class. */
function takeMessages(window: number, message: DataView): WindowMessage[] {
  const taken: WindowMessage[] = [];
  while (taken.length < MOST_PER_BATCH && user32().peekMessage(message, NONE, 0, 0, PM_REMOVE) !== 0) {
    const found = readMessage(message);
    if (windowOf(message) === window && found.message >= WM_USER) taken.push(found);
    // A posted WM_CLOSE would destroy the window behind its owner's back.
    else if (found.message !== WM_CLOSE) user32().dispatchMessage(message);
  }
  return taken;
}

/** The message loop; each turn waits for a message or for the order to stop. */
function run({ title, stop, words }: WindowOrder): void {
  // A hidden top-level window, since message-only ones hear no broadcast; of the class Static, which needs no code of ours.
  const window = Number(user32().createWindow(0, 'Static', title, 0, 0, 0, 0, 0, NONE, NONE, NONE, null));
  Atomics.store(words, WINDOW_HANDLE, window === 0 ? lastError() : window);
  if (window === 0) return enter(words, STATE_FAILED);
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
    if (woken !== WAIT_OBJECT_0) {
      // Through the event loop, so that terminating this worker takes effect.
      setImmediate(turn);
      return;
    }
    user32().destroyWindow(window);
    enter(words, STATE_CLOSED);
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
