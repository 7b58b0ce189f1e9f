/** Layers in another compression: the same tar, of which the image's config has the digest. */
import { readerAt } from '../archive/envelope/archive-file.ts';
import { compressed, type LayerCompression } from '../archive/envelope/compress.ts';
import { writeTemporary } from '../archive/envelope/spool.ts';
import { unpackedLayer } from '../archive/envelope/unpacked-layer.ts';
import { fileContent } from '../files/file-content.ts';
import { createHasher, type Digest, digestAlgorithm, type Hasher } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { BlobSource } from '../registry/content.ts';

/** A layer in its new compression. */
export interface RecompressedLayer {
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
  /** The digest of the uncompressed bytes. */
  readonly diffId: Digest;
  /** Removes its temporary file. */
  close(): void;
}

/** Annotations that describe the bytes of a layer in one compression: tables of contents in zstd:chunked and eStargz. */
const aboutBytes = [
  'io.github.containers.zstd-chunked.',
  'io.containers.zstd-chunked.',
  'containerd.io/snapshot/stargz/',
  'io.containers.estargz.',
];

/** The annotations of a layer that are still true in another compression. */
export function keptAnnotations({ annotations = {} }: Descriptor): Readonly<Record<string, string>> {
  const entries = Object.entries(annotations);
  return Object.fromEntries(entries.filter(([name]) => !aboutBytes.some((prefix) => name.startsWith(prefix))));
}

/**
 * Reads a layer once, and writes it in its new compression to a temporary file that only this process has: its digest must
 * be known before it is sent.
 *
 * @param mediaType What it is afterwards.
 * @throws OciError ARCHIVE_INVALID for a damaged compression, TOO_LARGE for a bomb, STORAGE_*, and what the source throws.
 */
export async function recompress(
  descriptor: Descriptor,
  source: BlobSource,
  compression: LayerCompression,
  mediaType: string,
): Promise<RecompressedLayer> {
  const [unpacked, packed] = [await createHasher(), await createHasher(digestAlgorithm(descriptor.digest))];
  const content = await source.open(0);
  const layer = hashed(unpackedLayer(content, descriptor), unpacked);
  try {
    const shown = `layer ${descriptor.digest}`;
    const file = await writeTemporary(hashed(compressed(layer, compression), packed), shown, 'convert');
    const { size } = file;
    const annotations = keptAnnotations(descriptor);
    const isSame = Object.keys(annotations).length === Object.keys(descriptor.annotations ?? {}).length;
    const made = { mediaType, digest: packed.digest(), size, ...(!isSame && { annotations }) };
    return {
      descriptor: made,
      diffId: unpacked.digest(),
      source: {
        open: async (start, opts) => fileContent(made, readerAt(file, { offset: 0, size }, { start }), opts),
      },
      close: () => file.close(),
    };
  } catch (error) {
    await content.cancel().catch(() => {});
    throw error;
  }
}

async function* hashed(source: AsyncIterable<Uint8Array>, hasher: Hasher): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    hasher.update(chunk);
    yield chunk;
  }
}
