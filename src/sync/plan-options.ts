import type { Failures } from './failures.ts';
import type { Lock } from './lock.ts';
import type { OpenPlaces } from './open-places.ts';

/** What a synchronisation is planned with. */
export interface PlanOptions {
  readonly places: OpenPlaces;
  readonly failures: Failures;
  /** What tags stand for, whatever the source says. */
  readonly lock: Lock;
  /** Whether tags are looked for that the destination has and the source has not. */
  readonly removes: boolean;
  readonly signal: AbortSignal;
}
