import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';

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
