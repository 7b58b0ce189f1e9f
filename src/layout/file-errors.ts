import { OciError } from '../model/errors.ts';

/** Whether a system call failed with one of these `errno` names. */
export function hasErrno(error: unknown, ...names: string[]): boolean {
  return error instanceof Error && 'code' in error && names.includes(String(error.code));
}

/** What a failed system call means to whoever owns the layout. Errors that are ours already pass unchanged. */
export function storageError(cause: unknown, action: string, file: string): unknown {
  if (cause instanceof OciError || !(cause instanceof Error) || !('code' in cause)) return cause;
  const what = `cannot ${action} ${file}`;
  if (hasErrno(cause, 'ENOSPC', 'EDQUOT')) {
    const reason = hasErrno(cause, 'EDQUOT') ? 'the disk quota is used up' : 'no space is left on the device';
    return new OciError('STORAGE_FULL', `${what}: ${reason}`, {
      cause,
      hint: 'free some space, or write the layout to another disk',
    });
  }
  if (hasErrno(cause, 'EROFS')) {
    return new OciError('STORAGE_DENIED', `${what}: the file system is read-only`, { cause });
  }
  if (hasErrno(cause, 'EACCES', 'EPERM')) {
    return new OciError('STORAGE_DENIED', `${what}: permission denied`, {
      cause,
      hint: 'check who owns the directory, or choose another one',
    });
  }
  return new OciError('STORAGE', `${what}: ${cause.message}`, { cause });
}

/** Runs file operations, and says of their failures what was tried with which file. */
export async function onFile<T>(action: string, file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw storageError(error, action, file);
  }
}
