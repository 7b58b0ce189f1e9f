/** Samples without a change after a change: connections are opened, and their speed grows. */
const settleSamples = 1;
/** Samples until another lane is tried, after one that brought nothing or after trouble. */
const restSamples = 20;

interface LaneLimits {
  readonly first: number;
  readonly most: number;
}

/**
 * How many large blobs should move at once. Another lane is added as long as each makes all together faster, which it
 * does where a registry limits each connection. It has no clock: it is told what was measured.
 */
export class LanePolicy {
  #lanes: number;
  readonly #most: number;
  /** Bytes per millisecond before the last lane was added. */
  #before: number | undefined;
  #rest = 0;
  #halved = false;

  constructor({ first, most }: LaneLimits) {
    this.#lanes = first;
    this.#most = most;
  }

  get lanes(): number {
    return this.#lanes;
  }

  /**
   * @param bytesPerMs What all lanes together moved since the last sample.
   * @param wanted Whether all lanes are in use and more blobs wait.
   */
  sample(bytesPerMs: number, wanted: boolean): void {
    this.#halved = false;
    if (!wanted) {
      this.#before = undefined;
      return;
    }
    if (this.#rest > 0) {
      this.#rest -= 1;
      return;
    }
    // Half of what the lane would bring if each moved at the same speed.
    const enough = this.#before === undefined ? 0 : this.#before * (1 + 0.5 / (this.#lanes - 1));
    if (bytesPerMs < enough) {
      this.#lanes -= 1;
      this.#before = undefined;
      this.#rest = restSamples;
    } else if (this.#lanes < this.#most) {
      this.#lanes += 1;
      this.#before = bytesPerMs;
      this.#rest = settleSamples;
    }
  }

  /** A registry asked to wait, failed, or cut a connection. What several lanes report at the same time counts once. */
  trouble(): void {
    if (this.#halved) return;
    this.#halved = true;
    this.#lanes = Math.max(1, Math.floor(this.#lanes / 2));
    this.#before = undefined;
    this.#rest = restSamples;
  }
}
