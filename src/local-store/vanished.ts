/** Other processes remove images at the same time: what they have removed is gone, and no error. */
import { isOciError, unlessUnknown } from '../model/errors.ts';

/** Entries of a repository: none once it is removed. */
export async function* entriesWhileThere<T>(entries: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* entries;
  } catch (error) {
    if (!isOciError(error, 'NAME_UNKNOWN')) throw error;
  }
}

/** @returns Whether it was this deletion that removed it. */
export async function removedHere(deletion: Promise<void>): Promise<boolean> {
  return (await unlessUnknown(deletion.then(() => true))) ?? false;
}
