// The hash of a key: MurmurHash3 (x86, 32 bits, seed 0) of its bytes as they are stored, without the zero words at their end,
// so that a short text in a long field costs what it is long.

/** Gives the words up to the last one that is not zero. */
export function wordsInUse(words: Int32Array, from: number, count: number): number {
  let used = count;
  while (used > 0 && words[from + used - 1] === 0) used--;
  return used;
}

/** Hashes `count` words from `from`; a signed 32-bit integer. */
export function hashWords(words: Int32Array, from: number, count: number): number {
  const used = wordsInUse(words, from, count);
  let hash = 0;
  for (let i = 0; i < used; i++) {
    const mixed = Math.imul(words[from + i]!, 0xcc9e2d51);
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= 4 * used;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
