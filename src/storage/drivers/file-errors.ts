import { OciError } from '../../model/errors.ts';

/** Whether a system call failed with one of these `errno` names. */
export function hasErrno(error: unknown, ...names: string[]): boolean {
  return error instanceof Error && 'code' in error && names.includes(String(error.code));
}

export const elsewhere = 'choose another directory for the store with $OCICTL_ROOT';

/** What a failed system call means to whoever owns the store. Errors that are ours already pass unchanged. */
export function storageError(cause: unknown, action: string, file: string): unknown {
  if (cause instanceof OciError || !(cause instanceof Error) || !('code' in cause)) return cause;
  const what = `cannot ${action} ${file}`;
  if (hasErrno(cause, 'ENOSPC')) {
    return new OciError('STORAGE_FULL', `${what}: no space is left on the device`, {
      cause,
      hint: 'free some space, or remove images that are not needed; what was downloaded so far is kept',
    });
  }
  if (hasErrno(cause, 'EDQUOT')) {
    return new OciError('STORAGE_FULL', `${what}: the disk quota is used up`, {
      cause,
      hint: 'free some space, or ask for a larger quota; what was downloaded so far is kept',
    });
  }
  if (hasErrno(cause, 'EROFS')) {
    return new OciError('STORAGE_DENIED', `${what}: the file system is read-only`, {
      cause,
      hint: elsewhere,
    });
  }
  if (hasErrno(cause, 'EACCES', 'EPERM')) {
    return new OciError('STORAGE_DENIED', `${what}: permission denied`, {
      cause,
      hint: `check who owns the directory, or ${elsewhere}`,
    });
  }
  return new OciError('STORAGE', `${what}: ${cause.message}`, { cause, hint: elsewhere });
}
