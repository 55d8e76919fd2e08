// The platform without an operating system's segments: browsers, and systems that have no backend yet.
import { SegmentError } from '../errors.ts';
import { normalizePosixName } from './names.ts';
import type { Platform } from './platform.ts';
import { createProcessObject } from './process-memory.ts';

const NOTHING = { syscall: '', osCode: 0 };

/** Builds a platform that offers `process` segments and refuses the others because of `reason`. */
export function processOnly(reason: string): Platform {
  const refuse = (): never => {
    throw new SegmentError('SEGMENT_UNSUPPORTED', `cannot use memory of the operating system: ${reason}`);
  };
  return {
    strongOrder: false,
    defaultBacking: 'process',
    namesOutliveUsers: true,
    normalizeName: normalizePosixName,
    normalizeFile: refuse,
    taken: { named: NOTHING, file: NOTHING },
    createUnpublished: refuse,
    createFile: refuse,
    createAnonymous: refuse,
    createProcess: createProcessObject,
    open(source) {
      if (typeof source === 'object' && 'backing' in source && source.backing === 'process') {
        return createProcessObject(source.buffer);
      }
      return refuse();
    },
    mutexSize: 0,
    initializeMutex: refuse,
    mutexAt: refuse,
    list: () => [],
    peek: () => undefined,
    bootId: () => '',
    pid: () => 0,
    onExit: () => () => {},
    warn: (message) => console.warn(message),
    markUncloneable() {},
  };
}
