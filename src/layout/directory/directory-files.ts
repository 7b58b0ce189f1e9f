import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../../files/file-errors.ts';
import { readerOf } from '../../files/file-reader.ts';
import { notRegular, openRegular } from '../../files/open-regular.ts';
import { readWhole } from '../../files/read-whole.ts';
import type { LayoutFiles } from '../format/files.ts';
import { blobsPath } from '../format/paths.ts';
import { confinedPath } from './confined-path.ts';
import { onFile, storageError } from './file-errors.ts';

/**
 * The files of a directory that another user may have made. Nothing outside of it is opened, whatever symbolic links it
 * contains; and only regular files are, because a pipe would block the reader.
 *
 * @param root With all links followed.
 */
export function createDirectoryFiles(root: string): LayoutFiles {
  const shown = (path: string): string => join(root, path);

  async function found<T>(path: string, operation: (real: string, file: string) => Promise<T>): Promise<T | undefined> {
    const file = shown(path);
    return await onFile('read', file, async () => {
      try {
        // A blob may be a link to another blob, but not to anything else.
        const within = path.startsWith(`${blobsPath}/`) ? blobsPath : undefined;
        return await operation(await confinedPath(root, file, within), file);
      } catch (error) {
        if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
        throw error;
      }
    });
  }

  return {
    shown,
    remedy: 'copy the whole layout again, or write the image to it again',

    async stat(path) {
      return await found(path, async (real, file) => {
        const facts = await stat(real, { bigint: true });
        if (!facts.isFile()) throw notRegular(file);
        // A rename changes the inode.
        const version = [facts.dev, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs].join('-');
        return { size: Number(facts.size), version };
      });
    },

    async read(path, maxBytes) {
      return await found(path, async (real, file) => {
        const { handle } = await openRegular(real, file);
        try {
          return await readWhole(handle.fd, file, maxBytes);
        } finally {
          await handle.close();
        }
      });
    },

    async open(path, range) {
      return await found(path, async (real, file) => {
        const { handle, size } = await openRegular(real, file);
        return readerOf(handle, size, range, (error) => storageError(error, 'read', file));
      });
    },

    async list(path) {
      return (await found(path, (real) => readdir(real))) ?? [];
    },
  };
}
