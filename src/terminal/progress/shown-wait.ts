/** A wait of a request that is not a blob's, as displays show it. */
import { monotonicMs } from '../../model/clock.ts';
import type { Waiting } from '../../model/events.ts';
import { formatSeconds } from './figures.ts';

/** How long a wait is shown whose end nobody knows. */
const shownMs = 15_000;

export interface ShownWait {
  readonly reason: string;
  readonly untilMs: number;
  /** Whether the time is the registry's. */
  readonly isKnown: boolean;
}

export function startWait({ reason, seconds }: Waiting, nowMs = monotonicMs()): ShownWait {
  const isKnown = seconds !== undefined;
  return { reason, untilMs: nowMs + (isKnown ? seconds * 1000 : shownMs), isKnown };
}

/** `Waiting 27s`, or without the time if it is unknown; undefined when it is over. */
export function waitWord({ untilMs, isKnown }: ShownWait, nowMs = monotonicMs()): string | undefined {
  if (nowMs >= untilMs) return undefined;
  return isKnown ? `Waiting ${formatSeconds((untilMs - nowMs) / 1000).split(' ')[0]}` : 'Waiting';
}
