import { fileError } from '../../files/file-errors.ts';

export const elsewhere = 'choose another directory for the store with $OCICTL_ROOT';
const full = 'free some space, or remove images that are not needed; what was downloaded so far is kept';

/** What a failed system call means to whoever owns the store. Errors that are ours already pass unchanged. */
export function storageError(cause: unknown, action: string, file: string): unknown {
  return fileError(cause, action, file, { full, elsewhere });
}
