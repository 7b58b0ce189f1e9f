/** How fast bytes come, measured in windows. It has no clock: it is told the time. */
export class Pace {
  readonly #windowMs: number;
  readonly #startedMs: number;
  #sinceMs: number;
  #bytes = 0;
  #perMs: number | undefined;

  constructor(nowMs: number, windowMs: number) {
    this.#windowMs = windowMs;
    this.#startedMs = nowMs;
    this.#sinceMs = nowMs;
  }

  /** Bytes for each millisecond of the last whole window; undefined before the second one is over. */
  get bytesPerMs(): number | undefined {
    return this.#perMs;
  }

  moved(bytes: number, nowMs: number): void {
    this.#bytes += bytes;
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < this.#windowMs) return;
    // In the first window the connection may still be getting faster.
    if (nowMs - this.#startedMs >= 2 * this.#windowMs) this.#perMs = this.#bytes / elapsedMs;
    this.#bytes = 0;
    this.#sinceMs = nowMs;
  }
}
