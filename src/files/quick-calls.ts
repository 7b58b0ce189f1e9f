/**
 * File calls on the main thread. What the kernel answers from memory takes microseconds; through the thread pool it takes
 * ten times as long, most of it for waking threads. But a network or a disk may take milliseconds, while nothing else would
 * run. So the time of each kind of call is measured.
 */
import { monotonicMs } from '../model/clock.ts';

/** A call that takes longer than this would have cost less through the thread pool. */
const slowMs = 0.06;
/** Calls of a kind that use the thread pool after a slow one; each further slow one in a row quadruples them. */
const rests = { least: 16, most: 4_096 };
/** After so much time in calls, one uses the thread pool, so that sockets and timers have their turn. */
const turnMs = 2;

let spentMs = 0;
let isWaitedFor = false;

/** Whether files may be where a call waits for another machine, as long as that is silent: then none is made on the main thread. */
export function waitsForOthers(): boolean {
  return isWaitedFor;
}

/** Makes all calls through the thread pool from now on, as {@link waitsForOthers} says. */
export function expectWaits(): void {
  isWaitedFor = true;
}

/**
 * Makes one kind of call.
 *
 * @param now The synchronous function.
 * @param later The same through the thread pool, used while calls of this kind are slow.
 * @param opts.nowMs A clock that never jumps.
 */
export function quickCall<Args extends readonly unknown[], Result>(
  now: (...args: Args) => Result,
  later: (...args: Args) => Promise<Result>,
  { nowMs = monotonicMs }: { readonly nowMs?: () => number } = {},
): (...args: Args) => Promise<Result> {
  let resting = 0;
  let rest = rests.least;
  return async (...args) => {
    if (isWaitedFor || resting > 0 || spentMs > turnMs) {
      resting = Math.max(0, resting - 1);
      spentMs = 0;
      return await later(...args);
    }
    const begunMs = nowMs();
    try {
      return now(...args);
    } finally {
      const tookMs = nowMs() - begunMs;
      spentMs += tookMs;
      if (tookMs > slowMs) resting = rest;
      rest = tookMs > slowMs ? Math.min(rest * 4, rests.most) : rests.least;
    }
  };
}
