import { type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { confinedPath } from './confined-files.ts';
import { hasErrno, onFile } from './file-errors.ts';

/** What other tools give a layout's files and directories; the umask takes away from it. */
export const fileMode = 0o644;
export const directoryMode = 0o755;

/** Makes a directory's entries survive a power cut. Windows has no such call and needs none. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(directory, 'r');
    await handle.sync();
  } catch (error) {
    // Some network and FUSE file systems know no fsync of a directory; a directory gone meanwhile needs none.
    if (!hasErrno(error, 'EINVAL', 'ENOTSUP', 'ENOENT')) throw error;
  } finally {
    await handle?.close();
  }
}

/** Makes a directory with its parents, durably. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: directoryMode });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
}

/**
 * Runs an operation that puts a file into a directory of the layout; makes the directory when it is missing, or was
 * removed for being empty just then.
 *
 * @throws OciError STORAGE_DAMAGED when the directory is a link out of the layout: writing through it would plant files
 *   wherever a hostile layout points.
 */
export async function inDirectory<T>(root: string, directory: string, operation: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await confinedPath(root, directory);
      return await operation();
    } catch (error) {
      if (!hasErrno(error, 'ENOENT') || attempt === 5) throw error;
      await makeDirectory(directory);
    }
  }
}

/** Renames a finished file into its place, for good. */
export async function moveIntoPlace(root: string, from: string, to: string): Promise<void> {
  await onFile('write', to, async () => {
    await inDirectory(root, dirname(to), () => rename(from, to));
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
