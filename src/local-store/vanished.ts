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

/** @returns Whether it was this deletion that removed it; `needed` where the deletion gives false, since it has to stay. */
export async function removedHere(deletion: Promise<unknown>): Promise<boolean | 'needed'> {
  return (await unlessUnknown(deletion.then((did) => (did === false ? 'needed' : true)))) ?? false;
}
