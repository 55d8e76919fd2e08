// Records that change between two looks, as getters and proxies of a caller may.

/** Wraps a record so that every property read after the first `last`, counted over all its parts, gives what `then` makes of its value. */
export function twoFaced(
  record: object,
  last: number,
  then: (value: unknown) => unknown,
): { readonly wrapped: object; readonly reads: () => number } {
  let reads = 0;
  const wrap = (value: unknown): unknown => {
    const hasParts = Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
    if (!hasParts) return value;
    return new Proxy(value as object, {
      get(target, key, receiver) {
        const found: unknown = Reflect.get(target, key, receiver);
        return ++reads > last ? then(found) : wrap(found);
      },
    });
  };
  return { wrapped: wrap(record) as object, reads: () => reads };
}

/** What a property may turn into. */
export const FACES: Readonly<Record<string, (value: unknown) => unknown>> = {
  throws: () => {
    throw new Error('a getter of the caller');
  },
  'gives a value of another type': () => Symbol.iterator,
  'gives nothing': () => undefined,
};
