import { closeSync, constants, fstatSync } from 'node:fs';
import { copyFile, link } from 'node:fs/promises';
import { hasErrno } from '../../files/file-errors.ts';
import { openedFile, readerOf } from '../../files/file-reader.ts';
import { readWhole as readOpen } from '../../files/read-whole.ts';
import { openFile, syncFile } from '../../files/system-calls.ts';
import type { ByteRange } from '../../registry/registry.ts';
import type { ObjectReader } from '../driver.ts';
import { storageError } from './file-errors.ts';

/** For opening existing files: a link gives ELOOP, and a pipe does not block. Windows has no such flags. */
export const plainFile = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Opens a file for reading from `range.start` to the exclusive `range.end`. @throws EISDIR if it is not a regular file */
export async function openReader(file: string, range?: ByteRange): Promise<ObjectReader> {
  const descriptor = await openFile(file, constants.O_RDONLY | plainFile);
  try {
    // Synchronous: for an open file fstat does not access the disk.
    const facts = fstatSync(descriptor);
    if (!facts.isFile()) throw Object.assign(new Error('it is not a regular file'), { code: 'EISDIR' });
    return readerOf(openedFile(descriptor), facts.size, range, (error) => storageError(error, 'read', file));
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Reads a file into memory. @throws OciError TOO_LARGE before more than `maxBytes` are read. */
export async function readWhole(file: string, maxBytes: number): Promise<Uint8Array> {
  const descriptor = await openFile(file, constants.O_RDONLY | plainFile);
  try {
    return await readOpen(descriptor, file, maxBytes);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Gives a file another name, unless that exists. On a file system without hard links it is copied, and a reader may see
 * the copy incomplete.
 *
 * @returns Whether the name was given.
 */
export async function linkNew(draft: string, file: string): Promise<boolean> {
  const unlessThere = (error: unknown): false => {
    if (hasErrno(error, 'EEXIST')) return false;
    throw error;
  };
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) return unlessThere(error);
  }
  try {
    await copyFile(draft, file, constants.COPYFILE_EXCL);
    await syncPath(file);
    return true;
  } catch (error) {
    return unlessThere(error);
  }
}

/** Makes a file's bytes survive a power cut. */
export async function syncPath(file: string): Promise<void> {
  const descriptor = await openFile(file, constants.O_RDONLY | plainFile);
  try {
    await syncFile(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
