import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { OciError } from '../model/errors.ts';
import { hasErrno } from './file-errors.ts';

// Windows has neither.
const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a file that anybody may have put there: a pipe would hang the reader, a link lead to a device without end.
 *
 * @param shown What messages call it.
 * @throws OciError STORAGE_DAMAGED when it is a link or no file; ENOENT and others as the system gives them.
 */
export async function openRegular(path: string, shown: string): Promise<{ handle: FileHandle; size: number }> {
  const handle = await open(path, readFlags).catch((error: unknown) => {
    throw hasErrno(error, 'ELOOP', 'ENXIO') ? notRegular(shown) : error;
  });
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw notRegular(shown);
    return { handle, size: facts.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export function notRegular(shown: string): OciError {
  return new OciError('STORAGE_DAMAGED', `${shown} is no regular file`);
}
