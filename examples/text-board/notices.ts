// How peers tell each other that the text changed. Windows: the original's message, posted to all windows. Linux: a touch of the
// memory's file, which everybody who has it can hear.
import { on } from 'node:events';
import { utimesSync, watch } from 'node:fs';
import { broadcast, openMessageWindow, registerMessage, WindowError } from 'sharecord/win32';

export interface Notices {
  /** Tells the others; gives the reason if that cannot be. */
  tell(): string | undefined;
  /** Gives one item for each notice of others, until `close`. */
  heard(): AsyncGenerator<void>;
  close(): void;
}

/** Starts to listen for changes of the board `name`. */
export function openNotices(name: string, message: string): Notices {
  return process.platform === 'win32' ? byMessage(message) : byTouch(`/dev/shm/${name}`);
}

function byMessage(name: string): Notices {
  const changed = registerMessage(name);
  const window = openMessageWindow({ title: 'text board' });
  return {
    tell() {
      try {
        broadcast(changed, window.handle, 0);
        return undefined;
      } catch (error) {
        if (!(error instanceof WindowError)) throw error;
        return error.message;
      }
    },
    async *heard() {
      for await (const { message, wParam } of window) {
        // One's own broadcast comes back too.
        if (message === changed && wParam !== window.handle) yield;
      }
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

function byTouch(path: string): Notices {
  const watcher = watch(path);
  const touches = on(watcher, 'change', { close: ['close'] });
  return {
    tell: () => touch(path),
    async *heard() {
      // One's own touch is heard too: the text is then the one that was typed here.
      for await (const _ of touches) yield;
    },
    close: () => watcher.close(),
  };
}
