import { fileError, hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';

export const elsewhere = 'choose another directory for the store with $OCICTL_ROOT';
const full = 'free some space, or remove images that are not needed; what was downloaded so far is kept';

/** The error for a failed system call, in terms of the store. An OciError is returned unchanged. */
export function storageError(cause: unknown, action: string, file: string): unknown {
  // With O_NOFOLLOW, ELOOP means that the path is a link.
  if (hasErrno(cause, 'ELOOP')) return isLink(file);
  return fileError(cause, action, file, { full, elsewhere });
}

export function isLink(file: string): OciError {
  return new OciError('STORAGE_DAMAGED', `${file} is a symbolic link, which is not followed within a store`, {
    hint: 'replace it by its target, or mount the target there; only the directory of the whole store may be a link',
  });
}
