// How fast a counter grows.

/** The growth of one counter per second, over about the last `windowMs`. */
export class Rate {
  readonly #windowMs: number;
  readonly #points: { readonly atMs: number; readonly value: number }[] = [];

  constructor(windowMs = 1000) {
    this.#windowMs = windowMs;
  }

  /** Takes the counter's present value and gives its growth per second; 0 for the first. */
  next(atMs: number, value: number): number {
    const points = this.#points;
    points.push({ atMs, value });
    while (points.length > 2 && points[1]!.atMs <= atMs - this.#windowMs) points.shift();
    const oldest = points[0]!;
    return atMs > oldest.atMs ? ((value - oldest.value) * 1000) / (atMs - oldest.atMs) : 0;
  }
}
