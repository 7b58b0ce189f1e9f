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
  /** Waits; rejects with the signal's reason. Tests give their own. */
  readonly wait?: (delayMs: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** A policy with its defaults filled in. */
export interface Retry {
  readonly attempts: number;
  readonly maxRetryAfterMs: number;
  /**
   * Waits before a repetition, with full jitter.
   *
   * @param failures How many attempts have failed so far, from 1.
   * @param leastMs What the server asked for, at least.
   */
  pause(
    failures: number,
    opts?: { readonly signal?: AbortSignal | undefined; readonly leastMs?: number },
  ): Promise<void>;
}

export function createRetry(policy: RetryPolicy = {}): Retry {
  const { attempts = 5, baseDelayMs = 250, maxDelayMs = 10_000, maxRetryAfterMs = 60_000, wait = waitFor } = policy;
  return {
    attempts,
    maxRetryAfterMs,
    async pause(failures, opts) {
      const ceilingMs = Math.min(maxDelayMs, baseDelayMs * 2 ** (failures - 1));
      await wait((opts?.leastMs ?? 0) + Math.random() * ceilingMs, opts?.signal);
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
