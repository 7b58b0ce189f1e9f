import { setTimeout as sleep } from 'node:timers/promises';

/** When and how often a request is sent again. */
export interface RetryPolicy {
  /** Times in all, the first one included. Default 5. */
  readonly attempts?: number;
  /** The first wait is between nothing and this; each later one may be twice as long. Default 250. */
  readonly baseDelayMs?: number;
  /** Default 10 000. */
  readonly maxDelayMs?: number;
  /** The longest `Retry-After` that is waited for; a longer one is an error at once. Default 60 000. */
  readonly maxRetryAfterMs?: number;
  /**
   * How long a server that has answered before may refuse and cut connections until that is an error, however many
   * attempts that takes. Default 15 000; 0 where `attempts` is 1, or another endpoint can be asked instead.
   */
  readonly outageMs?: number;
  /** Waits; rejects with the signal's reason. Tests give their own. */
  readonly wait?: (delayMs: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** A policy with its defaults filled in. */
export interface Retry {
  readonly attempts: number;
  readonly maxRetryAfterMs: number;
  readonly outageMs: number;
  /**
   * Waits before a repetition, with full jitter.
   *
   * @param failures How many attempts have failed so far, from 1.
   * @param leastMs What the server asked for, at least.
   * @param mostMs Bounds the wait beyond that further than the policy does.
   * @returns How long it waited, in milliseconds.
   */
  pause(
    failures: number,
    opts?: { readonly signal?: AbortSignal | undefined; readonly leastMs?: number; readonly mostMs?: number },
  ): Promise<number>;
}

export function createRetry(policy: RetryPolicy = {}): Retry {
  const { attempts = 5, baseDelayMs = 250, maxDelayMs = 10_000, maxRetryAfterMs = 60_000, wait = waitFor } = policy;
  const { outageMs = 15_000 } = policy;
  return {
    attempts,
    maxRetryAfterMs,
    outageMs: attempts > 1 ? outageMs : 0,
    async pause(failures, { signal, leastMs = 0, mostMs = maxDelayMs } = {}) {
      const ceilingMs = Math.min(maxDelayMs, mostMs, baseDelayMs * 2 ** (failures - 1));
      const waitMs = leastMs + Math.random() * ceilingMs;
      await wait(waitMs, signal);
      return waitMs;
    },
  };
}

async function waitFor(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Answers that say "later": timeouts, overload, and the failures of gateways. */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 429 || status === 500 || (status >= 502 && status <= 504);
}
