const windowMs = 5000;
const sampleMs = 250;
/** Over less than this a rate says nothing. */
const leastMs = 1000;
/** From here on it is good enough to tell what is to come. */
const steadyMs = 2000;

/** A figure that changes more often cannot be read. */
const calmMs = 1000;

/** How fast a number grew over the last seconds. */
export class Rate {
  #told: { readonly atMs: number; readonly value: number } | undefined;
  /** The oldest first; the last one is still being moved on. */
  readonly #samples: { atMs: number; value: number }[] = [];

  /** Notes the number as it is now. */
  add(value: number, nowMs: number): void {
    const [before, last] = [this.#samples.at(-2), this.#samples.at(-1)];
    if (last && before && last.atMs - before.atMs < sampleMs) Object.assign(last, { atMs: nowMs, value });
    else this.#samples.push({ atMs: nowMs, value });
    while (this.#samples.length > 2 && nowMs - (this.#samples[1]?.atMs ?? 0) > windowMs) this.#samples.shift();
  }

  /** Per second, the same for a second; undefined as long as too little is known. Nothing new makes it fall. */
  perSecond(nowMs: number): number | undefined {
    if (this.#told && nowMs - this.#told.atMs < calmMs) return this.#told.value;
    const value = this.#perSecond(nowMs);
    this.#told = value === undefined ? undefined : { atMs: nowMs, value };
    return value;
  }

  /** Whether it has been seen for long enough to tell what is to come. */
  isSteady(nowMs: number): boolean {
    const [first] = this.#samples;
    return first !== undefined && nowMs - first.atMs >= steadyMs;
  }

  #perSecond(nowMs: number): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || nowMs - first.atMs < leastMs) return undefined;
    // What has stood still for the whole window does not move.
    if (nowMs - last.atMs > windowMs) return 0;
    return ((last.value - first.value) * 1000) / (nowMs - first.atMs);
  }
}
