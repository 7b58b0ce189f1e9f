/** Blobs that were sent with a Content-Encoding although none was requested. */
import { type Digest, digestAlgorithm, digestBytes } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { type Content, digestMismatch, sizeMismatch } from '../registry/content.ts';
import { bytesBody } from '../transport/body.ts';
import { encodingsOf, namingEncodings, undecoded } from '../transport/encoding/content-encoding.ts';
import { decodedBody, decodedBytes } from '../transport/encoding/decoder.ts';
import { contentLength, type HttpResponse, header } from '../transport/http.ts';
import type { Retry } from '../transport/retry/retry.ts';
import { parseContentRange } from '../wire/headers.ts';

interface EncodedBlob {
  /** The response, a 200 or 206 with a Content-Encoding. */
  readonly response: HttpResponse;
  readonly digest: Digest;
  readonly descriptor: Descriptor | undefined;
  /** Requests the whole blob. */
  readonly openWhole: () => Promise<HttpResponse>;
  readonly retry: Retry;
  readonly signal: AbortSignal | undefined;
}

/** The blob without encoding, from its first byte, whatever offset is requested. */
interface PlainBlob {
  readonly response: HttpResponse;
  readonly open: () => Promise<HttpResponse>;
}

/** Up to this size both interpretations of a blob are tried. */
const maxHeldBytes = 4 * 1024 * 1024;
/** Bytes that an encoding may add to content that it cannot compress. */
const overheadBytes = 64 * 1024;

/**
 * Decides whether a blob is the body as sent, or decoded: some storages keep a Content-Encoding with compressed layers
 * that does not belong to them. A small blob is compared with its digest; for a large one the length decides, or else
 * its first bytes.
 *
 * @returns Undefined if the response is to be read like any other.
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH or PROTOCOL naming the encoding; errors of `openWhole`.
 */
export async function readEncoded(blob: EncodedBlob): Promise<PlainBlob | undefined> {
  const { response, descriptor, openWhole } = blob;
  const size = descriptor?.size;
  if (response.status === 206) {
    const total = parseContentRange(header(response.headers, 'content-range'))?.size;
    if (total !== undefined && total === size && size > maxHeldBytes) return undefined;
    await response.body.cancel();
  }
  const whole = response.status === 206 ? await openWhole() : response;
  const asSent = (): PlainBlob | undefined => (whole === response ? undefined : { response: whole, open: openWhole });
  if (whole.status !== 200 || encodingsOf(whole.headers).length === 0) return asSent();
  const sentBytes = contentLength(whole.headers);
  if ((size ?? sentBytes ?? 0) <= maxHeldBytes) return held(whole, blob);
  if (size === undefined || sentBytes === size) return asSent();
  const magic = magicOf(descriptor?.mediaType ?? '');
  if (sentBytes === undefined && magic && !(await beginsWith(whole, magic)))
    return { response: await openWhole(), open: openWhole };
  const open = async (): Promise<HttpResponse> => plain(await openWhole());
  return { response: sentBytes === undefined && magic ? await open() : plain(whole), open };
}

/** Wraps the content of an encoded response, so that its errors name the encoding. */
export function namingEncoding(content: Content, { url, headers }: HttpResponse): Content {
  const encodings = encodingsOf(headers);
  const named = (error: unknown): unknown => namingEncodings(error, url, encodings);
  return {
    descriptor: content.descriptor,
    async *[Symbol.asyncIterator]() {
      try {
        yield* content;
      } catch (error) {
        throw named(error);
      }
    },
    drainTo: (sink, opts) =>
      content.drainTo(sink, opts).catch((error: unknown) => {
        throw named(error);
      }),
    cancel: () => content.cancel(),
  };
}

async function held(first: HttpResponse, blob: EncodedBlob): Promise<PlainBlob> {
  const { digest, descriptor, openWhole, retry, signal } = blob;
  const { response, bytes: sent } = await gathered(first, openWhole, retry, signal);
  const encodings = encodingsOf(response.headers);
  const bytes = await plainBytes(sent, encodings, digest, descriptor).catch((error: unknown) => {
    throw namingEncodings(error, response.url, encodings);
  });
  const open = async (): Promise<HttpResponse> => ({
    ...response,
    status: 200,
    headers: { 'content-length': String(bytes.length) },
    body: bytesBody(bytes),
  });
  return { response: await open(), open };
}

/** The bytes with this digest: as sent, or decoded. */
async function plainBytes(
  sent: Uint8Array,
  encodings: readonly string[],
  digest: Digest,
  descriptor: Descriptor | undefined,
): Promise<Uint8Array> {
  const algorithm = digestAlgorithm(digest);
  if ((await digestBytes(sent, algorithm)) === digest) return sent;
  const size = descriptor?.size ?? maxHeldBytes;
  const bytes = await decodedBytes(sent, encodings, size).catch((error: unknown) => {
    throw isOciError(error, 'TOO_LARGE') && descriptor ? sizeMismatch(descriptor, size + 1) : error;
  });
  const got = await digestBytes(bytes, algorithm);
  if (got !== digest) throw digestMismatch(digest, got);
  return bytes;
}

/** Reads a body into memory, and requests it again if it breaks. */
async function gathered(
  first: HttpResponse,
  openWhole: () => Promise<HttpResponse>,
  retry: Retry,
  signal: AbortSignal | undefined,
): Promise<{ readonly response: HttpResponse; readonly bytes: Uint8Array }> {
  let response = first;
  for (let failures = 1; ; failures += 1) {
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of response.body) {
        signal?.throwIfAborted();
        size += chunk.length;
        if (size > maxHeldBytes + overheadBytes) {
          throw undecoded(
            response.url,
            encodingsOf(response.headers),
            new OciError('TOO_LARGE', `it is longer than the ${maxHeldBytes} bytes that are held of it`),
          );
        }
        chunks.push(chunk);
      }
      return { response, bytes: Buffer.concat(chunks, size) };
    } catch (error) {
      if (!isOciError(error, 'NETWORK', 'TIMEOUT') || failures >= retry.attempts) throw error;
      await retry.pause(failures, { signal });
      response = await openWhole();
    }
  }
}

function plain(response: HttpResponse): HttpResponse {
  const encodings = encodingsOf(response.headers);
  if (response.status !== 200 || encodings.length === 0) return response;
  return { ...response, headers: {}, body: decodedBody(response.body, encodings) };
}

/** Whether a body, decoded, begins like content of its type. Only the beginning is read. */
async function beginsWith({ body, headers }: HttpResponse, magic: Uint8Array): Promise<boolean> {
  try {
    for await (const chunk of decodedBody(body, encodingsOf(headers))) return Buffer.from(chunk).indexOf(magic) === 0;
  } catch {
    // It does not have the encoding that it declares.
  }
  return false;
}

function magicOf(mediaType: string): Uint8Array | undefined {
  if (/[+.]gzip$/.test(mediaType)) return Uint8Array.of(0x1f, 0x8b);
  return /[+.]zstd$/.test(mediaType) ? Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd) : undefined;
}
