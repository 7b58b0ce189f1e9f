import { fileError, hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';
import { isLink } from '../symbolic-links.ts';

export const elsewhere = 'choose another directory for the store with $OCICTL_ROOT';
const full = 'free some space, or remove images that are not needed; what was downloaded so far is kept';

/** The error for a failed system call, in terms of the store. An OciError is returned unchanged. */
export function storageError(cause: unknown, action: string, file: string): unknown {
  // With O_NOFOLLOW, ELOOP means that the path is a link.
  if (hasErrno(cause, 'ELOOP')) return isLink(file);
  // A socket, or a device without a driver.
  if (hasErrno(cause, 'ENXIO')) {
    const hint = 'remove it: no registry has made it';
    return new OciError('STORAGE_DAMAGED', `${file} is no file`, { cause, hint });
  }
  return fileError(cause, action, file, { full, elsewhere });
}
