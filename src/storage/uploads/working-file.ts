/**
 * Files that grow over several runs: interrupted downloads and upload sessions. At rest such a file has its plain name;
 * whoever writes it first gives it a name of his own. So no two processes ever write one file, whatever happened to
 * locks, and what a writer hashed is what becomes a blob.
 */

import { newProcessId, processState, tryParseProcessId } from '../../files/process-id.ts';
import type { StorePath } from '../driver.ts';
import { baseName, childPath, heldPath, parentPath } from '../paths.ts';
import type { Store } from '../store.ts';

export interface Leftover {
  readonly path: StorePath;
  readonly size: number;
  /** `resting`: free to take. `orphaned`: its writer is dead. `held`: its writer lives, or may live elsewhere. */
  readonly state: 'resting' | 'orphaned' | 'held';
}

/** What there is of a file, the longest first, and what can be taken before what cannot. */
export async function findLeftovers({ driver }: Store, resting: StorePath): Promise<readonly Leftover[]> {
  const directory = parentPath(resting);
  const name = baseName(resting);
  const found: Leftover[] = [];
  for (const entry of await driver.list(directory)) {
    const holder = entry.name.startsWith(`${name}.`) ? tryParseProcessId(entry.name.slice(name.length + 1)) : undefined;
    if (entry.kind !== 'file' || (entry.name !== name && holder === undefined)) continue;
    const path = childPath(directory, entry);
    const facts = await driver.stat(path);
    if (facts === undefined) continue;
    const state = holder === undefined ? 'resting' : processState(holder) === 'dead' ? 'orphaned' : 'held';
    found.push({ path, size: facts.size, state });
  }
  return found.sort((a, b) => Number(a.state === 'held') - Number(b.state === 'held') || b.size - a.size);
}

/** A name that is ours alone. */
export function ownPath(resting: StorePath): StorePath {
  return heldPath(resting, newProcessId());
}

/** Makes the longest free leftover ours. @returns Its new path; undefined when there was none. */
export async function takeLeftover(
  { driver }: Store,
  resting: StorePath,
  leftovers: readonly Leftover[],
): Promise<StorePath | undefined> {
  for (const leftover of leftovers) {
    if (leftover.state === 'held') continue;
    const mine = ownPath(resting);
    if (await driver.move(leftover.path, mine)) return mine;
  }
  return undefined;
}
