/** Changes to what several clients write without conditions: a tag of which each keeps what the others put there. */
import { monotonicMs } from '../model/clock.ts';
import { OciError } from '../model/errors.ts';

/** How often a change is written at most, if other clients overwrite it. */
const maxWrites = 12;
/** It is read again this long after it was written, or some times as long as reading and writing took. */
const leastSettleMs = 150;
const settleFactor = 3;
const mostSettleMs = 5_000;

/**
 * A tag cannot be written on a condition: of two clients that change what it holds at the same moment, one overwrites what the
 * other wrote. So each reads it again after the other must have written, and repeats its change if it is gone.
 *
 * @param write Reads what is there, and writes the change unless it is in it. @returns Whether it wrote.
 * @param pause Waits so many milliseconds; `writes` tells how often was written.
 * @throws OciError UNAVAILABLE if other clients keep overwriting it; what `write` and `pause` throw.
 */
export async function changeUntilItStays(
  what: string,
  write: () => Promise<boolean>,
  pause: (ms: number, writes: number) => Promise<unknown>,
): Promise<void> {
  for (let writes = 1; ; writes += 1) {
    const startedAt = monotonicMs();
    if (!(await write())) return;
    if (writes > maxWrites) throw new OciError('UNAVAILABLE', `other clients keep overwriting ${what}`);
    const tookMs = monotonicMs() - startedAt;
    await pause(Math.min(Math.max(leastSettleMs, settleFactor * tookMs), mostSettleMs), writes);
  }
}
