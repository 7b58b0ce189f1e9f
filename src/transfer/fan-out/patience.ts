import { monotonicMs } from '../../model/clock.ts';

/** Beyond its allowance a destination may hold the others for this part of the time of the copy. */
const share = 0.1;

/** How long the other destinations wait for one of them, in all. */
export class Patience {
  readonly #allowanceMs: number;
  readonly #onEnd: () => void;
  readonly #startMs = monotonicMs();
  #spentMs = 0;
  #holds = 0;
  #sinceMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param onEnd Called once when it is exhausted. */
  constructor(allowanceMs: number, onEnd: () => void) {
    this.#allowanceMs = allowanceMs;
    this.#onEnd = onEnd;
  }

  /** Somebody waits, until the function that it returns is called. Waits at the same time count once. */
  hold(): () => void {
    this.#holds += 1;
    if (this.#holds === 1) {
      this.#sinceMs = monotonicMs();
      const leftMs = this.#allowanceMs + share * (this.#sinceMs - this.#startMs) - this.#spentMs;
      this.#timer = setTimeout(this.#onEnd, Math.max(0, leftMs));
    }
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds -= 1;
      if (this.#holds > 0) return;
      clearTimeout(this.#timer);
      this.#spentMs += monotonicMs() - this.#sinceMs;
    };
  }
}
