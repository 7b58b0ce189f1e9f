import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { sizeMismatch } from '../registry/content.ts';
import { type HttpBody, type HttpResponse, header } from '../transport/http.ts';
import { endpointOf } from '../transport/redact.ts';
import { parseContentRange } from '../wire/headers.ts';

/** The requested part of a blob; the end is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The bytes of a span from a 200 or 206. A 206 must begin at the span's start. A server without ranges sends a 200, of
 * which only the span is returned.
 *
 * @throws OciError PROTOCOL for a 206 that begins elsewhere, SIZE_MISMATCH if its blob has another size.
 */
export function bodyAt(response: HttpResponse, span: Span, descriptor: Descriptor): HttpBody {
  if (response.status !== 206) {
    // Bytes after the end of the blob are not skipped: they are an error.
    return span.start === 0 && span.end >= descriptor.size ? response.body : cut(response.body, span, descriptor.size);
  }
  const range = parseContentRange(header(response.headers, 'content-range'));
  if (range?.start !== span.start) {
    void response.body.cancel();
    const got = range ? `from byte ${range.start}` : 'without saying where it begins';
    throw new OciError(
      'PROTOCOL',
      `${response.url.host} was asked for a blob from byte ${span.start}, and sent it ${got}`,
      {
        endpoint: endpointOf(response.url),
        hint: 'the registry or a proxy on the way damages ranges; none of it was kept',
      },
    );
  }
  if (range.size !== undefined && range.size !== descriptor.size) {
    void response.body.cancel();
    throw sizeMismatch(descriptor, range.size);
  }
  return response.body;
}

function cut(body: HttpBody, span: Span, size: number): HttpBody {
  let position = 0;
  const end = span.end >= size ? Number.POSITIVE_INFINITY : span.end;
  const wanted = (chunk: Uint8Array): Uint8Array => {
    const from = Math.max(span.start - position, 0);
    const to = Math.max(end - position, 0);
    position += chunk.length;
    return chunk.subarray(Math.min(from, chunk.length), Math.min(to, chunk.length));
  };
  async function* parts(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of body) {
      const part = wanted(chunk);
      if (part.length > 0) yield part;
      if (position >= end) return;
    }
  }
  return {
    [Symbol.asyncIterator]: parts,
    async drainTo(sink, opts) {
      for await (const part of parts()) {
        opts?.signal?.throwIfAborted();
        await sink.write(part);
      }
    },
    bytes: (maxBytes) => body.bytes(maxBytes),
    discard: () => body.discard(),
    cancel: () => body.cancel(),
  };
}
