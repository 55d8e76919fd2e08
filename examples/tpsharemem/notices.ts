// The notice that a text was written. Windows: WM_USER + 1024 with wParam 1 and lParam 2, posted to the window of that title.
// Linux: a touch of the memory's file.
import { on } from 'node:events';
import { utimesSync, watch } from 'node:fs';
import { findWindow, openMessageWindow, post, WindowError, WM_USER } from 'sharecord/win32';
import type { Options } from './options.ts';

const NOTICE = WM_USER + 1024;
const onWindows = process.platform === 'win32';
const pathOf = (map: string): string => `/dev/shm/${map}`;

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

/** Tells the receiver; gives the reason if that cannot be. On Linux nobody knows who listens. */
export function tell({ map, title }: Options): string | undefined {
  if (!onWindows) return touch(pathOf(map));
  try {
    const form = findWindow(title);
    if (form === undefined) return `nobody has a window titled ${title}`;
    post(form, NOTICE, 1, 2);
    return undefined;
  } catch (error) {
    // Its window may go between the look and the post; its queue may be full, its rights greater than ours.
    if (!(error instanceof WindowError)) throw error;
    return error.message;
  }
}

/** Gives one item for each notice, until `close`. */
export interface Notices {
  heard(): AsyncGenerator<void>;
  close(): void;
}

/** Starts to listen. */
export function openNotices({ map, title }: Options): Notices {
  if (!onWindows) {
    const watcher = watch(pathOf(map));
    const touches = on(watcher, 'change', { close: ['close'] });
    return {
      async *heard() {
        for await (const _ of touches) yield;
      },
      close: () => watcher.close(),
    };
  }
  const window = openMessageWindow({ title });
  return {
    async *heard() {
      for await (const { message, lParam } of window) if (message === NOTICE && lParam === 2) yield;
    },
    close: () => window.close(),
  };
}
