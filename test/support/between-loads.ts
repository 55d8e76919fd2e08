// What others do between two looks of one call, at every place where they can: the loads are counted, not the time.

/** Calls `act` once, just before the load number `nth` (from 0) of `run` by Atomics from `buffer`; false if it has fewer. */
export async function beforeLoad(
  buffer: ArrayBufferLike,
  nth: number,
  act: () => void,
  run: () => unknown,
): Promise<boolean> {
  const { load } = Atomics;
  let left = nth;
  Atomics.load = ((array: Int32Array, at: number) => {
    if (array.buffer === buffer && left-- === 0) {
      // The loads of `act` are not those of `run`.
      Atomics.load = load;
      act();
    }
    return load(array, at);
  }) as typeof Atomics.load;
  try {
    await run();
  } finally {
    Atomics.load = load;
  }
  return left < 0;
}
