// Window messages as users call them: arguments are checked here, the system is behind `WindowMessages` of platform.ts.
import { selectPlatform } from '#platform';
import { ValueError, WindowError } from '../errors.ts';
import type { SystemWindow, WindowMessage, WindowMessages } from './platform.ts';

/** First message number that is not the system's own. */
export const WM_USER = 0x400;
const LAST_MESSAGE = 0xffff;
/** Unread messages that a window keeps before it drops the oldest: as many as a queue of Windows. */
const MOST_UNREAD = 10_000;
const WINDOW_HANDLES = 2 ** 32;

const platform = selectPlatform();

function messages(act: string): WindowMessages {
  if (platform.messages !== undefined) return platform.messages;
  throw new WindowError('WINDOW_UNSUPPORTED', `cannot ${act}: this system has no window messages`);
}

function requireText(act: string, what: string, text: unknown): string {
  if (typeof text !== 'string') {
    throw new ValueError('VALUE_TYPE', `cannot ${act}: ${what} is ${typeof text}, expected a string`);
  }
  if (!text.includes('\0')) return text;
  throw new ValueError('VALUE_RANGE', `cannot ${act}: ${what} contains NUL`);
}

function requireInteger(act: string, what: string, value: unknown, from: number, to: number): number {
  if (typeof value !== 'number') {
    throw new ValueError('VALUE_TYPE', `cannot ${act}: ${what} is ${typeof value}, expected a number`);
  }
  if (Number.isSafeInteger(value) && value >= from && value <= to) return value;
  throw new ValueError(
    'VALUE_RANGE',
    `cannot ${act}: ${what} is ${value}, expected an integer from ${from} to ${to}`,
  );
}

function requireMessage(act: string, message: unknown, wParam: unknown, lParam: unknown): WindowMessage {
  return {
    message: requireInteger(act, 'message', message, 0, LAST_MESSAGE),
    wParam: requireInteger(act, 'wParam', wParam, 0, Number.MAX_SAFE_INTEGER),
    lParam: requireInteger(act, 'lParam', lParam, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  };
}

/** A hidden window of this process that receives what other programs post. Use it from the thread that opened it. */
export interface MessageWindow extends Disposable, AsyncIterable<WindowMessage> {
  /** Number by which others post to it. */
  readonly handle: number;
  readonly title: string;
  /** True after `close()`, and after another program has destroyed the window: iterations end once all unread messages are given. */
  readonly closed: boolean;
  /** Destroys the window, drops the unread messages and ends every iteration. May be called again. */
  close(): void;
}

type Result = IteratorResult<WindowMessage, undefined>;
const END: Result = { done: true, value: undefined };

class BufferedWindow implements MessageWindow {
  readonly title: string;
  readonly #window: SystemWindow;
  readonly #unread: WindowMessage[] = [];
  /** Those who wait for a message, oldest first, and for which iterator. */
  #waiting: { readonly by: object; readonly resolve: (result: Result) => void }[] = [];
  #closed = false;

  constructor(title: string, system: WindowMessages) {
    this.title = title;
    this.#window = system.open(
      title,
      (received) => this.#receive(received),
      () => this.#end(),
    );
    platform.markUncloneable(this);
  }

  get handle(): number {
    return this.#window.handle;
  }
  get closed(): boolean {
    return this.#closed;
  }

  #receive(received: readonly WindowMessage[]): void {
    if (this.#closed) return;
    this.#unread.push(...received);
    while (this.#waiting.length > 0 && this.#unread.length > 0) {
      this.#waiting.shift()?.resolve({ done: false, value: this.#unread.shift() as WindowMessage });
    }
    this.#unread.splice(0, this.#unread.length - MOST_UNREAD);
    if (this.#waiting.length === 0) this.#window.stayAlive(false);
  }

  [Symbol.asyncIterator](): AsyncIterator<WindowMessage, undefined> {
    let isOver = false;
    const iterator: AsyncIterator<WindowMessage, undefined> = {
      next: () => {
        if (isOver) return Promise.resolve(END);
        const value = this.#unread.shift();
        if (value !== undefined) return Promise.resolve({ done: false as const, value });
        if (this.#closed) return Promise.resolve(END);
        this.#window.stayAlive(true);
        return new Promise((resolve) => this.#waiting.push({ by: iterator, resolve }));
      },
      return: () => {
        isOver = true;
        this.#endWaiting(iterator);
        return Promise.resolve(END);
      },
    };
    return iterator;
  }

  /** Gives the end to those who wait, of one iterator or of all. */
  #endWaiting(by?: object): void {
    const ended = this.#waiting.filter((each) => by === undefined || each.by === by);
    this.#waiting = this.#waiting.filter((each) => !ended.includes(each));
    if (this.#waiting.length === 0 && !this.#closed) this.#window.stayAlive(false);
    for (const { resolve } of ended) resolve(END);
  }

  #end(): void {
    this.#closed = true;
    this.#endWaiting();
  }

  close(): void {
    this.#unread.length = 0;
    if (this.#closed) return;
    this.#window.close();
    this.#end();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a hidden window that other programs find by its title. Iterate it for the messages from `WM_USER` on that they post;
 * those that nobody has read yet wait, at most 10 000, then the oldest are dropped. A message that is *sent* is not seen.
 * @throws {WindowError} WINDOW_UNSUPPORTED
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE
 */
export function openMessageWindow(options: { readonly title?: string } = {}): MessageWindow {
  const act = 'open message window';
  const system = messages(act);
  if (typeof options !== 'object' || options === null) {
    throw new ValueError('VALUE_TYPE', `cannot ${act}: options is ${typeof options}, expected an object`);
  }
  return new BufferedWindow(requireText(act, 'title', options.title ?? ''), system);
}

/** Finds a top-level window by its exact title; undefined if there is none. */
export function findWindow(title: string): number | undefined {
  const act = 'find window';
  return messages(act).find(requireText(act, 'title', title));
}

/** Gives the message number that programs of this session agree on by a name; it differs from session to session. */
export function registerMessage(name: string): number {
  const act = 'register message';
  const system = messages(act);
  const text = requireText(act, 'name', name);
  if (text !== '') return system.register(text);
  throw new ValueError('VALUE_RANGE', `cannot ${act}: name is empty`);
}

/**
 * Posts a message to a window and does not wait until it is read.
 * @throws {WindowError} WINDOW_NOT_FOUND, WINDOW_DENIED, WINDOW_QUEUE_FULL, WINDOW_UNSUPPORTED
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE
 */
export function post(handle: number, message: number, wParam: number, lParam: number): void {
  const act = 'post message';
  const system = messages(act);
  // A handle read from 4 bytes may come with its sign or without.
  const number = requireInteger(act, 'handle', handle, -(2 ** 31), WINDOW_HANDLES - 1) | 0;
  system.post(number, requireMessage(act, message, wParam, lParam));
}

/**
 * Posts a message to every top-level window of the session, one's own too.
 * @throws {WindowError} WINDOW_DENIED, WINDOW_UNSUPPORTED
 * @throws {ValueError} VALUE_TYPE, VALUE_RANGE
 */
export function broadcast(message: number, wParam: number, lParam: number): void {
  const act = 'broadcast message';
  messages(act).broadcast(requireMessage(act, message, wParam, lParam));
}
