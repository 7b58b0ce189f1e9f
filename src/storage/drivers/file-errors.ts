import { fileError, hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';

export const elsewhere = 'choose another directory for the store with $OCICTL_ROOT';
const full = 'free some space, or remove images that are not needed; what was downloaded so far is kept';

/** What a failed system call means to whoever owns the store. Errors that are ours already pass unchanged. */
export function storageError(cause: unknown, action: string, file: string): unknown {
  // Without following the last part, a link is one too many.
  if (hasErrno(cause, 'ELOOP')) return isLink(file);
  return fileError(cause, action, file, { full, elsewhere });
}

export function isLink(file: string): OciError {
  return new OciError('STORAGE_DAMAGED', `${file} is a symbolic link, which is not followed within a store`, {
    hint: 'put what it points at in its place, or mount it there; the directory of the whole store may be a link',
  });
}
