import type { FileFacts, StorePath } from '../driver.ts';
import { asidePath, childPath, parentPath } from '../paths.ts';
import type { Store } from '../store.ts';

/**
 * Removes a file unless somebody touched it since `cutoff`. It is first moved aside, so that whoever wants it from now
 * on finds it gone, and then looked at, so that whoever wanted it before keeps it.
 *
 * @returns Whether it was removed.
 */
export async function removeUntouched(store: Store, path: StorePath, cutoff: Date): Promise<boolean> {
  const { driver } = store;
  const aside = asidePath(path);
  if (!isOlder(await driver.stat(path), cutoff) || !(await driver.move(path, aside))) return false;
  if (isOlder(await driver.stat(aside), cutoff)) {
    await driver.remove(aside);
    return true;
  }
  await restoreAside(store, path);
  return false;
}

/** Puts back what a collector that was killed had moved aside. */
export async function restoreAside({ driver }: Store, path: StorePath): Promise<void> {
  const aside = asidePath(path);
  if ((await driver.stat(aside)) === undefined) return;
  if ((await driver.stat(path)) === undefined) await driver.move(aside, path);
  else await driver.remove(aside);
}

/** Removes a directory and its parents as long as they are empty, up to and without `end`. */
export async function pruneUpwards({ driver }: Store, from: StorePath, end: StorePath): Promise<void> {
  for (let path = from; path.length > end.length; path = parentPath(path)) {
    if (!(await driver.removeEmptyDirectory(path))) return;
  }
}

/** Removes the empty directories below a directory, and itself when it is then empty. Files stay. */
export async function pruneEmpty(store: Store, directory: StorePath): Promise<boolean> {
  let left = 0;
  for (const entry of await store.driver.list(directory)) {
    const removed = entry.kind === 'directory' && (await pruneEmpty(store, childPath(directory, entry)));
    if (!removed) left += 1;
  }
  return left === 0 && (await store.driver.removeEmptyDirectory(directory));
}

function isOlder(facts: FileFacts | undefined, cutoff: Date): boolean {
  return facts !== undefined && facts.modifiedAt < cutoff;
}
