import { Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { OciError } from '../../model/errors.ts';
import { bytesBody } from '../body.ts';
import type { HttpBody } from '../http.ts';

/** Maximum number of encodings. Servers apply one or two; more are an attack. */
const maxEncodings = 2;

/**
 * Decodes bytes from memory.
 *
 * @throws OciError TOO_LARGE as soon as there are more than `maxBytes`; PROTOCOL as {@link decodedBody}.
 */
export async function decodedBytes(
  bytes: Uint8Array,
  encodings: readonly string[],
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of decodedBody(bytesBody(bytes), encodings)) {
    size += chunk.length;
    if (size > maxBytes) throw new OciError('TOO_LARGE', `decoded, the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * A body without its encodings: gzip, br, deflate, and zstd if Node supports it. Only what is read is decoded.
 *
 * @throws while it is read: OciError PROTOCOL for an unknown encoding, or content that does not have it; errors of the body.
 */
export function decodedBody(body: HttpBody, encodings: readonly string[]): HttpBody {
  const chunks = decoded(body, encodings);
  return {
    [Symbol.asyncIterator]: () => chunks,
    async drainTo(sink, opts) {
      for await (const chunk of chunks) {
        opts?.signal?.throwIfAborted();
        await sink.write(chunk);
      }
    },
    async bytes(maxBytes) {
      const parts: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of chunks) {
        size += chunk.length;
        if (size > maxBytes) throw new OciError('TOO_LARGE', `decoded, the answer is longer than ${maxBytes} bytes`);
        parts.push(chunk);
      }
      return Buffer.concat(parts, size);
    },
    discard: () => body.cancel(),
    cancel: () => body.cancel(),
  };
}

async function* decoded(body: HttpBody, encodings: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
  let failure: unknown;
  async function* sent(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* body;
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  const streams: (Readable | Transform)[] = [];
  try {
    if (encodings.length > maxEncodings) throw unreadable('it has too many encodings');
    const chunks = sent();
    const first = await chunks.next();
    if (first.done) return;
    streams.push(Readable.from(joined(first.value, chunks), { objectMode: false }));
    // The encoding that was applied last is removed first.
    for (const [at, encoding] of [...encodings].reverse().entries()) {
      const source = streams.at(-1) as Readable;
      const next = decoderFor(encoding, at === 0 ? first.value : undefined);
      source.on('error', (error) => next.destroy(error));
      streams.push(source.pipe(next));
    }
    yield* streams.at(-1) as Readable;
  } catch (error) {
    if (failure !== undefined) throw failure;
    throw error instanceof OciError ? error : unreadable('it does not have this encoding, or breaks off', error);
  } finally {
    for (const stream of streams) stream.on('error', () => {}).destroy();
    await body.cancel();
  }
}

async function* joined(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first;
  yield* rest;
}

function decoderFor(encoding: string, first: Uint8Array | undefined): Transform {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip();
  if (encoding === 'br') return createBrotliDecompress();
  // "deflate" means zlib's format, but some servers send raw deflate. RFC 9110, 8.4.1.2
  if (encoding === 'deflate') return first && !isZlib(first) ? createInflateRaw() : createInflate();
  // Not a named import: it would fail on a Node version without zstd.
  const { createZstdDecompress } = process.getBuiltinModule('node:zlib') as { createZstdDecompress?: () => Transform };
  if (encoding === 'zstd' && createZstdDecompress) return createZstdDecompress();
  if (encoding === 'zstd') throw unreadable('Node reads zstd from 22.15 on');
  throw unreadable('the encoding is not supported');
}

/** @see https://www.rfc-editor.org/rfc/rfc1950#section-2.2 */
function isZlib([method = 0, flags = 0]: Uint8Array): boolean {
  return (method & 0x0f) === 8 && ((method << 8) | flags) % 31 === 0;
}

function unreadable(why: string, cause?: unknown): OciError {
  return new OciError('PROTOCOL', why, { cause });
}
