// How one side tells the other that its zone changed. Windows: WM_USER + 999 from the server, WM_USER + 998 from the client, to the
// window in the handle zone or else of that title. Linux: a touch of the memory's file, and process ids in the handle zone.
import { on } from 'node:events';
import { utimesSync, watch } from 'node:fs';
import { findWindow, openMessageWindow, post, WindowError, WM_USER } from 'sharecord/win32';
import type { Options } from './options.ts';

const MESSAGES = { server: WM_USER + 999, client: WM_USER + 998 } as const;

export interface Notices {
  /** What this side writes into the handle zone. */
  readonly handle: number;
  /** Tells the side that wrote `handle` there; false if it is not found. */
  tell(handle: number): boolean;
  /** Gives one item for each notice, until `close`. */
  heard(): AsyncGenerator<void>;
  close(): void;
}

export const openNotices = (options: Options): Notices =>
  process.platform === 'win32' ? byMessage(options) : byTouch(options);

function byMessage({ role, titles }: Options): Notices {
  const other = role === 'server' ? 'client' : 'server';
  const window = openMessageWindow({ title: titles[role] });
  const postTo = (handle: number): boolean => {
    try {
      post(handle, MESSAGES[role], 0, 0);
      return true;
    } catch (error) {
      if (error instanceof WindowError && error.code === 'WINDOW_NOT_FOUND') return false;
      throw error;
    }
  };
  return {
    handle: window.handle,
    // The zone may still have the handle of a window that is gone.
    tell: (handle) => postTo(handle) || postTo(findWindow(titles[other]) ?? 0),
    async *heard() {
      for await (const { message } of window) if (message === MESSAGES[other]) yield;
    },
    close: () => window.close(),
  };
}

function byTouch({ name }: Options): Notices {
  const path = `/dev/shm/${name}`;
  const watcher = watch(path);
  const touches = on(watcher, 'change', { close: ['close'] });
  return {
    handle: process.pid,
    tell(handle) {
      const now = new Date();
      utimesSync(path, now, now);
      return handle !== 0;
    },
    async *heard() {
      for await (const _ of touches) yield;
    },
    close: () => watcher.close(),
  };
}
