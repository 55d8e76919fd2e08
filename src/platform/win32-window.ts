// Window messages through user32. A window's messages come to the thread that made it, so each window has a worker of its
// own (win32-window-worker.ts) that waits for them; posting needs none.
import * as fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { WindowError } from '../errors.ts';
import { atExit } from './at-exit.ts';
import { closeHandle, kernel32, lastError } from './kernel32.ts';
import type { SystemWindow, WindowMessage, WindowMessages } from './platform.ts';
import { user32 } from './user32.ts';

const HWND_BROADCAST = 0xffff;
const MANUAL_RESET = 1;
const HWND_TOPMOST = -1;
const ERROR_ACCESS_DENIED = 5;
const ERROR_INVALID_WINDOW_HANDLE = 1400;
const ERROR_NOT_ENOUGH_QUOTA = 1816;
/**
 * How long the worker may take to start or to end, in milliseconds. One that fails says so at once; one that does not get to its
 * first line cannot, and this thread, which waits for it, hears of its end too late. A busy machine takes seconds to start one.
 */
const WORKER_BOUND_MS = 10_000;

/** What the window's worker is given. */
export interface WindowOrder {
  readonly title: string;
  /** An event: set when the window shall end. */
  readonly stop: number;
  /** WINDOW_STATE and WINDOW_HANDLE: of a refused window the error code, of a broken worker the bytes of its reason. */
  readonly words: Int32Array;
  /** UTF-8: why a worker broke. */
  readonly reason: Uint8Array;
}
const REASON_BYTES = 512;
export const WINDOW_STATE = 0;
export const WINDOW_HANDLE = 1;
export const STATE_STARTING = 0;
export const STATE_OPEN = 1;
export const STATE_FAILED = 2;
export const STATE_CLOSED = 3;
export const STATE_BROKEN = 4;

// PLATFORM: a worker inherits what its program was started with, --input-type and --eval too, with which it cannot start
// from a file; given a list, it refuses options of the process and of V8 (new Worker, execArgv).
const WITH_VALUE = ['--conditions', '-C', '--disable-warning'];
const ALONE = ['--experimental-strip-types', '--experimental-transform-types', '--no-warnings'];

/** Gives those of a program's options that its worker's file needs: how modules are found and read. */
export function optionsForWorker(execArgv: readonly string[]): string[] {
  return execArgv.flatMap((option, i) => {
    if (ALONE.includes(option) || WITH_VALUE.some((name) => option.startsWith(`${name}=`))) return [option];
    const value = execArgv[i + 1];
    return WITH_VALUE.includes(option) && value !== undefined ? [option, value] : [];
  });
}

const unsupported = (fact: string, osCode?: number): WindowError =>
  new WindowError('WINDOW_UNSUPPORTED', `cannot open message window: ${fact}`, osCode);

/** Tells why no window came: the call that failed, what broke the worker, or that it did not start. */
function refused({ words, reason }: WindowOrder): WindowError {
  const found = Atomics.load(words, WINDOW_HANDLE);
  switch (Atomics.load(words, WINDOW_STATE)) {
    case STATE_FAILED:
      return unsupported(
        `CreateWindowExW failed with error ${found}; the session may have no desktop`,
        found,
      );
    case STATE_BROKEN:
      // A copy: a decoder refuses shared memory.
      return unsupported(`its worker thread failed: ${new TextDecoder().decode(reason.slice(0, found))}`);
    default:
      return unsupported(`its worker thread did not start within ${WORKER_BOUND_MS} ms`);
  }
}

/**
 * Gives the file of the worker beside this one.
 * @throws {WindowError} WINDOW_UNSUPPORTED when it is not there: a bundler left it out
 */
export function workerBeside(module: string): URL {
  // It has the ending of this one: .ts in the sources, .js in the package.
  const file = new URL(`./win32-window-worker.${module.endsWith('.ts') ? 'ts' : 'js'}`, module);
  if (fs.existsSync(file)) return file;
  throw unsupported(`the file of its worker thread is missing, expected ${file.href}`);
}

function open(
  title: string,
  onMessages: (messages: readonly WindowMessage[]) => void,
  onGone: () => void,
): SystemWindow {
  const file = workerBeside(import.meta.url);
  const stop = Number(kernel32().createEvent(null, MANUAL_RESET, 0, null));
  if (stop === 0) {
    const osCode = lastError();
    throw unsupported(`CreateEventW failed with error ${osCode}`, osCode);
  }
  const words = new Int32Array(new SharedArrayBuffer(8));
  const reason = new Uint8Array(new SharedArrayBuffer(REASON_BYTES));
  const order: WindowOrder = { title, stop, words, reason };
  const worker = new Worker(file, { workerData: order, execArgv: optionsForWorker(process.execArgv) });
  worker.on('message', onMessages);
  // What ends it is told by `refused`; without a listener it would end this program too.
  worker.on('error', () => {});
  // After the listener, which counts as a wish to stay alive.
  worker.unref();
  // A worker that waits inside a call would hold up the end of the process.
  const forget = atExit(() => kernel32().setEvent(stop));
  // It comes after the worker's last messages.
  worker.once('exit', () => {
    forget();
    closeHandle(stop);
    onGone();
  });
  // A worker starts without its parent's event loop, so this thread may wait for it.
  Atomics.wait(words, WINDOW_STATE, STATE_STARTING, WORKER_BOUND_MS);
  // One that another program has destroyed already was opened too.
  if (![STATE_OPEN, STATE_CLOSED].includes(Atomics.load(words, WINDOW_STATE))) {
    kernel32().setEvent(stop);
    throw refused(order);
  }
  return {
    handle: Atomics.load(words, WINDOW_HANDLE),
    stayAlive(wanted) {
      if (wanted) worker.ref();
      else worker.unref();
    },
    close() {
      forget();
      worker.off('message', onMessages);
      worker.unref();
      kernel32().setEvent(stop);
      // When this returns nobody finds the window any more.
      Atomics.wait(words, WINDOW_STATE, STATE_OPEN, WORKER_BOUND_MS);
    },
  };
}

function send(act: string, handle: number, { message, wParam, lParam }: WindowMessage): void {
  if (user32().postMessage(handle, message, wParam, lParam) !== 0) return;
  const osCode = lastError();
  if (osCode === ERROR_ACCESS_DENIED) {
    throw new WindowError(
      'WINDOW_DENIED',
      `cannot ${act}: the receiver's integrity level is higher than this program's`,
      osCode,
    );
  }
  if (osCode === ERROR_NOT_ENOUGH_QUOTA) {
    throw new WindowError('WINDOW_QUEUE_FULL', `cannot ${act}: the receiver's queue is full`, osCode);
  }
  const fact = osCode === ERROR_INVALID_WINDOW_HANDLE ? 'no window has' : `error ${osCode} for`;
  throw new WindowError('WINDOW_NOT_FOUND', `cannot ${act}: ${fact} handle ${handle}`, osCode);
}

/** Window messages of this session. */
export const windowMessages: WindowMessages = {
  open,
  find: (title) => Number(user32().findWindow(null, title)) || undefined,

  register(name) {
    const message = Number(user32().registerMessage(name));
    if (message !== 0) return message;
    const osCode = lastError();
    throw new WindowError(
      'WINDOW_UNSUPPORTED',
      `cannot register message ${JSON.stringify(name)}: RegisterWindowMessageW failed with error ${osCode}`,
      osCode,
    );
  },

  post(handle, message) {
    const act = `post message ${message.message}`;
    // PLATFORM: handle 0 would post to this very thread and say that all went well (PostMessageW); 0xFFFF to everybody, and so
    // does -1, which winuser.h calls HWND_TOPMOST. A handle comes here as a signed 32-bit number.
    if (handle === 0 || handle === HWND_BROADCAST || handle === HWND_TOPMOST) {
      throw new WindowError('WINDOW_NOT_FOUND', `cannot ${act}: no window has handle ${handle}`);
    }
    send(act, handle, message);
  },

  broadcast: (message) => send(`broadcast message ${message.message}`, HWND_BROADCAST, message),
};
