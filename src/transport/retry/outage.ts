import { monotonicMs } from '../../model/clock.ts';
import type { Silence } from '../silence.ts';
import type { Retry } from './retry.ts';

/** A server that comes back is not kept waiting for long. */
const maxDelayMs = 2000;
/** Shorter ones are nobody's concern. */
const toldAfterMs = 1000;

/** Refusals and resets in a row, met by one request at a server that has answered before. */
export class Outage {
  readonly #retry: Retry;
  #sinceMs: number | undefined;
  #waitedMs = 0;
  #failures = 0;

  constructor(retry: Retry) {
    this.#retry = retry;
  }

  /** Notes a failure. @returns Whether it may end while the policy has patience. */
  failed(): boolean {
    this.#sinceMs ??= monotonicMs();
    this.#failures += 1;
    return this.#ms < this.#retry.outageMs;
  }

  /** Waits before the next attempt. @param failures All failures of the request that count. */
  async pause(failures: number, signal: AbortSignal | undefined): Promise<void> {
    this.#waitedMs += await this.#retry.pause(failures, { signal, mostMs: maxDelayMs });
  }

  /** Notes that the server is there. @returns How many failures the outage was. */
  end(): number {
    const failures = this.#failures;
    this.#sinceMs = undefined;
    this.#waitedMs = 0;
    this.#failures = 0;
    return failures;
  }

  /** What people are told of it; undefined as long as it is short. */
  report(about: Pick<Silence, 'host' | 'what' | 'attempt'>, error: Error): Silence | undefined {
    if (this.#ms < toldAfterMs) return undefined;
    return { ...about, silentMs: this.#ms, outage: { message: error.message, patienceMs: this.#retry.outageMs } };
  }

  // Waits that a policy of its own makes shorter count in full, or a test would try for as long as people do.
  get #ms(): number {
    return this.#sinceMs === undefined ? 0 : Math.max(monotonicMs() - this.#sinceMs, this.#waitedMs);
  }
}
