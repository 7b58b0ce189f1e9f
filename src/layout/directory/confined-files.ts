/**
 * Reading files of a layout that somebody else may have made: nothing outside its directory is ever opened, whatever
 * symbolic links say, and nothing that is no file, since a pipe would hang the reader.
 */
import { type FileHandle, realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { hasErrno } from '../../files/file-errors.ts';
import { notRegular, openRegular } from '../../files/regular.ts';
import { readWhole } from '../../files/whole.ts';
import { OciError } from '../../model/errors.ts';
import { onFile } from './file-errors.ts';

/** Identifies a version of a file's content: a rename brings another inode. */
export interface FileFacts {
  readonly size: number;
  readonly version: string;
}

/** The facts of a file, or undefined when it is absent. @throws OciError STORAGE_DAMAGED */
export async function statConfined(root: string, file: string): Promise<FileFacts | undefined> {
  return await onFile('read', file, async () => {
    try {
      const facts = await stat(await confinedPath(root, file), { bigint: true });
      if (!facts.isFile()) throw notRegular(file);
      const version = [facts.dev, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs].join('-');
      return { size: Number(facts.size), version };
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  });
}

/** Opens a file for reading, or gives undefined when it is absent. @throws OciError STORAGE_DAMAGED */
export async function openConfined(
  root: string,
  file: string,
): Promise<{ readonly handle: FileHandle; readonly size: number } | undefined> {
  return await onFile('read', file, async () => {
    try {
      return await openRegular(await confinedPath(root, file), file);
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  });
}

/** Reads a small file whole. @throws OciError STORAGE_DAMAGED; TOO_LARGE before more than `maxBytes` are in memory. */
export async function readConfined(root: string, file: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const opened = await openConfined(root, file);
  if (opened === undefined) return undefined;
  const { handle } = opened;
  return await onFile('read', file, async () => {
    try {
      return await readWhole(handle.fd, file, maxBytes);
    } finally {
      await handle.close();
    }
  });
}

/**
 * Where a path leads when every link is followed.
 *
 * @throws OciError STORAGE_DAMAGED when that is outside the root (symlink attack: a hostile layout whose blobs are links
 *   to the files of whoever copies it). ENOENT as the system gives it.
 */
export async function confinedPath(root: string, path: string): Promise<string> {
  const real = await realpath(path).catch((error: unknown) => {
    throw hasErrno(error, 'ELOOP') ? damaged(path, 'is a circle of symbolic links') : error;
  });
  const inside = real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
  if (!inside) throw damaged(path, 'is a symbolic link out of the layout, which is not followed');
  return real;
}

function damaged(path: string, problem: string): OciError {
  return new OciError('STORAGE_DAMAGED', `${path} ${problem}`);
}
