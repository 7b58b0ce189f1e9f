import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../../files/file-errors.ts';
import type { Entry } from '../driver.ts';
import { storageError } from './file-errors.ts';
import { keyOf } from './page.ts';

/** The entries of a directory, in the order of keys. @throws the system's error, including ENOENT. */
export async function entriesOf(directory: string): Promise<Entry[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .map((entry) => {
      const found: Entry = { name: entry.name, kind: entry.isDirectory() ? 'prefix' : 'object' };
      return { found, key: keyOf(found) };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ found }) => found);
}

/**
 * Every file below a directory whose key is after `after`, in the order of keys. A directory that disappears counts as
 * empty.
 */
export async function* filesBelow(directory: string, after: string, at = ''): AsyncGenerator<Entry> {
  const entries = await entriesOf(join(directory, at)).catch((error: unknown) => {
    if (at !== '' && hasErrno(error, 'ENOENT')) return [];
    throw at === '' ? error : storageError(error, 'list', join(directory, at));
  });
  for (const { name, kind } of entries) {
    const key = `${at}${name}`;
    if (kind === 'object') yield { name: key, kind };
    else if (`${key}/` > after || after.startsWith(`${key}/`)) yield* filesBelow(directory, after, `${key}/`);
  }
}

/**
 * Removes the empty directories below a directory, and the directory itself if it is empty then.
 *
 * @param mend Called with each file; returns whether it is gone. @returns Whether the directory is gone.
 */
export async function pruneEmpty(directory: string, mend: (file: string) => Promise<boolean>): Promise<boolean> {
  let left = 0;
  for (const { name, kind } of await entriesOf(directory).catch(() => [])) {
    const path = join(directory, name);
    if (!(await (kind === 'object' ? mend(path) : pruneEmpty(path, mend)))) left += 1;
  }
  if (left > 0) return false;
  return await rmdir(directory).then(
    () => true,
    (error: unknown) => hasErrno(error, 'ENOENT'),
  );
}
