import { fileError } from '../../files/file-errors.ts';

const full = 'free some space, or write the layout to another disk';
const elsewhere = 'choose another directory';

/** What a failed system call means to whoever owns the layout. Errors that are ours already pass unchanged. */
export function storageError(cause: unknown, action: string, file: string): unknown {
  return fileError(cause, action, file, { full, elsewhere });
}

/** Runs file operations, and says of their failures what was tried with which file. */
export async function onFile<T>(action: string, file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw storageError(error, action, file);
  }
}
