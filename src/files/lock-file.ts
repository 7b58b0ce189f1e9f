/** The file of one lock: how its holder and waiting processes read and change it. lock.ts decides who holds it. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { hasErrno } from './file-errors.ts';
import { openRegular } from './open-regular.ts';

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

/** The file of the lock that a process must hold to remove this one lock of a holder that is gone: texts are unique. */
export function evictionOf(file: string, { text }: Look): string {
  return `${file}.${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}
