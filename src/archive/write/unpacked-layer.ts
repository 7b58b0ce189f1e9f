import { HashingWriter } from '../../files/hashing-writer.ts';
import { createHasher, type Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type BlobSource, type Content, verifiedContent } from '../../registry/content.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { unpackedLayer } from '../envelope/unpacked-layer.ts';
import { TemporaryFile } from './temporary-file.ts';

/** A layer without its compression, in a temporary file. Disposing it removes the file. */
export interface UnpackedLayer extends AsyncDisposable {
  /** The digest of the uncompressed layer. */
  readonly diffId: Digest;
  /** Bytes. */
  readonly size: number;
  readonly file: TemporaryFile;
}

/**
 * Reads a layer and unpacks it. Its first bytes say how it is compressed: its type may be wrong.
 *
 * @param directory Where the temporary file is.
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH for the compressed layer; ARCHIVE_INVALID for a damaged or unknown
 * compression; STORAGE_*, and errors of the source.
 */
export async function unpackLayer(
  descriptor: Descriptor,
  source: BlobSource,
  directory: string,
  { signal }: SignalOption = {},
): Promise<UnpackedLayer> {
  const file = await TemporaryFile.createNameless(directory, `layer ${descriptor.digest}`);
  let content: Content | undefined;
  try {
    content = await verifiedContent(await source.open(0, { signal }));
    const hasher = await createHasher();
    const growing = file.appending();
    const writer = new HashingWriter(growing, hasher);
    try {
      for await (const chunk of unpackedLayer(content, descriptor)) {
        signal?.throwIfAborted();
        await writer.write(chunk);
      }
      await writer.flush();
    } finally {
      await writer.discard();
    }
    return {
      diffId: hasher.digest(),
      size: growing.size,
      file,
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    };
  } catch (error) {
    await content?.cancel().catch(() => {});
    await file[Symbol.asyncDispose]();
    throw error;
  }
}
