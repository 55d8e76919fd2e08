// The only file that reads `process.platform`. The entry point for Node sets the platform; the one for browsers another.
import { linux } from './linux.ts';
import type { Platform } from './platform.ts';
import { processOnly } from './process-only.ts';
import { win32 } from './win32.ts';

/** Chooses the backend of the system this process runs on. */
export function selectPlatform(): Platform {
  if (process.platform === 'linux') return linux;
  if (process.platform === 'win32') return win32;
  return processOnly(`there is no backend for ${process.platform} yet, only backing 'process'`);
}
