import { tryParseDigest } from '../../model/digest.ts';
import type { Tally } from '../../registry/extensions.ts';
import { entriesIn } from '../listing.ts';
import type { Collection } from '../marks/collection.ts';
import { childPath, partialPath, partialsPath } from '../paths.ts';
import type { Store } from '../store.ts';

interface Partials {
  readonly removed: Tally;
  readonly inUse: Tally;
}

/** Removes downloads that were not continued for this long, and locks of dead processes. */
export async function removePartials(
  { driver }: Store,
  collection: Collection,
  { idleMs, dryRun }: { readonly idleMs: number; readonly dryRun: boolean },
): Promise<Partials> {
  const [removed, inUse] = [
    { count: 0, bytes: 0 },
    { count: 0, bytes: 0 },
  ];
  const now = collection.startedAt.getTime();
  for await (const { path, size, storedAt, held } of driver.uploads.list(partialsPath)) {
    const digest = tryParseDigest(path.slice(partialsPath.length + 1).replace('/', ':'));
    if (digest === undefined) continue;
    const tally = { count: 1, bytes: size };
    if (held) add(inUse, tally);
    if (held || now - storedAt.getTime() < idleMs) continue;
    let taken = false;
    await collection.takeAway([{ digest }], async () => {
      taken = true;
      if (!dryRun) await driver.uploads.abort(partialPath(digest));
    });
    add(taken ? removed : inUse, tally);
  }
  if (!dryRun) await removeLocks(driver);
  return { removed, inUse };
}

// A stale lock is removed by taking it over and releasing it. A held lock cannot be taken.
async function removeLocks(driver: Store['driver']): Promise<void> {
  for await (const { name } of entriesIn(driver, partialsPath, { deep: true })) {
    const isLock = name.endsWith('.lock') && tryParseDigest(name.slice(0, -'.lock'.length).replace('/', ':'));
    if (isLock) await (await driver.locks?.tryAcquire(childPath(partialsPath, { name })))?.release();
  }
}

export function add(to: { count: number; bytes: number }, { count, bytes }: Tally): void {
  to.count += count;
  to.bytes += bytes;
}
