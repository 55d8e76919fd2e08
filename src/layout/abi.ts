// What differs between the C ABIs that a layout can be made for: widths of a few types, alignment of 64-bit scalars.
// Everything else about a layout is the same on all of them; all are little-endian.

/** A C ABI: `linux32` is the i386 one, where 64-bit scalars are aligned to 4. */
export type Abi = 'win64' | 'win32' | 'linux64' | 'linux32';
/** The n of `#pragma pack(n)`. */
export type Pack = 1 | 2 | 4 | 8 | 16;

/** Widths in bytes; `scalar64` is the alignment of 64-bit integers and floats. */
export interface AbiRules {
  readonly long: 4 | 8;
  readonly word: 4 | 8;
  readonly time: 4 | 8;
  readonly wchar: 2 | 4;
  readonly scalar64: 4 | 8;
}

/** Maps each ABI to its rules. */
export const ABI_RULES: Readonly<Record<Abi, AbiRules>> = Object.freeze({
  win64: { long: 4, word: 8, time: 8, wchar: 2, scalar64: 8 },
  // PLATFORM: 32-bit time_t is what mingw-w64's _mingw.h selects for 32-bit programs, and what published records of such
  // programs ask for (_USE_32BIT_TIME_T). Microsoft's compilers have 64 bits there by default: declare those as i64.
  win32: { long: 4, word: 4, time: 4, wchar: 2, scalar64: 8 },
  linux64: { long: 8, word: 8, time: 8, wchar: 4, scalar64: 8 },
  linux32: { long: 4, word: 4, time: 4, wchar: 4, scalar64: 4 },
});

/** Names every ABI, in a fixed order. */
export const ABIS: readonly Abi[] = Object.freeze(Object.keys(ABI_RULES) as Abi[]);

/** Tells whether `value` names an ABI. */
export function isAbi(value: unknown): value is Abi {
  return typeof value === 'string' && Object.hasOwn(ABI_RULES, value);
}

/** Tells whether `value` is an n that `#pragma pack(n)` accepts. */
export function isPack(value: unknown): value is Pack {
  return value === 1 || value === 2 || value === 4 || value === 8 || value === 16;
}

interface ProcessFacts {
  readonly platform?: unknown;
  readonly arch?: unknown;
}

function detectHost(): Abi {
  const { platform, arch } = (globalThis as { process?: ProcessFacts }).process ?? {};
  const narrow = arch === 'ia32' || arch === 'arm';
  // PLATFORM: macOS has linux64's widths and alignments; a browser has no C ABI and takes the commonest.
  if (platform === 'win32') return narrow ? 'win32' : 'win64';
  return narrow ? 'linux32' : 'linux64';
}

/** Names the ABI of C programs on this machine; `linux64` on macOS and in a browser. */
export const HOST_ABI: Abi = detectHost();
