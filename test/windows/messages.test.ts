// Window messages between this process and a native program, and what becomes of those that nobody can get.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  broadcast,
  findWindow,
  type MessageWindow,
  openMessageWindow,
  post,
  registerMessage,
  WM_USER,
} from '../../src/win32.ts';
import { windowMessages } from '../../src/platform/win32-window.ts';
import { PEER, runPeer, WaitingPeer } from './native-peer.ts';
import { withCode } from '../support/with-code.ts';

const library = koffi.load('user32.dll');
const user32 = {
  sendMessage: library.func('intptr_t __stdcall SendMessageW(intptr_t, uint32_t, uint64_t, int64_t)'),
  threadOf: library.func('uint32_t __stdcall GetWindowThreadProcessId(intptr_t, void *)'),
  postToThread: library.func('int __stdcall PostThreadMessageW(uint32_t, uint32_t, uint64_t, int64_t)'),
  moveWindow: library.func('int __stdcall MoveWindow(intptr_t, int, int, int, int, int)'),
  showWindow: library.func('int __stdcall ShowWindow(intptr_t, int)'),
  invalidateRect: library.func('int __stdcall InvalidateRect(intptr_t, void *, int)'),
  getUpdateRect: library.func('int __stdcall GetUpdateRect(intptr_t, void *, int)'),
};
const code = (expected: string) => expect.objectContaining({ code: expected, name: 'WindowError' });
const WM_CLOSE = 0x10;
const WM_NCDESTROY = 0x82;
const WM_SYSKEYDOWN = 0x104;
const VK_F4 = 0x73;
const WITH_ALT = 0x2000_0000;
const WM_SYSCOMMAND = 0x112;
const WM_TIMER = 0x113;
const WM_SYSTIMER = 0x118;
const SC_CLOSE = 0xf060;
const PATIENCE = { timeout: 60_000 };
let serial = 0;
const uniqueTitle = (): string => `sharecord test 窗口 ${process.pid}-${serial++}`;
const windows: MessageWindow[] = [];
const openWindow = (title = uniqueTitle()): MessageWindow => {
  const window = openMessageWindow({ title });
  windows.push(window);
  return window;
};
afterEach(() => {
  for (const window of windows.splice(0)) window.close();
});

/** Shows a window and waits until its thread has painted it, for which it has taken all that was posted before (PeekMessageW). */
async function painted(handle: number): Promise<void> {
  user32.moveWindow(handle, 0, 0, 200, 100, 0);
  user32.showWindow(handle, 1);
  expect(user32.invalidateRect(handle, null, 1)).not.toBe(0);
  await vi.waitUntil(() => user32.getUpdateRect(handle, null, 0) === 0, PATIENCE);
}

/** Gives the next message that is not other programs' noise. */
async function next(iterator: AsyncIterator<unknown>): Promise<unknown> {
  return (await iterator.next()).value;
}

describe('openMessageWindow', () => {
  test('makes a window that is found by its title until it is closed', async () => {
    const window = openWindow();
    expect(window).toMatchObject({ closed: false, title: expect.stringContaining('窗口') });
    expect(findWindow(window.title)).toBe(window.handle);
    const pending = window[Symbol.asyncIterator]().next();
    window.close();
    window.close();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(window.closed).toBe(true);
    expect(findWindow(window.title)).toBeUndefined();
    expect(() => post(window.handle, WM_USER, 0, 0)).toThrow(code('WINDOW_NOT_FOUND'));
    for await (const message of window) expect(message).toBeUndefined();
  });

  test('is refused with the reason when its worker fails, without waiting for it to start', () => {
    const open = (): unknown =>
      windowMessages.open(
        {} as never,
        () => {},
        () => {},
      );
    expect(open).toThrow(code('WINDOW_UNSUPPORTED'));
    expect(open).toThrow(/its worker thread failed: TypeError/);
  });

  test('gives what is posted, in order, wParam unsigned and lParam signed', async () => {
    const window = openWindow();
    post(window.handle, WM_USER + 1024, 1, 2);
    post(window.handle, WM_USER + 999, 2 ** 32, -2);
    post(window.handle | 0, 0xbfff, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER);
    const seen = [];
    for await (const message of window) if (seen.push(message) === 3) break;
    expect(seen).toEqual([
      { message: WM_USER + 1024, wParam: 1, lParam: 2 },
      { message: WM_USER + 999, wParam: 2 ** 32, lParam: -2 },
      { message: 0xbfff, wParam: Number.MAX_SAFE_INTEGER, lParam: Number.MIN_SAFE_INTEGER },
    ]);
  });

  test.each([
    ['WM_CLOSE', WM_CLOSE, 0, 0],
    ['SC_CLOSE', WM_SYSCOMMAND, SC_CLOSE, 0],
    ['Alt+F4', WM_SYSKEYDOWN, VK_F4, WITH_ALT],
    ['WM_NCDESTROY', WM_NCDESTROY, 0, 0],
  ])('survives a posted %s, which nobody sees', async (_name, message, wParam, lParam) => {
    const window = openWindow();
    const pending = next(window[Symbol.asyncIterator]());
    post(window.handle, message, wParam, lParam);
    post(window.handle, WM_USER, 7, 0);
    expect(await pending).toMatchObject({ message: WM_USER, wParam: 7 });
    expect(findWindow(window.title)).toBe(window.handle);
    expect(window.closed).toBe(false);
  });

  test('is closed once another program has destroyed it, and gives what was unread before it ends', async () => {
    const [window, other] = [openWindow(), openWindow()];
    const pending = other[Symbol.asyncIterator]().next();
    for (const wParam of [1, 2, 3]) post(window.handle, WM_USER, wParam, 0);
    await painted(window.handle);
    for (const { handle } of [window, other]) user32.sendMessage(handle, WM_CLOSE, 0, 0);
    expect(await pending).toEqual({ done: true, value: undefined });
    await vi.waitUntil(() => window.closed && other.closed, PATIENCE);
    expect(findWindow(window.title)).toBeUndefined();
    const seen = [];
    for await (const { wParam } of window) seen.push(wParam);
    expect(seen).toEqual([1, 2, 3]);
    window.close();
  });

  test('close() returns, and drops what is unread, while the end of a destroyed window is still on its way', async () => {
    const window = openWindow();
    post(window.handle, WM_USER, 1, 0);
    user32.sendMessage(window.handle, WM_CLOSE, 0, 0);
    window.close();
    expect(window.closed).toBe(true);
    for await (const message of window) expect(message).toBeUndefined();
  });

  test('is painted when another program shows it', async () => {
    await painted(openWindow().handle);
  });

  test('return() ends the pending next() of its own iterator alone, and takes no message', async () => {
    const window = openWindow();
    const [left, right] = [window[Symbol.asyncIterator](), window[Symbol.asyncIterator]()];
    const [pending, other] = [left.next(), right.next()];
    expect(await left.return!()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(await left.next()).toEqual({ done: true, value: undefined });
    post(window.handle, WM_USER, 8, 0);
    expect((await other).value).toMatchObject({ wParam: 8 });
  });

  test('keeps the newest 10 000 unread messages', async () => {
    const window = openWindow();
    // In portions, so that the window's own thread empties the system's queue, which has the same limit on Windows.
    for (let n = 0; n < 12_000; n++) {
      post(window.handle, WM_USER, n, 0);
      if (n % 1000 === 999) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    post(window.handle, WM_USER + 1, 0, 0);
    // One message of the first 2 001 that is still there fails the test: the thread has time to bring the others.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const numbers: number[] = [];
    for await (const { message, wParam } of window) {
      if (message === WM_USER + 1) break;
      numbers.push(wParam);
    }
    expect(numbers).toEqual(Array.from({ length: 9999 }, (_, i) => 2001 + i));
  });
});

test('posting to no window, or to a handle that means all of them or none, is WINDOW_NOT_FOUND and reaches nobody', async () => {
  const window = openWindow();
  for (const handle of [0, 0xffff, -1, 0xffff_ffff, 0x7ffffffe]) {
    expect(() => post(handle, WM_USER, 1, 2)).toThrow(code('WINDOW_NOT_FOUND'));
  }
  // As 64 bits it is no handle at all.
  expect(() => post(2 ** 64 - 1, WM_USER, 1, 2)).toThrow(withCode('VALUE_RANGE'));
  post(window.handle, WM_USER, 5, 0);
  expect(await next(window[Symbol.asyncIterator]())).toMatchObject({ wParam: 5 });
  expect(findWindow(uniqueTitle())).toBeUndefined();
});

test('a broadcast of a registered message reaches every window, one’s own too', async () => {
  const message = registerMessage(`sharecord-test-${process.pid}`);
  expect(message).toBeGreaterThanOrEqual(0xc000);
  expect(registerMessage(`sharecord-test-${process.pid}`)).toBe(message);
  const [one, two] = [openWindow(), openWindow()];
  broadcast(message, one.handle, 3);
  for (const window of [one, two]) {
    expect(await next(window[Symbol.asyncIterator]())).toEqual({ message, wParam: one.handle, lParam: 3 });
  }
});

describe('a process with a window', () => {
  const start = (how: string) => {
    const title = uniqueTitle();
    const script = fileURLToPath(new URL('./window-child.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=@sharecord/source', script, title, how], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return { title, child, lines, exited: once(child, 'close') };
  };

  test('ends by itself once the window is closed, having read what was posted', async () => {
    const { title, lines, exited } = start('reads');
    const first = await lines.next();
    const handle = findWindow(title);
    expect(first.value).toBe(`handle ${handle}`);
    post(handle!, WM_USER + 3, 44, 0);
    expect((await lines.next()).value).toBe(`message ${WM_USER + 3} 44`);
    expect((await lines.next()).value).toBe('over, closed: true');
    expect(await exited).toEqual([0, null]);
    expect(findWindow(title)).toBeUndefined();
  });

  test('reads on after posted timers, which name an address to call', async () => {
    const { title, lines, exited } = start('reads');
    await lines.next();
    const handle = findWindow(title)!;
    for (const message of [WM_TIMER, WM_SYSTIMER]) {
      post(handle, message, 1, 0xdead_beef);
      expect(user32.postToThread(user32.threadOf(handle, null), message, 1, 0xdead_beef)).not.toBe(0);
    }
    post(handle, WM_USER + 3, 45, 0);
    expect((await lines.next()).value).toBe(`message ${WM_USER + 3} 45`);
    expect((await lines.next()).value).toBe('over, closed: true');
    expect(await exited).toEqual([0, null]);
  });

  test.each([
    ['WM_CLOSE', WM_CLOSE, 0],
    ['SC_CLOSE', WM_SYSCOMMAND, SC_CLOSE],
  ])('ends by itself once a sent %s has destroyed the window', async (_name, message, wParam) => {
    const { title, lines, exited } = start('reads');
    await lines.next();
    user32.sendMessage(findWindow(title)!, message, wParam, 0);
    expect((await lines.next()).value).toBe('over, closed: true');
    expect(await exited).toEqual([0, null]);
    expect(findWindow(title)).toBeUndefined();
  });

  test.each(['closes', 'forgets', 'returns'])('ends by itself if nobody iterates: %s', async (how) => {
    const { title, exited } = start(how);
    expect(await exited).toEqual([0, null]);
    expect(findWindow(title)).toBeUndefined();
  });
});

test('a program that has no file, or options that a worker refuses, opens one too', async () => {
  const title = uniqueTitle();
  const text = `import { openMessageWindow } from 'sharecord/win32';
    openMessageWindow({ title: ${JSON.stringify(title)} }).close(); console.log('opened');`;
  const options = ['--conditions=@sharecord/source', '--expose-gc', '--input-type=module', '--eval', text];
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('opened');
  expect(await once(child, 'close')).toEqual([0, null]);
});

test('refuses arguments of the wrong kind before anything is sent', () => {
  const wrong: [() => unknown, string][] = [
    [() => post('1' as unknown as number, WM_USER, 0, 0), 'VALUE_TYPE'],
    [() => post(1.5, WM_USER, 0, 0), 'VALUE_RANGE'],
    [() => post(1, 0x10000, 0, 0), 'VALUE_RANGE'],
    [() => post(1, WM_USER, -1, 0), 'VALUE_RANGE'],
    [() => broadcast(WM_USER, 0, 0.5), 'VALUE_RANGE'],
    [() => findWindow(5 as unknown as string), 'VALUE_TYPE'],
    [() => openMessageWindow({ title: 'a\0b' }), 'VALUE_RANGE'],
    [() => registerMessage(''), 'VALUE_RANGE'],
  ];
  for (const [call, expected] of wrong) expect(call).toThrow(withCode(expected));
});

describe.skipIf(PEER === undefined)('a native program (left out where none was compiled)', () => {
  test('posts to this window and broadcasts to it', async () => {
    const window = openWindow();
    const iterator = window[Symbol.asyncIterator]();
    expect(runPeer('post', window.title, WM_USER + 1024, 1, -2)).toBe('posted');
    expect(await next(iterator)).toEqual({ message: WM_USER + 1024, wParam: 1, lParam: -2 });
    const name = `sharecord-test-native-${process.pid}`;
    expect(runPeer('broadcast', name, 9, 8)).toBe('posted');
    expect(await next(iterator)).toEqual({ message: registerMessage(name), wParam: 9, lParam: 8 });
  });

  test('gets what this process posts and broadcasts', async () => {
    const title = uniqueTitle();
    const name = `sharecord-test-native-${process.pid}`;
    const peer = new WaitingPeer('window', title, name);
    await peer.line('ready');
    const handle = findWindow(title);
    expect(await peer.line('handle')).toBe(`handle ${handle}`);
    post(handle!, WM_USER + 998, 4, -5);
    expect(await peer.line('message')).toBe(`message ${WM_USER + 998} 4 -5`);
    const message = registerMessage(name);
    broadcast(message, 1, 0);
    expect(await peer.line(`message ${message}`)).toBe(`message ${message} 1 0`);
    await peer.end();
    expect(() => post(handle!, WM_USER, 0, 0)).toThrow(code('WINDOW_NOT_FOUND'));
  });
});
