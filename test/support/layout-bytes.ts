// Comparison of records and bytes with what a compiler made.
import { expect } from 'vitest';

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Picks out of what was read what the record names: of a union the member that was written. */
export function named(read: unknown, record: unknown): unknown {
  if (Array.isArray(record)) {
    expect((read as readonly unknown[]).length).toBe(record.length);
    return record.map((item, i) => named((read as readonly unknown[])[i], item));
  }
  if (typeof record !== 'object' || record === null) return read;
  if (ArrayBuffer.isView(record) || record instanceof Date) return read;
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      named((read as Record<string, unknown>)[name], value),
    ]),
  );
}
