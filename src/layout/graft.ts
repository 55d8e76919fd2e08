// Moves a freshly read value into one that was read before, so that the caller's object and its parts stay the same objects.
import { isUnionValue } from './union-value.ts';

type Parts = Record<string | number, unknown>;

const isPlain = (value: unknown): value is Parts =>
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof Date) &&
  !ArrayBuffer.isView(value) &&
  !Array.isArray(value) &&
  !isUnionValue(value);

/** Gives `target` with the content of `fresh` where both are of one kind, else `fresh`. Nothing here throws for targets made by `zero` or `decode`. */
export function graft(target: unknown, fresh: unknown): unknown {
  if (Array.isArray(fresh)) {
    if (!Array.isArray(target)) return fresh;
    if (target.length !== fresh.length) target.length = fresh.length;
    for (let i = 0; i < fresh.length; i++) {
      const next: unknown = fresh[i];
      target[i] = typeof next === 'object' ? graft(target[i], next) : next;
    }
    return target;
  }
  if (fresh instanceof Uint8Array) {
    if (!(target instanceof Uint8Array) || target.length !== fresh.length) return fresh;
    target.set(fresh);
    return target;
  }
  if (!isPlain(fresh) || !isPlain(target)) return fresh;
  for (const name of Object.keys(fresh)) {
    const next = fresh[name];
    target[name] = typeof next === 'object' ? graft(target[name], next) : next;
  }
  return target;
}
