import { newProcessId } from '../../files/process-id.ts';
import type { Driver } from '../driver.ts';
import { isAnyCollecting } from '../marks/collectors.ts';
import { collectedPath } from '../paths.ts';
import { timeOf } from './abandoned.ts';

const maxBytes = 1_024;
/** Timers of several processes differ a little. */
const early = 0.8;
let turns = 0;

/**
 * Whether it is this process's turn to collect: no process has begun to within the interval, by the store's clock, and
 * none does so now. Of several that ask at the same time one is told yes. It saves work; two collections do no harm.
 */
export async function takeTurn(driver: Driver, intervalMs: number): Promise<boolean> {
  turns += 1;
  const own = Buffer.from(`${newProcessId()} ${turns}`);
  // Read before its age: of a newer one that another process wrote meanwhile, these are not the bytes.
  const bytes = await driver.get(collectedPath, maxBytes);
  const last = bytes && (await driver.stat(collectedPath));
  if (bytes !== undefined && last !== undefined) {
    const now = await timeOf(driver);
    if (now.getTime() - last.storedAt.getTime() < early * intervalMs) return false;
    if (await isAnyCollecting(driver, collectedPath)) return false;
    if (!(await driver.deleteIf(collectedPath, bytes))) return false;
  }
  return await driver.putIfAbsent(collectedPath, own);
}
