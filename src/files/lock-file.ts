/** The file of one lock: how its holder and waiting processes read and change it. lock.ts decides who holds it. */
import { type FileHandle, link, rename, unlink } from 'node:fs/promises';
import { hasErrno } from './file-errors.ts';
import { openRegular } from './open-regular.ts';
import { newProcessId } from './process-id.ts';

/** More than any holder writes. */
const maxTextBytes = 1024;

/** The state of a lock file at one moment. */
export interface Look {
  readonly text: string;
  readonly modifiedMs: number;
  /** Changes with every heartbeat, and with the holder. */
  readonly mark: string;
}

/** Shows that the holder is alive. It touches the open file, not the path, which may be another holder's file by now. */
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

/** The content of a lock file; undefined if there is none. @throws OciError STORAGE_DAMAGED if it is not a regular file. */
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
 * Removes a stale lock. Only one process succeeds in renaming it. The renamed file is then read again, because
 * meanwhile another process may have taken it over, or the holder may have resumed. Then it is put back; if that fails,
 * its holder notices at its next check.
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
