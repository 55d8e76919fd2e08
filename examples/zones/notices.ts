// How one side tells the other that its zone changed. Windows: WM_USER + 999 from the server, WM_USER + 998 from the client, to the
// window in the handle zone or else of that title. Linux: a touch of the memory's file, and process ids in the handle zone.
import { on } from 'node:events';
import { utimesSync, watch } from 'node:fs';
import { findWindow, openMessageWindow, post, WindowError, WM_USER } from 'sharecord/win32';
import type { Options } from './options.ts';

const MOST_PID = 2 ** 31 - 1;
const MESSAGES = { server: WM_USER + 999, client: WM_USER + 998 } as const;

export interface Notices {
  /** What this side writes into the handle zone. */
  readonly handle: number;
  /** Tells the side that wrote `handle` there; gives the reason if that cannot be. */
  tell(handle: number): string | undefined;
  /** Gives one item for each notice, until `close`. */
  heard(): AsyncGenerator<void>;
  close(): void;
}

export const openNotices = (options: Options): Notices =>
  process.platform === 'win32' ? byMessage(options) : byTouch(options);

const nobody = (side: string): string => `no ${side} is there`;

function byMessage({ role, titles }: Options): Notices {
  const other = role === 'server' ? 'client' : 'server';
  const window = openMessageWindow({ title: titles[role] });
  const postTo = (handle: number): string | undefined => {
    try {
      post(handle, MESSAGES[role], 0, 0);
      return undefined;
    } catch (error) {
      if (!(error instanceof WindowError)) throw error;
      return error.code === 'WINDOW_NOT_FOUND' ? nobody(other) : error.message;
    }
  };
  return {
    handle: window.handle >>> 0,
    // The zone may still have the handle of a window that is gone.
    tell(handle) {
      const reason = postTo(handle);
      return reason === nobody(other) ? postTo(findWindow(titles[other]) ?? 0) : reason;
    },
    async *heard() {
      for await (const { message } of window) if (message === MESSAGES[other]) yield;
    },
    close: () => window.close(),
  };
}

/** Touches the memory's file, which everybody who watches it hears; gives the reason if it is gone. */
function touch(path: string): string | undefined {
  try {
    const now = new Date();
    utimesSync(path, now, now);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return `the memory is called ${path} no more`;
  }
}

/** Tells whether a process has that id. */
function isRunning(pid: number): boolean {
  if (pid === 0 || pid > MOST_PID) return false;
  try {
    process.kill(pid, 0); // asks, and sends nothing
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function byTouch({ role, name }: Options): Notices {
  const path = `/dev/shm/${name}`;
  const watcher = watch(path);
  const touches = on(watcher, 'change', { close: ['close'] });
  return {
    handle: process.pid,
    tell(handle) {
      // Asked first: once it has heard, the other may end.
      const isThere = isRunning(handle);
      return touch(path) ?? (isThere ? undefined : nobody(role === 'server' ? 'client' : 'server'));
    },
    async *heard() {
      for await (const _ of touches) yield;
    },
    close: () => watcher.close(),
  };
}
