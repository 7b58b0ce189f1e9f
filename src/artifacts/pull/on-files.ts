import { fileError } from '../../files/file-errors.ts';

/** Runs operations on a file of the user. Their errors then name the action and the file. */
export async function onFiles<T>(action: string, file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw fileError(error, action, file, {
      full: 'make room there, or name another directory with -o',
      elsewhere: 'name another directory with -o',
    });
  }
}
