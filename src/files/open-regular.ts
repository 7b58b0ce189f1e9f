import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { OciError } from '../model/errors.ts';
import { hasErrno } from './file-errors.ts';

// Windows has neither O_NOFOLLOW nor O_NONBLOCK.
const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a file in a directory that others may write to: a pipe would block the reader, and a link could lead to an
 * endless device.
 *
 * @param shown Its name in messages.
 * @throws OciError STORAGE_DAMAGED if it is a link or not a regular file; ENOENT and other errors of the system.
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
  return new OciError('STORAGE_DAMAGED', `${shown} is not a regular file`, {
    hint: 'a directory, a pipe or a link is in its place: remove it, and bring the image again',
  });
}
