import { lstat, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { inDirectory, syncDirectory } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { confinedPath } from './confined-path.ts';
import { onFile } from './file-errors.ts';

/**
 * Renames a finished file to its path, durably.
 *
 * @throws OciError STORAGE_DAMAGED if its directory is a link out of the layout: a hostile layout could otherwise have
 * files written anywhere.
 */
export async function moveIntoPlace(root: string, from: string, to: string): Promise<void> {
  await onFile('write', to, async () => {
    await inDirectory(dirname(to), async () => {
      await confinedPath(root, await existing(root, dirname(to)));
      await rename(from, to);
    });
    await syncDirectory(dirname(to));
  });
}

// A missing directory will be created, so its nearest existing parent must not be a link out either.
async function existing(root: string, directory: string): Promise<string> {
  for (let at = directory; at.length > root.length; at = dirname(at)) {
    const facts = await lstat(at).catch((error: unknown) => {
      if (!hasErrno(error, 'ENOENT')) throw error;
      return undefined;
    });
    if (facts !== undefined) return at;
  }
  return root;
}

/** Removes a file. @returns Whether it existed. */
export async function removeFile(file: string): Promise<boolean> {
  return await onFile('remove', file, async () => {
    try {
      await unlink(file);
      return true;
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  });
}
