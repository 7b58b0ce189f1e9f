import { fileError } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';

/** The error for an archive that is damaged, incomplete or hostile. @param shown The archive's name. */
export function invalidArchive(shown: string, problem: string, hint?: string, cause?: unknown): OciError {
  return new OciError('ARCHIVE_INVALID', `${shown} ${problem}`, {
    hint: hint ?? 'make it again, or copy it again',
    cause,
  });
}

/** The error for an archive that has no end, and lacks something. @param lacking `has no index.json` */
export function cutOff(shown: string, lacking: string, cause?: unknown): OciError {
  return new OciError('ARCHIVE_INVALID', `${shown} is cut off: it has no end, and ${lacking}`, {
    hint: 'copy it again, or make it again',
    cause,
  });
}

/** Runs file operations on an archive. @throws OciError STORAGE_* for failed system calls. */
export async function onArchive<T>(action: string, file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw archiveError(error, action, file);
  }
}

export function archiveError(error: unknown, action: string, file: string): unknown {
  return fileError(error, action, file, {
    full: 'make room there, or name another directory for temporary files with $TMPDIR',
    elsewhere: 'give another file',
  });
}
