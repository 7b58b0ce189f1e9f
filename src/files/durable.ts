/** Writes of files and directories that survive a crash. Every store on a disk uses them. */
import { closeSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno } from './file-errors.ts';
import { appendBytes, appendSynced, mkdir, openFile, stat, syncFile } from './system-calls.ts';

/** The modes that distribution and other tools use. The umask can remove bits of them, but not add any. */
export const fileMode = 0o644;
export const directoryMode = 0o755;

/** A pipe in place of the directory is not waited for. Windows has no such flag. */
const directoryFlags = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0);

/** How often a directory is created again, if another process keeps removing it because it is empty. */
const maxAttempts = 20;

/**
 * Linux: each write returns when its bytes would survive a power cut, which saves a call for every small file. On macOS it
 * would not flush the disk's own cache, as fsync does there.
 */
const syncedWrites = process.platform === 'linux' ? constants.O_DSYNC : 0;

interface RunningSync {
  readonly running: Promise<void>;
  /** The one after it, if anybody waits for it. */
  next: Promise<void> | undefined;
}

const syncs = new Map<string, RunningSync>();

/**
 * Makes a directory's entries survive a power cut. Calls that come while one is running share the next one, so that many
 * files in a directory need few syncs. Windows has no such call and needs none.
 */
export function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return Promise.resolve();
  const known = syncs.get(directory);
  if (!known) return beginSync(directory);
  // The running one may have begun before the caller's entry was there.
  known.next ??= known.running.catch(() => {}).then(() => beginSync(directory));
  return known.next;
}

function beginSync(directory: string): Promise<void> {
  const entry: RunningSync = { running: sync(directory), next: undefined };
  syncs.set(directory, entry);
  const end = (): void => void (entry.next || syncs.delete(directory));
  entry.running.then(end, end);
  return entry.running;
}

async function sync(directory: string): Promise<void> {
  try {
    await withFile(await openFile(directory, directoryFlags), syncFile);
  } catch (error) {
    // Some network and FUSE file systems do not support fsync of a directory; a directory that was removed needs none.
    if (!hasErrno(error, 'EINVAL', 'ENOTSUP', 'ENOENT')) throw error;
  }
}

/**
 * Creates a file. Its bytes survive a power cut; its directory entry does too once {@link syncDirectory} was called.
 *
 * @param opts.durable Whether to sync the bytes. Default true.
 * @param opts.mode Its permissions. Default {@link fileMode}.
 */
export async function writeNew(
  file: string,
  bytes: Uint8Array,
  { durable = true, mode = fileMode }: { readonly durable?: boolean; readonly mode?: number | undefined } = {},
): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (durable ? syncedWrites : 0);
  const append = durable && syncedWrites !== 0 ? appendSynced : appendBytes;
  await withFile(await openFile(file, flags, mode), async (descriptor) => {
    for (let written = 0; written < bytes.length; ) {
      written += await append(descriptor, bytes, written, bytes.length - written);
    }
    if (durable && (syncedWrites === 0 || bytes.length === 0)) await syncFile(descriptor);
  });
}

// After the fsync, closing has nothing left to wait for.
async function withFile(descriptor: number, work: (descriptor: number) => Promise<void>): Promise<void> {
  try {
    await work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Creates a directory with its parents, durably. Node's own recursion is not used: it loops forever if a directory
 * exists but accepts no entries (`/proc`), and reports ENOENT on a read-only file system.
 */
export async function makeDirectory(directory: string): Promise<void> {
  const parent = dirname(directory);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await makeOne(directory);
    } catch (error) {
      // Another process may have removed the parent again because it was empty.
      if (!hasErrno(error, 'ENOENT') || parent === directory || attempt === maxAttempts) throw error;
      await makeDirectory(parent);
    }
  }
}

async function makeOne(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: directoryMode });
  } catch (error) {
    // If it is gone again by now, stat throws ENOENT, the same error as for a missing parent.
    if (!hasErrno(error, 'EEXIST') || !(await stat(directory)).isDirectory()) throw error;
    return;
  }
  await syncDirectory(dirname(directory));
}

/**
 * Runs an operation that creates a file in a directory. If the directory is missing, it is created and the operation
 * repeated: another process may have removed it while it was empty.
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
