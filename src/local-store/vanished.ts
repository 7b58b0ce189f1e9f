/** Other processes may remove images at the same time. What they removed counts as absent, not as an error. */
import { isOciError, unlessUnknown } from '../model/errors.ts';

/** The entries of a repository; they end if the repository is removed. */
export async function* entriesWhileThere<T>(entries: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* entries;
  } catch (error) {
    if (!isOciError(error, 'NAME_UNKNOWN')) throw error;
  }
}

/** @returns Whether this deletion removed it; `needed` if the deletion returned false because it has to be kept. */
export async function removedHere(deletion: Promise<unknown>): Promise<boolean | 'needed'> {
  return (await unlessUnknown(deletion.then((did) => (did === false ? 'needed' : true)))) ?? false;
}
