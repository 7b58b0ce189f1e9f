import { fileError } from '../../files/file-errors.ts';

const full = 'free some space, or write the layout to another disk';
const elsewhere = 'choose another directory';

/** The error for a failed system call, in terms of the layout. An OciError is returned unchanged. */
export function storageError(cause: unknown, action: string, file: string): unknown {
  return fileError(cause, action, file, { full, elsewhere });
}

/** Runs file operations. Their errors then name the action and the file. */
export async function onFile<T>(action: string, file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw storageError(error, action, file);
  }
}
