import { type ProcessId, processState } from '../../files/process-id.ts';

/** How often whoever is at work says so. */
export const beatMs = 5_000;
/** A holder that nobody can ask is taken for gone when the store has not heard of it for so long. */
const silenceMs = 60_000;
/** Whoever was silent for so long himself relies on nothing that he said before: others may take him for gone soon. */
export const ownSilenceMs = silenceMs / 2;

/**
 * Whether a holder is gone. One of this machine is asked for; of another the store's clock tells.
 *
 * @param now What the store's clock shows.
 */
export function isGone(holder: ProcessId, storedAt: Date, now: Date): boolean {
  const state = processState(holder);
  return state === 'dead' || (state === 'unknown' && now.getTime() - storedAt.getTime() > silenceMs);
}

/** Measures silence by both clocks: one stands while the machine sleeps, the other can be set. */
export class SilenceMeter {
  #heardAt = performance.now();
  #heardOn = Date.now();

  /** Before something is said. @returns To be called when it was: silence counts from before. */
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
