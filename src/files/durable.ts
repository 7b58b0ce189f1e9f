/** Files and directories that survive a crash; what every store on a disk is made of. */
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasErrno } from './file-errors.ts';

/** What distribution and other tools give their files and directories; the umask takes away from it and never adds. */
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

/**
 * Makes a directory with its parents, durably. Not by Node's own recursion: that tries for ever where a directory exists
 * and takes no entries (`/proc`), and says ENOENT where a file system is read-only.
 */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    await makeOne(directory);
  } catch (error) {
    const parent = dirname(directory);
    if (!hasErrno(error, 'ENOENT') || parent === directory) throw error;
    await makeDirectory(parent);
    await makeOne(directory);
  }
}

async function makeOne(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: directoryMode });
  } catch (error) {
    if (!hasErrno(error, 'EEXIST') || !(await stat(directory)).isDirectory()) throw error;
    return;
  }
  await syncDirectory(dirname(directory));
}

/**
 * Runs an operation that puts a file into a directory, and makes the directory when it is missing: first, or because
 * somebody removed it for being empty just then.
 */
export async function inDirectory<T>(directory: string, operation: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await operation();
    } catch (error) {
      if (!hasErrno(error, 'ENOENT') || attempt === 5) throw error;
      await makeDirectory(directory);
    }
  }
}
