/** Content that was sent with an encoding although none was requested. */
import { OciError } from '../../model/errors.ts';
import { parseJson } from '../../model/json.ts';
import type { Answer } from '../exchange.ts';
import { type HttpBody, type HttpHeaders, headerLines } from '../http.ts';
import { endpointOf } from '../redact.ts';

const errorBytes = 1024 * 1024;

/** The encodings in a response's header, in the order in which they were applied; empty if there are none. */
export function encodingsOf(headers: HttpHeaders): readonly string[] {
  return headerLines(headers, 'content-encoding')
    .flatMap((line) => line.split(','))
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '' && word !== 'identity');
}

/** The encodings in a form for messages. */
function shownEncodings(encodings: readonly string[]): string {
  return encodings
    .slice(0, 3)
    .map((word) => (/^[\w-]{1,20}$/.test(word) ? word : '…'))
    .join(', ');
}

/**
 * Decodes the body of a response that is read as a whole, if it is not JSON as sent. Streams are not changed, except
 * those of error responses, which people read.
 *
 * @throws while it is read: OciError TOO_LARGE past the reader's limit, decoded or not; PROTOCOL naming the encoding.
 */
export function readableAnswer(answer: Answer, url: URL): Answer {
  const encodings = encodingsOf(answer.headers);
  if (encodings.length === 0) return answer;
  const { body, status } = answer;
  const bytes = async (maxBytes: number): Promise<Uint8Array> => {
    const sent = await body.bytes(maxBytes);
    if (sent.length === 0 || isJson(sent)) return sent;
    const { decodedBytes } = await import('./decoder.ts');
    try {
      return await decodedBytes(sent, encodings, maxBytes);
    } catch (error) {
      // The status is more important than an unreadable body.
      if (status >= 400) return sent;
      throw error instanceof OciError && error.code === 'TOO_LARGE'
        ? new OciError('TOO_LARGE', `${url.host}: ${error.message}`, { cause: error, endpoint: endpointOf(url) })
        : undecoded(url, encodings, error);
    }
  };
  async function* iterate(): AsyncGenerator<Uint8Array, void, undefined> {
    yield await bytes(errorBytes);
  }
  const readable: HttpBody = {
    bytes,
    [Symbol.asyncIterator]: () => (status >= 400 ? iterate() : body[Symbol.asyncIterator]()),
    drainTo: (sink, opts) => body.drainTo(sink, opts),
    discard: () => body.discard(),
    cancel: () => body.cancel(),
  };
  return { ...answer, body: readable };
}

/** The error for content with an unrequested encoding that cannot be decoded. */
export function undecoded(url: URL, encodings: readonly string[], cause: unknown): OciError {
  const why = cause instanceof OciError ? `: ${cause.message}` : '';
  return new OciError(
    'PROTOCOL',
    `${url.host} sent content with Content-Encoding: ${shownEncodings(encodings)}, which cannot be read${why}`,
    {
      cause,
      endpoint: endpointOf(url),
      hint: 'no encoding was requested: configure the registry, or the proxy on the way, not to encode content',
    },
  );
}

/** Adds the encodings, if there are any, to an error about wrong content. */
export function namingEncodings(error: unknown, url: URL, encodings: readonly string[]): unknown {
  if (encodings.length === 0 || !(error instanceof OciError)) return error;
  const { code, message, hint } = error;
  if (code === 'PROTOCOL') return /Content-Encoding/.test(message) ? error : undecoded(url, encodings, error);
  if (code !== 'DIGEST_MISMATCH' && code !== 'SIZE_MISMATCH') return error;
  const named = `${message}; ${url.host} sent it with Content-Encoding: ${shownEncodings(encodings)}`;
  return new OciError(code, named, { hint, cause: error });
}

function isJson(bytes: Uint8Array): boolean {
  try {
    parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}
