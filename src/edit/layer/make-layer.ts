/** Makes a layer: a blob, and the digest of its tar. */
import { compressed, type LayerCompression } from '../../archive/envelope/compress.ts';
import { compressionOf, decompressed, magicBytes } from '../../archive/envelope/compression.ts';
import { parallelGzip } from '../../archive/envelope/parallel-gzip.ts';
import { unreadable } from '../../archive/envelope/spool.ts';
import { filePart, hashed, streamPart } from '../../artifacts/push/part.ts';
import { layerTypeIn } from '../../convert/layer-types.ts';
import { createHasher, type Digest } from '../../model/digest.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { DraftLayer, ImageDraft, MadeBlob } from '../image-draft.ts';
import { checkedTar } from './checked-tar.ts';

/** A layer that belongs to no image yet. */
export interface MadeLayer {
  readonly blob: MadeBlob;
  readonly diffId: Digest;
  readonly compression: LayerCompression['kind'];
}

export interface MakeOptions extends SignalOption {
  /** Its name in messages. */
  readonly shown: string;
  /** Default gzip; of a file that is compressed, its own. */
  readonly compression?: LayerCompression | undefined;
}

/** Compresses a tar archive into a temporary file. @throws OciError STORAGE_*; what the source throws. */
export async function layerOfTar(
  tar: AsyncIterable<Uint8Array>,
  { shown, compression = { kind: 'gzip' }, signal }: MakeOptions,
): Promise<MadeLayer> {
  const hasher = await createHasher();
  const source = hashed(tar, hasher, signal);
  const packed =
    compression.kind === 'gzip' ? parallelGzip(source, compression.level) : compressed(source, compression);
  const blob = await streamPart(packed, mediaTypes.octetStream, { shown, signal });
  return { blob, diffId: hasher.digest(), compression: compression.kind };
}

/**
 * A layer of a file that is a tar archive, perhaps in gzip or zstd. Without a compression that was asked for, a compressed file is
 * the layer as it is.
 *
 * @param stream Standard input, in place of the file.
 * @throws OciError ARCHIVE_INVALID for what is no tar archive; UNSUPPORTED for other compressions; USAGE, STORAGE_*
 */
export async function layerOfFile(
  path: string,
  stream: AsyncIterable<Uint8Array> | undefined,
  options: MakeOptions,
): Promise<MadeLayer> {
  const { shown, signal } = options;
  const file = stream
    ? await streamPart(stream, mediaTypes.octetStream, { shown, signal })
    : await filePart(path, mediaTypes.octetStream, { signal });
  try {
    const content = await file.source.open(0, { signal });
    const first = await firstBytes(file);
    const found = compressionOf(first);
    if (found === 'xz' || found === 'bzip2') throw unreadable(shown, found, path);
    const unpacked = found === 'none' ? content : decompressed(content, found, { shown });
    const wanted = options.compression;
    const keeps = wanted === undefined ? found !== 'none' : wanted.kind === found && wanted.level === undefined;
    if (!keeps) {
      const made = await layerOfTar(checkedTar(unpacked, shown), options);
      file.close();
      return made;
    }
    const hasher = await createHasher();
    for await (const _ of hashed(checkedTar(unpacked, shown), hasher, signal));
    return { blob: file, diffId: hasher.digest(), compression: found };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function firstBytes({ source }: MadeBlob): Promise<Uint8Array> {
  const content = await source.open(0);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) {
    chunks.push(Uint8Array.from(chunk.subarray(0, magicBytes)));
    break;
  }
  await content.cancel();
  return Buffer.concat(chunks);
}

/** The layer as one of an image, in the image's format. @throws OciError UNSUPPORTED for zstd in Docker's. */
export function layerFor(draft: ImageDraft, { blob, diffId, compression }: MadeLayer): DraftLayer {
  const { digest, size } = blob.descriptor;
  const descriptor = { mediaType: layerTypeIn(draft.format, compression), digest, size };
  return draft.madeLayer({ ...blob, descriptor }, diffId);
}
