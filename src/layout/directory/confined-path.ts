import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';

/**
 * Resolves a path with all links followed.
 *
 * @param within A subdirectory that it must not leave, such as `blobs`.
 * @throws OciError STORAGE_DAMAGED if it leads outside (symlink attack: in a hostile layout, blobs may be links to
 * files of the user who copies it). The system's ENOENT.
 */
export async function confinedPath(root: string, path: string, within?: string): Promise<string> {
  const real = await realpath(path).catch((error: unknown) => {
    throw hasErrno(error, 'ELOOP') ? damaged(path, 'is a circle of symbolic links') : error;
  });
  const bounds = within === undefined ? root : join(root, within);
  const inside = real === bounds || real.startsWith(bounds.endsWith(sep) ? bounds : bounds + sep);
  if (inside) return real;
  const where = within === undefined ? 'out of the layout' : `out of the layout's ${within}`;
  throw damaged(path, `is a symbolic link ${where}, which is not followed`);
}

function damaged(path: string, problem: string): OciError {
  return new OciError('STORAGE_DAMAGED', `${path} ${problem}`, {
    hint: 'put what it leads to in its place, or copy the image into another directory',
  });
}
