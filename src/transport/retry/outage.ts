import { monotonicMs } from '../../model/clock.ts';
import type { Wait } from '../waits.ts';
import type { Retry } from './retry.ts';

/** Maximum delay, so that a server that comes back is noticed soon. */
const maxDelayMs = 2000;
/** Shorter outages are not reported. */
const toldAfterMs = 1000;

/** Consecutive refusals and resets, met by one request to a server that had answered before. */
export class Outage {
  readonly #retry: Retry;
  #sinceMs: number | undefined;
  #waitedMs = 0;
  #failures = 0;

  constructor(retry: Retry) {
    this.#retry = retry;
  }

  /** Records a failure. @returns Whether the policy allows waiting longer. */
  failed(): boolean {
    this.#sinceMs ??= monotonicMs();
    this.#failures += 1;
    return this.#ms < this.#retry.outageMs;
  }

  /** Waits before the next attempt. @param failures All counted failures of the request. */
  async pause(failures: number, signal: AbortSignal | undefined): Promise<void> {
    this.#waitedMs += await this.#retry.pause(failures, { signal, mostMs: maxDelayMs });
  }

  /** Records that the server is back. @returns Number of failures during the outage. */
  end(): number {
    const failures = this.#failures;
    this.#sinceMs = undefined;
    this.#waitedMs = 0;
    this.#failures = 0;
    return failures;
  }

  /** The report for people; undefined while the outage is short. */
  report(about: Pick<Wait, 'host' | 'what' | 'attempt'>, error: Error): Wait | undefined {
    if (this.#ms < toldAfterMs) return undefined;
    return { ...about, silentMs: this.#ms, outage: { message: error.message, patienceMs: this.#retry.outageMs } };
  }

  // Waits count in full, even if a policy shortens them: a test would otherwise try for as long as a real run.
  get #ms(): number {
    return this.#sinceMs === undefined ? 0 : Math.max(monotonicMs() - this.#sinceMs, this.#waitedMs);
  }
}
