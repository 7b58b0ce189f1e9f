import { digestAlgorithm } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type BlobSource, digestMismatch } from '../../registry/content.ts';
import { receiveBlob } from '../../registry/receive.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { BlobFile } from './blob-file.ts';
import { onFile } from './file-errors.ts';
import { blobFile, type LayoutDirectory } from './layout-directory.ts';
import { moveIntoPlace, removeFile } from './move.ts';

/**
 * Writes a blob to a temporary file, hashes it meanwhile, and renames it when it is complete. The source is opened
 * once, at its first byte.
 *
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH, STORAGE_*, and errors of the source; nothing is kept then.
 */
export async function writeBlob(
  layout: LayoutDirectory,
  descriptor: Descriptor,
  source: BlobSource,
  opts?: SignalOption,
): Promise<void> {
  const { root, work } = layout;
  const algorithm = digestAlgorithm(descriptor.digest);
  const path = work.newFile('blob');
  const file = await onFile('write', path, () => work.within(() => BlobFile.create(path, algorithm)));
  try {
    await receiveBlob(descriptor, source, file, opts?.signal);
    const got = await file.digest(algorithm);
    if (got !== descriptor.digest) throw digestMismatch(descriptor.digest, got);
    await file.finish();
    opts?.signal?.throwIfAborted();
    await moveIntoPlace(root, path, blobFile(layout, descriptor.digest));
  } catch (error) {
    await file.close().catch(() => {});
    await removeFile(path).catch(() => {});
    throw error;
  } finally {
    await work.leave();
  }
}
