/** Makes a layer: a blob, and the digest of its tar. */
import { compressed, type LayerCompression } from '../../archive/envelope/compress.ts';
import { compressionOf, decompressed, magicBytes } from '../../archive/envelope/compression.ts';
import { parallelGzip } from '../../archive/envelope/parallel-gzip.ts';
import { unreadable } from '../../archive/envelope/spool.ts';
import { filePart, hashed, openPart, streamPart } from '../../artifacts/push/part.ts';
import { layerTypeIn } from '../../convert/layer-types.ts';
import { giveBuffer, takeBuffer } from '../../files/buffers.ts';
import type { FileReader } from '../../files/file-reader.ts';
import { ThreadHasher } from '../../files/thread-hasher.ts';
import type { Digest } from '../../model/digest.ts';
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
  const { kind, level } = compression;
  const hasher = new ThreadHasher({ crc32: kind === 'gzip' });
  const source = hashed(tar, hasher, signal);
  const packed =
    kind === 'gzip'
      ? parallelGzip(source, { level, crc32: async () => (await hasher.end()).crc32 })
      : compressed(source, compression);
  const blob = await streamPart(packed, mediaTypes.octetStream, { shown, signal });
  return { blob, diffId: (await hasher.end()).digest, compression: kind };
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
  if (!stream) {
    const opened = await openPart(path);
    try {
      const found = readable(await firstBytes(lentChunks(opened.reader())), options, path);
      // Its own digest is of use only where it is the layer.
      if (!isKept(found, options)) return await repacked(lentChunks(opened.reader(), signal), found, options);
    } finally {
      opened.close();
    }
  }
  const file = stream
    ? await streamPart(stream, mediaTypes.octetStream, { shown, signal })
    : await filePart(path, mediaTypes.octetStream, { signal });
  try {
    const found = readable(await firstBytes(await file.source.open(0)), options, path);
    const content = await file.source.open(0, { signal });
    if (!isKept(found, options)) {
      const made = await repacked(content, found, options);
      file.close();
      return made;
    }
    const hasher = new ThreadHasher();
    for await (const _ of hashed(checkedTar(unpacked(content, found, shown), shown), hasher, signal));
    return { blob: file, diffId: (await hasher.end()).digest, compression: found };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** How a file may be compressed. */
type Found = LayerCompression['kind'];

/** @throws OciError UNSUPPORTED */
function readable(first: Uint8Array, { shown }: MakeOptions, path: string): Found {
  const found = compressionOf(first);
  if (found === 'xz' || found === 'bzip2') throw unreadable(shown, found, path);
  return found;
}

/** Whether a file is the layer as it is. */
function isKept(found: Found, { compression: wanted }: MakeOptions): boolean {
  return wanted === undefined ? found !== 'none' : wanted.kind === found && wanted.level === undefined;
}

/** @param content Its chunks are valid until the next one. */
async function repacked(content: AsyncIterable<Uint8Array>, found: Found, options: MakeOptions): Promise<MadeLayer> {
  return await layerOfTar(checkedTar(unpacked(content, found, options.shown), options.shown), options);
}

function unpacked(content: AsyncIterable<Uint8Array>, found: Found, shown: string): AsyncIterable<Uint8Array> {
  return found === 'none' ? content : decompressed(copies(content), found, { shown });
}

async function* copies(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) yield Uint8Array.from(chunk);
}

/** The chunks of a file, in memory that is used again: each is valid until the next one. */
async function* lentChunks(file: FileReader, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = takeBuffer();
  try {
    for (let size = await file.read(buffer); size > 0; size = await file.read(buffer)) {
      signal?.throwIfAborted();
      yield buffer.subarray(0, size);
    }
  } finally {
    giveBuffer(buffer);
  }
}

async function firstBytes(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const chunk of content) return Uint8Array.from(chunk.subarray(0, magicBytes));
  return new Uint8Array(0);
}

/** The layer as one of an image, in the image's format. @throws OciError UNSUPPORTED for zstd in Docker's. */
export function layerFor(draft: ImageDraft, { blob, diffId, compression }: MadeLayer): DraftLayer {
  const { digest, size } = blob.descriptor;
  const descriptor = { mediaType: layerTypeIn(draft.format, compression), digest, size };
  return draft.madeLayer({ ...blob, descriptor }, diffId);
}
