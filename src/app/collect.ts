/** Frees space in stores. Part of the composition root, loaded only by the commands that need it. */
import { stat } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { fileError, hasErrno } from '../files/file-errors.ts';
import { nothingCollected, type Pruned, pruneStore } from '../local-store/prune.ts';
import { OciError } from '../model/errors.ts';
import { type CollectOptions, garbageCollector } from '../registry/extensions.ts';
import { openFilesystemDriver } from '../storage/drivers/filesystem.ts';
import { createStorage } from '../storage/storage.ts';

/** Frees what nothing refers to in the local store; nothing if there is no store yet. */
export async function pruneLocal(root: string, opts: Pick<CollectOptions, 'dryRun' | 'signal'>): Promise<Pruned> {
  if (!(await isDirectory(root))) return { ...nothingCollected, untagged: [] };
  const driver = await openFilesystemDriver({ root, create: false });
  return pruneStore(createStorage({ driver, name: 'the local store', sparseIndexes: true }), opts);
}

/**
 * Frees what nothing refers to in the directory of a registry.
 *
 * @throws OciError STORAGE for a directory that is not a registry's, before anything else is read
 */
export async function collectRegistry(root: string, opts: CollectOptions): Promise<Pruned> {
  const directory = resolve(root);
  await recognise(directory);
  const driver = await openFilesystemDriver({ root: directory, create: false });
  const swept = await createStorage({ driver, name: root }).extension(garbageCollector)?.collect(opts);
  const { untagged, ...rest } = swept ?? nothingCollected;
  return { ...rest, untagged: untagged.map(({ repo, digest }) => `${repo}@${digest}`) };
}

const inside = join('docker', 'registry', 'v2');

// In any other directory, unrelated files could look like a store's leftovers and would be deleted.
async function recognise(directory: string): Promise<void> {
  if (await isDirectory(join(directory, inside))) return;
  const hint = 'name the directory that serve has as --root, or distribution as rootdirectory';
  if (!(await isDirectory(directory))) throw new OciError('STORAGE', `there is no directory ${directory}`, { hint });
  throw new OciError('STORAGE', `${directory} holds no registry: there is no ${inside} in it`, {
    hint: above(directory) ?? hint,
  });
}

function above(directory: string): string | undefined {
  const at = `${directory}${sep}`.lastIndexOf(`${sep}${inside.split(sep)[0]}${sep}`);
  const root = directory.slice(0, at);
  return at > 0 && basename(root) !== '' ? `did you mean --root ${root}?` : undefined;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw fileError(error, 'read', path, { full: 'make room there', elsewhere: 'name another directory' });
  }
}
