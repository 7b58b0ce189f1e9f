import { rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { inDirectory, syncDirectory } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { confinedPath } from './confined-path.ts';
import { onFile } from './file-errors.ts';

/**
 * Renames a finished file into its place, for good.
 *
 * @throws OciError STORAGE_DAMAGED when its directory is a link out of the layout: writing through it would plant files
 *   wherever a hostile layout points.
 */
export async function moveIntoPlace(root: string, from: string, to: string): Promise<void> {
  await onFile('write', to, async () => {
    await inDirectory(dirname(to), async () => {
      await confinedPath(root, dirname(to));
      await rename(from, to);
    });
    await syncDirectory(dirname(to));
  });
}

/** Removes a file. @returns Whether it was there. */
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
