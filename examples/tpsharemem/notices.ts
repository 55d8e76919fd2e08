// The notice that a text was written. Windows: WM_USER + 1024 with wParam 1 and lParam 2, posted to the window of that title.
// Linux: a touch of the memory's file.
import { on } from 'node:events';
import { utimesSync, watch } from 'node:fs';
import { findWindow, openMessageWindow, post, WM_USER } from 'sharecord/win32';
import type { Options } from './options.ts';

const NOTICE = WM_USER + 1024;
const onWindows = process.platform === 'win32';
const pathOf = (map: string): string => `/dev/shm/${map}`;

/** Tells the receiver; false if there is no such window. On Linux nobody knows who listens. */
export function tell({ map, title }: Options): boolean {
  if (!onWindows) {
    const now = new Date();
    utimesSync(pathOf(map), now, now);
    return true;
  }
  const form = findWindow(title);
  if (form === undefined) return false;
  post(form, NOTICE, 1, 2);
  return true;
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
