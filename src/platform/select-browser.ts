// What `#platform` means under the condition `browser`.
import type { Platform } from './platform.ts';
import { processOnly } from './process-only.ts';

const browser = processOnly("a browser has only backing 'process'");

/** Gives the platform without segments of the operating system. */
export function selectPlatform(): Platform {
  return browser;
}
