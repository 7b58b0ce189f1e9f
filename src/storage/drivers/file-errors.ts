import { fileError, hasErrno } from '../../files/file-errors.ts';
import { isLink, isNoFile } from '../hidden.ts';

export const elsewhere = 'choose another directory for the store with $OCICTL_ROOT';
const full = 'free some space, or remove images that are not needed; what was downloaded so far is kept';

/** The error for a failed system call, in terms of the store. An OciError is returned unchanged. */
export function storageError(cause: unknown, action: string, file: string): unknown {
  // With O_NOFOLLOW, ELOOP means that the path is a link.
  if (hasErrno(cause, 'ELOOP')) return isLink(file);
  // A directory or a pipe; a socket, or a device without a driver.
  if (hasErrno(cause, 'EISDIR', 'ENXIO')) return isNoFile(file, cause);
  return fileError(cause, action, file, { full, elsewhere });
}
