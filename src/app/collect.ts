/** Frees space in stores. Part of the composition root, loaded only by the commands that need it. */
import { stat } from 'node:fs/promises';
import { fileError, hasErrno } from '../files/file-errors.ts';
import { nothingCollected, type Pruned, pruneStore } from '../local-store/prune.ts';
import { type CollectOptions, garbageCollector } from '../registry/extensions.ts';
import { openFilesystemDriver } from '../storage/drivers/filesystem.ts';
import { createStorage } from '../storage/storage.ts';
import { openRoot } from './storage/open-root.ts';
import type { RootParts } from './storage/store-root.ts';

/** Frees what nothing refers to in the local store; nothing if there is no store yet. */
export async function pruneLocal(root: string, opts: Pick<CollectOptions, 'dryRun' | 'signal'>): Promise<Pruned> {
  if (!(await isDirectory(root))) return { ...nothingCollected, untagged: [] };
  const driver = await openFilesystemDriver({ root, create: false });
  return pruneStore(createStorage({ driver, name: 'the local store', sparseIndexes: true }), opts);
}

/**
 * Frees what nothing refers to in the store of a registry.
 *
 * @param root As {@link openRoot} takes it.
 * @throws OciError STORAGE for a place that is not a registry's, before anything else is read
 */
export async function collectRegistry(
  root: string,
  { roots, ...opts }: CollectOptions & { readonly roots: RootParts },
): Promise<Pruned> {
  const { driver, name } = await openRoot(root, roots, { existing: true });
  const swept = await createStorage({ driver, name }).extension(garbageCollector)?.collect(opts);
  const { untagged, ...rest } = swept ?? nothingCollected;
  return { ...rest, untagged: untagged.map(({ repo, digest }) => `${repo}@${digest}`) };
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw fileError(error, 'read', path, { full: 'make room there', elsewhere: 'name another directory' });
  }
}
