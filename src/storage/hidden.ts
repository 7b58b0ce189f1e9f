/** What a file system has in place of a directory, or of a file, hides what belongs there, which must not count as absent. */
import { OciError } from '../model/errors.ts';
import type { Driver, Entry, StorePath } from './driver.ts';
import { childPath } from './paths.ts';

/** The error for a symbolic link within a store, which is not followed. */
export function isLink(file: string): OciError {
  return new OciError('STORAGE_DAMAGED', `${file} is a symbolic link, which is not followed within a store`, {
    hint: 'replace it by its target, or mount the target there; only the directory of the whole store may be a link',
  });
}

/** The error for a file within a store in place of a directory. */
export function isFile(file: string): OciError {
  return new OciError('STORAGE_DAMAGED', `${file} is a file, where the store has a directory`, {
    hint: 'move it out of the store, and put the directory back there if there was one',
  });
}

/** The error for a directory within a store in place of a file, or for a pipe. */
export function isNoFile(file: string, cause?: unknown): OciError {
  const hint = 'remove it: no registry has made it';
  return new OciError('STORAGE_DAMAGED', `${file} is no file`, { cause, hint });
}

/**
 * To be called with each entry where a prefix is expected.
 *
 * @throws OciError STORAGE_DAMAGED if it is something else that hides what is below.
 */
export async function refuseHiding(driver: Driver, prefix: StorePath, entry: Entry): Promise<void> {
  // A driver for which an object hides nothing lists what is below it.
  if (entry.kind === 'object') await driver.list(childPath(prefix, entry), { limit: 1 });
}
