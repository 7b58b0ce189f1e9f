import { OciError } from '../model/errors.ts';
import { isOutOfMemory, outOfMemory } from '../model/out-of-memory.ts';

/** Whether a system call failed with one of these `errno` names. */
export function hasErrno(error: unknown, ...names: string[]): boolean {
  return error instanceof Error && 'code' in error && names.includes(String(error.code));
}

/** Hints for the owner of the files. */
interface FileHints {
  /** If the disk is full. */
  readonly full: string;
  /** If the location itself is the problem. */
  readonly elsewhere: string;
}

/** The error for a failed system call, in terms of the file. An OciError is returned unchanged. */
export function fileError(cause: unknown, action: string, file: string, { full, elsewhere }: FileHints): unknown {
  if (cause instanceof OciError || !(cause instanceof Error) || !('code' in cause)) return cause;
  if (isOutOfMemory(cause)) return outOfMemory(`${action} ${file}`, { cause });
  const what = `cannot ${action} ${file}`;
  if (hasErrno(cause, 'ENOSPC', 'EDQUOT')) {
    const reason = hasErrno(cause, 'EDQUOT') ? 'the disk quota is used up' : 'no space is left on the device';
    return new OciError('STORAGE_FULL', `${what}: ${reason}`, { cause, hint: full });
  }
  if (hasErrno(cause, 'EROFS')) {
    return new OciError('STORAGE_DENIED', `${what}: the file system is read-only`, { cause, hint: elsewhere });
  }
  if (hasErrno(cause, 'EACCES', 'EPERM')) {
    const hint = `check who owns the directory, or ${elsewhere}`;
    return new OciError('STORAGE_DENIED', `${what}: permission denied`, { cause, hint });
  }
  if (hasErrno(cause, 'ENOTDIR')) {
    return new OciError('STORAGE', `${what}: a part of this path is a file, not a directory`, {
      cause,
      hint: elsewhere,
    });
  }
  return new OciError('STORAGE', `${what}: ${cause.message}`, { cause, hint: elsewhere });
}
