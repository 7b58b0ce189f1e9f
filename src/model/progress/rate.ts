const windowMs = 5000;
const sampleMs = 250;
/** A rate over a shorter time is meaningless. */
const leastMs = 1000;
/** After this time the rate is good enough for an estimate. */
const steadyMs = 2000;

/** A number that changes more often is unreadable. */
const calmMs = 1000;

/** The growth rate of a number over the last seconds. */
export class Rate {
  #told: { readonly atMs: number; readonly value: number } | undefined;
  /** The oldest first. The last sample is still updated. */
  readonly #samples: { atMs: number; value: number }[] = [];

  /** Records the present value. */
  add(value: number, nowMs: number): void {
    const [before, last] = [this.#samples.at(-2), this.#samples.at(-1)];
    if (last && before && last.atMs - before.atMs < sampleMs) Object.assign(last, { atMs: nowMs, value });
    else this.#samples.push({ atMs: nowMs, value });
    while (this.#samples.length > 2 && nowMs - (this.#samples[1]?.atMs ?? 0) > windowMs) this.#samples.shift();
  }

  /** The rate per second, updated once a second; undefined while too little is known. It falls while the value does not grow. */
  perSecond(nowMs: number): number | undefined {
    if (this.#told && nowMs - this.#told.atMs < calmMs) return this.#told.value;
    const value = this.#perSecond(nowMs);
    this.#told = value === undefined ? undefined : { atMs: nowMs, value };
    return value;
  }

  /** Whether it was observed for long enough to allow an estimate. */
  isSteady(nowMs: number): boolean {
    const [first] = this.#samples;
    return first !== undefined && nowMs - first.atMs >= steadyMs;
  }

  #perSecond(nowMs: number): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || nowMs - first.atMs < leastMs) return undefined;
    // No growth in the whole window: the rate is 0.
    if (nowMs - last.atMs > windowMs) return 0;
    return ((last.value - first.value) * 1000) / (nowMs - first.atMs);
  }
}
