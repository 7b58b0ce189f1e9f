import { type ErrorCode, isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { TransferOptions } from './options.ts';

/** How a destination says that what came is not what was announced. */
const contentCodes: readonly ErrorCode[] = [
  'DIGEST_MISMATCH',
  'SIZE_MISMATCH',
  'DIGEST_INVALID',
  'SIZE_INVALID',
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'RANGE_INVALID',
];

/**
 * Reads a blob of a local source once more when its destination would not have it: no byte is hashed on the way out, so
 * only now it shows whose fault it is.
 *
 * @throws OciError STORAGE_DAMAGED where it is the source's; MANIFEST_UNKNOWN where the source has it no more
 */
export async function refuseDamagedSource(
  failure: unknown,
  blob: Descriptor,
  { from, signal }: Pick<TransferOptions, 'from' | 'signal'>,
): Promise<void> {
  if (!from.sparse || signal?.aborted || !isOciError(failure, ...contentCodes)) return;
  const { registry, repo } = from;
  try {
    const content = await registry.getBlob(repo, blob, { signal });
    await content.drainTo({ write: async () => {} }, { signal });
  } catch (cause) {
    if (!isOciError(cause, 'DIGEST_MISMATCH', 'SIZE_MISMATCH', 'BLOB_UNKNOWN')) throw cause;
    // Who removes an image takes its manifest first: then nothing is damaged, and that is what is missing.
    if (cause.code === 'BLOB_UNKNOWN') await registry.statManifest(repo, from.reference, { signal });
    const problem = cause.code === 'BLOB_UNKNOWN' ? 'is missing from' : 'is damaged in';
    throw new OciError('STORAGE_DAMAGED', `blob ${blob.digest} ${problem} ${registry.name}`, {
      hint: 'repair it with ocictl pull, or in a layout with another copy',
      cause,
    });
  }
}
