import { HashingWriter } from '../../files/hashing-writer.ts';
import { createHasher, type Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type BlobSource, type Content, verifiedContent } from '../../registry/content.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { compressionOf, decompressed, magicBytes } from '../envelope/compression.ts';
import { invalidArchive } from '../envelope/errors.ts';
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
    const growing = {
      size: 0,
      write: async (chunk: Uint8Array): Promise<void> => {
        const position = growing.size;
        growing.size += chunk.length;
        await file.writeAt(chunk, position);
      },
    };
    const writer = new HashingWriter(growing, hasher);
    try {
      for await (const chunk of unpack(content, descriptor)) {
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

async function* unpack(
  content: AsyncIterable<Uint8Array>,
  { digest }: Descriptor,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = content[Symbol.asyncIterator]();
  let first = new Uint8Array(0);
  let ended = false;
  while (first.length < magicBytes && !ended) {
    const { value, done } = await chunks.next();
    if (done) ended = true;
    else first = Buffer.concat([first, value]);
  }
  const whole = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield first;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  };
  const compression = compressionOf(first);
  const shown = `layer ${digest}`;
  if (compression === 'none') return yield* whole();
  if (compression === 'gzip' || compression === 'zstd') return yield* decompressed(whole(), compression, { shown });
  await chunks.return?.();
  throw invalidArchive(shown, `is compressed with ${compression}, which no program unpacks in an image`);
}
