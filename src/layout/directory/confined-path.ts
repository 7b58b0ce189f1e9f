import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';

/**
 * Where a path leads when every link is followed.
 *
 * @param within What it may not lead out of, as in `blobs`.
 * @throws OciError STORAGE_DAMAGED when that is outside (symlink attack: a hostile layout whose blobs are links to the files
 *   of whoever copies it). ENOENT as the system gives it.
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
