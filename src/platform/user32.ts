// The calls into user32 that windows need, loaded at the first use, and the layout of MSG.
import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import type { WindowMessage } from './platform.ts';

// PLATFORM: MSG of 64-bit Windows (winuser.h): hwnd, message at 8, wParam at 16, lParam at 24; 48 bytes.
export const MSG_SIZE = 48;
const MESSAGE_OFFSET = 8;
const WPARAM_OFFSET = 16;
const LPARAM_OFFSET = 24;

function load() {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const user32 = koffi.load('user32.dll');
  return {
    createWindow: user32.func(
      'intptr_t __stdcall CreateWindowExW(uint32_t, str16, str16, uint32_t, int, int, int, int, intptr_t, intptr_t, intptr_t, void *)',
    ),
    destroyWindow: user32.func('int __stdcall DestroyWindow(intptr_t)'),
    isWindow: user32.func('int __stdcall IsWindow(intptr_t)'),
    findWindow: user32.func('intptr_t __stdcall FindWindowW(str16, str16)'),
    registerMessage: user32.func('uint32_t __stdcall RegisterWindowMessageW(str16)'),
    postMessage: user32.func('int __stdcall PostMessageW(intptr_t, uint32_t, uint64_t, int64_t)'),
    peekMessage: user32.func('int __stdcall PeekMessageW(void *, intptr_t, uint32_t, uint32_t, uint32_t)'),
    dispatchMessage: user32.func('intptr_t __stdcall DispatchMessageW(void *)'),
    waitForMessages: user32.func(
      'uint32_t __stdcall MsgWaitForMultipleObjectsEx(uint32_t, void *, uint32_t, uint32_t, uint32_t)',
    ),
  };
}

let loaded: ReturnType<typeof load> | undefined;
/** Gives the functions, loading koffi at the first call. */
export const user32 = (): ReturnType<typeof load> => (loaded ??= load());

export const windowOf = (message: DataView): number => Number(message.getBigInt64(0, true));

export function readMessage(message: DataView): WindowMessage {
  return {
    message: message.getUint32(MESSAGE_OFFSET, true),
    wParam: Number(message.getBigUint64(WPARAM_OFFSET, true)),
    lParam: Number(message.getBigInt64(LPARAM_OFFSET, true)),
  };
}
