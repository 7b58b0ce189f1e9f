/** One lock's file, as its holder and those who wait for it see it; lock.ts says whose it is. */
import { type FileHandle, link, rename, unlink } from 'node:fs/promises';
import { hasErrno } from './file-errors.ts';
import { openRegular } from './open-regular.ts';
import { newProcessId } from './process-id.ts';

/** More than any holder writes. */
const maxTextBytes = 1024;

/** What is seen of a lock. */
export interface Look {
  readonly text: string;
  readonly modifiedMs: number;
  /** Changes with every sign of life, and with the holder. */
  readonly mark: string;
}

/** Shows that a holder lives. The heart beats on the open file, not on its name, which may have become somebody else's. */
export function startHeart(handle: FileHandle, everyMs: number): { stop(): Promise<void> } {
  const heart = setInterval(() => {
    const now = new Date();
    handle.utimes(now, now).catch(() => {});
  }, everyMs);
  heart.unref();
  return {
    async stop() {
      clearInterval(heart);
      await handle.close().catch(() => {});
    },
  };
}

/** What is in a lock, or undefined where there is none. @throws OciError STORAGE_DAMAGED where it is no file. */
export async function look(file: string): Promise<Look | undefined> {
  try {
    const { handle } = await openRegular(file, file);
    try {
      const { mtimeMs } = await handle.stat();
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxTextBytes), 0, maxTextBytes, 0);
      const text = buffer.toString('utf8', 0, bytesRead);
      return { text, modifiedMs: mtimeMs, mark: `${mtimeMs} ${text}` };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Takes a stale lock away. Renaming takes it from exactly one of several that found it stale; what was taken is then
 * looked at again, because another may have taken it over in between, or its holder have come to life. Such a one is put
 * back; where it cannot be, its holder notices when it checks.
 */
export async function evict(file: string, stale: Look): Promise<void> {
  const taken = `${file}.${newProcessId()}`;
  try {
    await rename(file, taken);
    if ((await look(taken))?.mark !== stale.mark) await link(taken, file).catch(() => {});
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  } finally {
    await unlink(taken).catch(() => {});
  }
}
