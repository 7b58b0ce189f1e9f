import { createHasher, type Digest, digestAlgorithm, type Hasher } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { compressionOf, decompressed, magicBytes } from '../envelope/compression.ts';
import { invalidArchive } from '../envelope/errors.ts';
import { type ArchiveFiles, chunksOf } from '../files.ts';

/** A layer as it is in the archive. */
export interface SavedLayer {
  readonly path: string;
  readonly compression: 'none' | 'gzip' | 'zstd';
  readonly digest: Digest;
  readonly size: number;
  /** The digest of the layer uncompressed, according to the config. */
  readonly diffId: Digest;
}

/**
 * Describes a layer; undefined if it is missing. One that is not compressed has the digest that the config names, which is
 * checked by whoever reads it. A compressed one is read for its digest, once however many images have it.
 *
 * @throws OciError ARCHIVE_INVALID for a layer that is compressed with something else
 */
export type DescribeLayer = (path: string, diffId: Digest) => Promise<SavedLayer | undefined>;

export function createLayerDescriber(files: ArchiveFiles, signal: AbortSignal | undefined): DescribeLayer {
  const stored = new Map<string, StoredLayer | undefined>();
  return async (path, diffId) => {
    if (!stored.has(path)) stored.set(path, await readStored(files, path, signal));
    const layer = stored.get(path);
    return layer && { path, ...layer, digest: layer.digest ?? diffId, diffId };
  };
}

/** What the file of a layer says, whatever the config says of it. */
interface StoredLayer extends Pick<SavedLayer, 'compression' | 'size'> {
  /** Of a compressed one. */
  readonly digest?: Digest;
}

async function readStored(
  files: ArchiveFiles,
  path: string,
  signal: AbortSignal | undefined,
): Promise<StoredLayer | undefined> {
  const reader = await files.open(path, { start: 0, end: magicBytes });
  if (reader === undefined) return undefined;
  const first = Buffer.alloc(magicBytes);
  const compression = compressionOf(first.subarray(0, await reader.read(first)));
  const { size } = reader;
  if (compression === 'none') return { compression, size };
  if (compression === 'xz' || compression === 'bzip2') {
    throw invalidArchive(files.archive, `has a layer that is compressed with ${compression}: ${path}`);
  }
  const hasher = await createHasher();
  await hashAll(chunksOf(files, path, signal), hasher);
  return { compression, digest: hasher.digest(), size };
}

/**
 * Unpacks a compressed layer and compares it with the config: a config that names other layers than the archive has would make
 * another image of it.
 *
 * @throws OciError DIGEST_MISMATCH; ARCHIVE_INVALID for damaged compression, TOO_LARGE for a bomb
 */
export async function checkDiffId(files: ArchiveFiles, layer: SavedLayer, signal?: AbortSignal): Promise<void> {
  const { path, compression, diffId } = layer;
  if (compression === 'none') return;
  const hasher = await createHasher(digestAlgorithm(diffId));
  const shown = files.shown(path);
  await hashAll(decompressed(chunksOf(files, path, signal), compression, { shown }), hasher);
  const got = hasher.digest();
  if (got === diffId) return;
  throw new OciError('DIGEST_MISMATCH', `${shown} unpacks to ${got}, but the config says ${diffId}`, {
    hint: files.remedy,
  });
}

const types = {
  docker: { none: 'application/vnd.docker.image.rootfs.diff.tar', gzip: mediaTypes.dockerLayer },
  oci: { none: mediaTypes.ociLayer, gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd },
} as const;

/** The descriptors of layers. Docker has no type for zstd: OCI types are used if there is such a layer. */
export function layerDescriptors(layers: readonly SavedLayer[]): {
  readonly format: 'docker' | 'oci';
  readonly descriptors: readonly Descriptor[];
} {
  const format = layers.some(({ compression }) => compression === 'zstd') ? 'oci' : 'docker';
  const typeOf = (compression: SavedLayer['compression']): string =>
    format === 'docker' && compression !== 'zstd' ? types.docker[compression] : types.oci[compression];
  const descriptors = layers.map(({ compression, digest, size }) => ({ mediaType: typeOf(compression), digest, size }));
  return { format, descriptors };
}

async function hashAll(content: AsyncIterable<Uint8Array>, hasher: Hasher): Promise<void> {
  for await (const chunk of content) hasher.update(chunk);
}
