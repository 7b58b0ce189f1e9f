/** Files and directories that survive a crash; what every store on a disk is made of. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
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

/** Makes a directory with its parents, durably. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: directoryMode }).catch(realReason);
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
}

// Node's recursive mkdir says ENOENT of a file system that is read-only; the plain one says so.
async function realReason(error: NodeJS.ErrnoException): Promise<never> {
  if (hasErrno(error, 'ENOENT') && error.path !== undefined) await mkdir(error.path);
  throw error;
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
