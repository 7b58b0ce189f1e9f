import { HashingWriter } from '../../files/hashing-writer.ts';
import { createHasher, digestAlgorithm } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type BlobSource, digestMismatch } from '../../registry/content.ts';
import { receiveBlob } from '../../registry/receive.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { TemporaryFile } from './temporary-file.ts';

/**
 * Writes a blob to a file of a directory that this process alone writes to. The file is there when its bytes are verified.
 *
 * @param file.path The file, in that directory.
 * @param file.shown Its name in messages.
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH, STORAGE_*, and errors of the source.
 */
export async function writeBlobFile(
  file: { readonly directory: string; readonly path: string; readonly shown: string },
  descriptor: Descriptor,
  source: BlobSource,
  { signal }: SignalOption = {},
): Promise<void> {
  const { digest } = descriptor;
  await using temporary = await TemporaryFile.create(file.directory, file.shown);
  const hasher = await createHasher(digestAlgorithm(digest));
  const writer = new HashingWriter(temporary.appending(), hasher);
  try {
    await receiveBlob(descriptor, source, writer, signal);
    await writer.flush();
  } finally {
    await writer.discard();
  }
  const got = hasher.digest();
  if (got !== digest) throw digestMismatch(digest, got);
  await temporary.moveTo(file.path);
}
