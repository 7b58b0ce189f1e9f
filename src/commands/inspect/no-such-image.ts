import type { Place } from '../../app/context.ts';
import { isOciError, OciError } from '../../model/errors.ts';

/** Reads from an end; what the local store does not have is told in Docker's words. @throws OciError IMAGE_UNKNOWN */
export async function orNoSuchImage<T>({ kind, name }: Place, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (kind !== 'store' || !isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) throw error;
    throw new OciError('IMAGE_UNKNOWN', `No such image: ${name.replace(/^store:/, '')}`, {
      cause: error,
      hint: 'ocictl images lists what is in the local store',
    });
  }
}
