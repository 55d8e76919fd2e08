// The only file that reads `process.platform`. The entry point for Node sets the platform; the one for browsers another.
import { linux } from './linux.ts';
import type { Platform } from './platform.ts';
import { processOnly } from './process-only.ts';

/** Chooses the backend of the system this process runs on. */
export function selectPlatform(): Platform {
  if (process.platform === 'linux') return linux;
  return processOnly(`there is no backend for ${process.platform} yet, only backing 'process'`);
}
