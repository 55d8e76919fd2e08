// Window messages of Windows, by which older programs tell each other that shared memory changed: named exports, no logic.
// It imports on every system; off Windows each call throws WINDOW_UNSUPPORTED.
export { WindowError, type WindowErrorCode } from './errors.ts';
export type { WindowMessage } from './platform/platform.ts';
export {
  broadcast,
  findWindow,
  type MessageWindow,
  openMessageWindow,
  post,
  registerMessage,
  WM_USER,
} from './platform/message-window.ts';
