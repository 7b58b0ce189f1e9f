import type { HttpRequest } from '../http.ts';

/** Above this limit a host is no longer held back. */
const enough = 64;

/** A request that has its turn. */
export interface Turn {
  /** Call it for each answer. `true`: the host wants fewer requests. */
  readonly answered: (tooMany: boolean) => void;
  /** Call it before the request is sent again. It waits if the host takes fewer requests by now. */
  readonly again: () => Promise<void>;
}

/**
 * How many requests a host gets at once: any number until it answers 429, then half of those that are open, and one more
 * for each round without a 429. It counts requests and answers, and has no clock: `Retry-After` is the caller's part. A
 * request keeps its turn during the wait that a host asks for, so that others do not meet the same answer meanwhile.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6585#section-4
 */
export class Pressure {
  #limit = Number.POSITIVE_INFINITY;
  #open = 0;
  #answers = 0;
  /** Counts the reductions. Answers to requests that were sent before the last one do not reduce again. */
  #round = 0;
  readonly #waiting = new Set<() => void>();

  /** Requests that may be open; Infinity while the host has not complained. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * Sends a request in its turn. One with a streamed body has no turn: the bytes may have to come from the same host.
   *
   * @throws the signal's reason.
   */
  async run<T>(
    { body, signal }: Pick<HttpRequest, 'body' | 'signal'>,
    send: (turn: Partial<Turn>) => Promise<T>,
  ): Promise<T> {
    if (body !== undefined && !(body instanceof Uint8Array)) return send({});
    let round = 0;
    let has = false;
    const take = async (): Promise<void> => {
      if (this.#open >= this.#limit) await this.#wait(signal);
      this.#open += 1;
      has = true;
      round = this.#round;
    };
    const giveBack = (): void => {
      if (has) this.#open -= 1;
      has = false;
      this.#wake();
    };
    await take();
    try {
      return await send({
        answered: (tooMany) => {
          if (!tooMany) this.#rise();
          else if (round === this.#round) this.#fall();
        },
        again: async () => {
          round = this.#round;
          if (this.#open <= this.#limit) return;
          giveBack();
          await take();
        },
      });
    } finally {
      giveBack();
    }
  }

  #fall(): void {
    this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, this.#open) / 2));
    this.#answers = 0;
    this.#round += 1;
  }

  #rise(): void {
    if (this.#limit === Number.POSITIVE_INFINITY) return;
    this.#answers += 1;
    if (this.#answers < this.#limit) return;
    this.#answers = 0;
    this.#limit = this.#limit >= enough ? Number.POSITIVE_INFINITY : this.#limit + 1;
    this.#wake();
  }

  #wake(): void {
    // Those that are woken are counted when they run: no more are woken than there is room for.
    let room = this.#limit - this.#open;
    for (const go of this.#waiting) {
      if (room < 1) return;
      room -= 1;
      go();
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    while (this.#open >= this.#limit) {
      signal?.throwIfAborted();
      await new Promise<void>((resolve) => {
        const go = (): void => {
          this.#waiting.delete(go);
          signal?.removeEventListener('abort', go);
          resolve();
        };
        this.#waiting.add(go);
        signal?.addEventListener('abort', go, { once: true });
      });
    }
    // It may have been woken and aborted at once: then the turn is another's.
    if (signal?.aborted) this.#wake();
    signal?.throwIfAborted();
  }
}
