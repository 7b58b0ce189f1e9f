/** Files and directories that survive a crash; what every store on a disk is made of. */
import { closeSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno } from './file-errors.ts';
import { mkdir, openFile, stat, syncFile, writeBytes } from './system-calls.ts';

/** What distribution and other tools give their files and directories; the umask takes away from it and never adds. */
export const fileMode = 0o644;
export const directoryMode = 0o755;

/** How often a directory is made again that somebody removes for being empty. */
const maxAttempts = 20;

/** Makes a directory's entries survive a power cut. Windows has no such call and needs none. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    await withFile(await openFile(directory, 'r'), syncFile);
  } catch (error) {
    // Some network and FUSE file systems know no fsync of a directory; a directory gone meanwhile needs none.
    if (!hasErrno(error, 'EINVAL', 'ENOTSUP', 'ENOENT')) throw error;
  }
}

/**
 * Makes a new file, whose bytes survive a power cut; its entry does when the directory is synced.
 *
 * @param opts.durable Whether they do. Default true.
 */
export async function writeNew(
  file: string,
  bytes: Uint8Array,
  { durable = true }: { readonly durable?: boolean } = {},
): Promise<void> {
  await withFile(await openFile(file, 'wx', fileMode), async (descriptor) => {
    for (let written = 0; written < bytes.length; ) {
      written += (await writeBytes(descriptor, bytes, written, bytes.length - written)).bytesWritten;
    }
    if (durable) await syncFile(descriptor);
  });
}

// Once it is synced, closing has nothing to wait for.
async function withFile(descriptor: number, work: (descriptor: number) => Promise<void>): Promise<void> {
  try {
    await work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Makes a directory with its parents, durably. Not by Node's own recursion: that tries for ever where a directory exists
 * and takes no entries (`/proc`), and says ENOENT where a file system is read-only.
 */
export async function makeDirectory(directory: string): Promise<void> {
  const parent = dirname(directory);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await makeOne(directory);
    } catch (error) {
      // Whoever prunes may have taken the parent away again, for being empty.
      if (!hasErrno(error, 'ENOENT') || parent === directory || attempt === maxAttempts) throw error;
      await makeDirectory(parent);
    }
  }
}

async function makeOne(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: directoryMode });
  } catch (error) {
    // Gone again when it is looked at: ENOENT, as for a missing parent.
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
      if (!hasErrno(error, 'ENOENT') || attempt === maxAttempts) throw error;
      await makeDirectory(directory);
    }
  }
}
