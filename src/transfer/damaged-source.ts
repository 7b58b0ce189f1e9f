import { type ErrorCode, isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { damageReport } from '../registry/extensions.ts';
import type { TransferOptions } from './options.ts';

/** The codes with which a destination reports that the content differs from its digest or size. */
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
 * Reads and verifies a blob of a local source when the destination has refused it. The content was not hashed while it
 * was sent, so only this check shows whether the source is damaged.
 *
 * @throws OciError STORAGE_DAMAGED, or what the source says, if it is; MANIFEST_UNKNOWN if the image was removed from the source
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
    // A removal deletes the manifest first. If the manifest is gone too, nothing is damaged: the missing manifest is
    // the error.
    if (cause.code === 'BLOB_UNKNOWN') await registry.statManifest(repo, from.reference, { signal });
    const report = registry.extension(damageReport);
    if (report) throw report.damaged(blob.digest, cause);
    const problem = cause.code === 'BLOB_UNKNOWN' ? 'is missing from' : 'is damaged in';
    throw new OciError('STORAGE_DAMAGED', `blob ${blob.digest} ${problem} ${registry.name}`, {
      hint: 'repair it with ocictl pull, or in a layout with another copy',
      cause,
    });
  }
}
