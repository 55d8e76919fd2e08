// Where the header of a segment has its fields, in bytes, as docs/segment-format.md says: written out, so that a source that moves
// one is found.
export const HEADER = {
  magic: 0,
  version: 8,
  byteOrder: 12,
  headerLength: 16,
  state: 20,
  kind: 24,
  guard: 28,
  capacity: 32,
  size: 40,
  recordSize: 48,
  cellLength: 52,
  stride: 56,
  lifetime: 60,
  digest: 80,
  textOffset: 136,
  textLength: 140,
  mutexNameLength: 144,
  armed: 192,
  bell: 256,
  epochs: 320,
  text: 2368,
} as const;

/** Index of a field in an array of 32-bit words. */
export const wordOf = (field: keyof typeof HEADER): number => HEADER[field] / 4;
