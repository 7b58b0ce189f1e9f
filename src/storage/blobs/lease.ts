import { newProcessId } from '../../files/process-id.ts';
import type { Leases } from '../../registry/extensions.ts';
import type { Locks } from '../driver.ts';
import { childPath, leasePath, leasesPath } from '../paths.ts';
import type { Store } from '../store.ts';

/** Leases are locks that each have a name of their own; that a live one exists is all a collector asks. */
export function createLeases(locks: Locks): Leases {
  return {
    async lease(opts) {
      opts?.signal?.throwIfAborted();
      const lock = await locks.tryAcquire(leasePath(newProcessId()));
      return { [Symbol.asyncDispose]: async () => await lock?.release() };
    },
  };
}

/** Whether a transfer is under way, in this process or another. */
export async function hasLiveLease({ driver }: Store): Promise<boolean> {
  for (const entry of await driver.list(leasesPath)) {
    if ((await driver.locks?.isHeld(childPath(leasesPath, entry))) === true) return true;
  }
  return false;
}
