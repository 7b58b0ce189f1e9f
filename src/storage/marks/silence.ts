import { type ProcessId, processState } from '../../files/process-id.ts';

/** Interval of heartbeats. */
export const beatMs = 5_000;
/** A holder whose process cannot be checked counts as dead after this time without a heartbeat. */
const silenceMs = 60_000;
/** A holder that was silent for this long no longer relies on its own marks: others may soon take it for dead. */
export const ownSilenceMs = silenceMs / 2;

/**
 * Whether a holder is dead. On this machine its process is checked; for another machine the store's clock decides.
 *
 * @param now The time by the store's clock.
 */
export function isGone(holder: ProcessId, storedAt: Date, now: Date): boolean {
  const state = processState(holder);
  return state === 'dead' || (state === 'unknown' && now.getTime() - storedAt.getTime() > silenceMs);
}

/** Measures silence by two clocks: the monotonic one stops while the machine sleeps, and the other can be set. */
export class SilenceMeter {
  #heardAt = performance.now();
  #heardOn = Date.now();

  /** Call before a heartbeat. @returns Call when it has succeeded: silence counts from before it. */
  speak(): () => void {
    const [at, on] = [performance.now(), Date.now()];
    return () => {
      this.#heardAt = Math.max(this.#heardAt, at);
      this.#heardOn = on;
    };
  }

  get silentMs(): number {
    return Math.max(performance.now() - this.#heardAt, Date.now() - this.#heardOn);
  }
}
