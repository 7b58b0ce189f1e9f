import { setTimeout as sleep } from 'node:timers/promises';

/** When and how often a request is repeated. */
export interface RetryPolicy {
  /** Maximum number of attempts, including the first. Default 5. */
  readonly attempts?: number;
  /** The first delay is between 0 and this; the maximum doubles for each further one. Default 250. */
  readonly baseDelayMs?: number;
  /** Default 10 000. */
  readonly maxDelayMs?: number;
  /** Longest `Retry-After` that is honoured; a longer one is an error at once. Default 60 000. */
  readonly maxRetryAfterMs?: number;
  /**
   * How long a server that has answered before may refuse and cut connections before that is an error, regardless of
   * the number of attempts. Default 15 000; 0 if `attempts` is 1, or another endpoint can be used instead.
   */
  readonly outageMs?: number;
  /** Waits; rejects with the signal's reason. Tests pass their own. */
  readonly wait?: (delayMs: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** A policy with its defaults. */
export interface Retry {
  readonly attempts: number;
  readonly maxRetryAfterMs: number;
  readonly outageMs: number;
  /**
   * Waits before a repetition, with full jitter.
   *
   * @param failures Number of failed attempts so far, from 1.
   * @param leastMs Minimum wait that the server requested.
   * @param mostMs Maximum of the additional delay, if lower than the policy's.
   * @returns The time waited, in milliseconds.
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

/** Whether a status means "later": timeouts, overload, and failures of gateways. */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 429 || status === 500 || (status >= 502 && status <= 504);
}
