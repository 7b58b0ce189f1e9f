import { checkArgument, checkFields } from '../model/check-arguments.ts';
import { createHasher, type Digest, digestAlgorithm, type Hasher } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { mediaTypes } from '../model/manifest/media-types.ts';

/** A destination for bytes. */
export interface Sink {
  /** Takes a chunk. The caller may reuse its memory once the promise has resolved. */
  write(chunk: Uint8Array): Promise<void>;
}

/** The body of a blob. It can be read once: iterated, drained or cancelled. */
export interface Content extends AsyncIterable<Uint8Array> {
  /** Digest and size of the whole blob, also if this is a part of it. */
  readonly descriptor: Descriptor;
  /** Writes the rest into a sink, chunk after chunk. The fastest way to read it. */
  drainTo(sink: Sink, opts?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Stops reading and frees what the body holds, such as a connection. Idempotent. */
  cancel(): Promise<void>;
}

/** A blob that can be opened repeatedly, at any offset. */
export interface BlobSource {
  /** @param offset The first byte to read; at most the blob's size. */
  open(offset: number, opts?: { readonly signal?: AbortSignal | undefined }): Promise<Content>;
  /**
   * Resolves when the bytes may move; `open` waits for the same. A destination calls it before it begins what should not
   * wait long, such as an upload at a registry.
   */
  ready?(opts?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/** A descriptor for a blob of which only digest and size are known. */
export function blobDescriptor(digest: Digest, size: number): Descriptor {
  return { mediaType: mediaTypes.octetStream, digest, size };
}

const inDescriptor = { digest: 'string', size: 'number' } as const;
const inContent = { descriptor: 'object', drainTo: 'function' } as const;

/** A source over bytes in memory. */
export function bytesSource(descriptor: Descriptor, bytes: Uint8Array): BlobSource {
  checkFields('bytesSource', 'the descriptor', descriptor, inDescriptor);
  checkArgument('bytesSource', 'the bytes', bytes, 'bytes');
  return { open: async (offset) => bytesContent(descriptor, bytes.subarray(offset)) };
}

/** Content over bytes in memory. */
export function bytesContent(descriptor: Descriptor, bytes: Uint8Array): Content {
  checkArgument('bytesContent', 'the bytes', bytes, 'bytes');
  return streamContent(descriptor, [bytes].values());
}

/** Content over any iterable of chunks. It verifies nothing; see {@link verifiedContent}. */
export function streamContent(
  descriptor: Descriptor,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  cancel: () => Promise<void> = async () => {},
): Content {
  checkFields('streamContent', 'the descriptor', descriptor, inDescriptor);
  checkArgument('streamContent', 'the chunks', chunks, ['object', 'array']);
  checkArgument('streamContent', 'the function to cancel', cancel, 'function');
  return {
    descriptor,
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
    async drainTo(sink, opts) {
      for await (const chunk of chunks) {
        opts?.signal?.throwIfAborted();
        await sink.write(chunk);
      }
    },
    cancel,
  };
}

/**
 * Content that is hashed while it is read, and compared with its descriptor at the end. Wrong bytes make the reader
 * fail instead of reaching the end, and no chunk past the descriptor's size is passed on.
 *
 * @throws OciError while reading: DIGEST_MISMATCH, SIZE_MISMATCH
 */
export async function verifiedContent(content: Content): Promise<Content> {
  checkFields('verifiedContent', 'the content', content, inContent);
  const { descriptor } = content;
  const hasher = await createHasher(digestAlgorithm(descriptor.digest));
  let seen = 0;
  const take = (chunk: Uint8Array): void => {
    seen += chunk.length;
    if (seen > descriptor.size) throw sizeMismatch(descriptor, seen);
    hasher.update(chunk);
  };
  return {
    descriptor,
    async *[Symbol.asyncIterator]() {
      for await (const chunk of content) {
        take(chunk);
        yield chunk;
      }
      checkEnd(descriptor, seen, hasher);
    },
    async drainTo(sink, opts) {
      const checking: Sink = {
        write(chunk) {
          take(chunk);
          return sink.write(chunk);
        },
      };
      await content.drainTo(checking, opts);
      checkEnd(descriptor, seen, hasher);
    },
    cancel: () => content.cancel(),
  };
}

/** Reads content into memory, for blobs that are known to be small. @throws OciError TOO_LARGE past `maxBytes`. */
export async function readContent(content: Content, maxBytes: number): Promise<Uint8Array> {
  checkFields('readContent', 'the content', content, inContent);
  checkArgument('readContent', 'the maximum of bytes', maxBytes, 'number');
  const chunks: Uint8Array[] = [];
  let size = 0;
  await content.drainTo({
    async write(chunk) {
      size += chunk.length;
      if (size > maxBytes) {
        throw new OciError(
          'TOO_LARGE',
          `blob ${content.descriptor.digest} is larger than the ${maxBytes} bytes allowed`,
        );
      }
      chunks.push(Uint8Array.from(chunk));
    },
  });
  return Buffer.concat(chunks, size);
}

export function sizeMismatch(expected: Descriptor, got: number): OciError {
  const relation = got > expected.size ? 'more than' : 'not';
  return new OciError(
    'SIZE_MISMATCH',
    `blob ${expected.digest} has ${got} bytes, ${relation} the ${expected.size} its descriptor says`,
    { hint: 'the registry or a proxy on the way damaged it; try again, or pull from another registry' },
  );
}

export function digestMismatch(expected: string, got: string): OciError {
  return new OciError('DIGEST_MISMATCH', `content is ${got}, not ${expected} as asked for`, {
    hint: 'the registry or a proxy on the way sent other bytes; none of them were kept',
  });
}

function checkEnd(descriptor: Descriptor, seen: number, hasher: Hasher): void {
  if (seen !== descriptor.size) throw sizeMismatch(descriptor, seen);
  const got = hasher.digest();
  if (got !== descriptor.digest) throw digestMismatch(descriptor.digest, got);
}
